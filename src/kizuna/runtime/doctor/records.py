"""Records: counters agree with what they count, and no record grows without bound."""

# ruff: noqa: S608  # statements put together from our own words

from __future__ import annotations

from collections.abc import Iterator

from psycopg.sql import SQL, Identifier

from kizuna.runtime.doctor import SAMPLE, Finding, Patient, Question, sql

COUNTED = 2_000_000  # memberships that are counted again, beginning with the smallest segments
LARGE = 64 << 10
BUSY = 10_000  # events a day


def large(patient: Patient) -> Iterator[Finding]:
    """Sections over 64 kB in a sample; their length is known without reading them."""
    names = patient.connection.execute(
        """SELECT attname::text FROM pg_attribute WHERE attrelid = 'profile'::regclass AND attnum > 0
           AND NOT attisdropped AND atttypid = 'bytea'::regtype AND attname NOT IN ('id', 'merged_into')"""
    ).fetchall()
    any_large = SQL(" OR ").join(SQL("octet_length({}) > {}").format(Identifier(name), LARGE) for (name,) in names)
    statement = SQL("SELECT workspace, 'prf_' || encode(id, 'hex'), 1 FROM profile TABLESAMPLE SYSTEM ({}) WHERE {}")
    row = patient.connection.execute("SELECT reltuples FROM pg_class WHERE oid = 'profile'::regclass").fetchone()
    share = min(100.0, 100 * SAMPLE / max(row[0] if row else 0, 1))
    for found in patient.connection.execute(statement.format(share, any_large)):
        yield Finding(*found)


QUESTIONS = [
    Question(
        name="memberships_miscounted",
        invariant=2,
        ask=sql(
            f"""WITH counted AS (
                    SELECT workspace, substr(name, 9) AS segment, sum(value) AS size FROM counter
                    WHERE name LIKE 'segment:%%' GROUP BY workspace, name
                ), bounded AS (
                    SELECT *, sum(greatest(size, 0)) OVER (ORDER BY size, workspace, segment) AS work FROM counted
                )
                SELECT c.workspace, c.segment, abs(c.size - m.size)::bigint FROM bounded c CROSS JOIN LATERAL (
                    SELECT count(*) AS size FROM membership m
                    WHERE m.workspace = c.workspace AND m.segment = c.segment
                ) m WHERE c.work <= {COUNTED} AND c.size <> m.size"""
        ),
        advice="members of segments are counted wrongly",
    ),
    Question(
        name="memberships_uncounted",
        invariant=2,
        ask=sql(
            """SELECT m.workspace, m.segment, count(*) FROM membership m {sample:membership}
               WHERE NOT EXISTS (SELECT FROM counter c WHERE c.workspace = m.workspace
                                 AND c.name = 'segment:' || m.segment)
               GROUP BY m.workspace, m.segment"""
        ),
        advice="members belong to segments that nobody counts",
    ),
    Question(
        name="counters_negative",
        invariant=7,
        ask=sql("SELECT workspace, name, 1 FROM counter GROUP BY workspace, name HAVING sum(value) < 0"),
        advice="counters are below zero",
    ),
    Question(
        name="records_large",
        invariant=10,
        ask=large,
        advice="records have a section over 64 kB, in a sample: they cost much at every event",
        is_listing=True,
    ),
    Question(
        name="profiles_busy",
        invariant=10,
        ask=sql(
            f"""SELECT workspace, 'prf_' || key || '...', 1 FROM (
                    SELECT l.workspace, encode(substr(l.keys, 8 * place + 1, 8), 'hex') AS key, count(*) AS seen
                    FROM (SELECT l.* FROM log l {{sample:log}} JOIN workspace w ON w.id = l.workspace
                          WHERE l.kind = 0 AND w.clock = 'live' AND l.at > real_now() - 86400000000 LIMIT {SAMPLE}) l
                    CROSS JOIN generate_series(0, length(l.keys) / 8 - 1) AS place GROUP BY 1, 2
                ) busy CROSS JOIN (SELECT greatest(reltuples, 1) AS rows FROM pg_class WHERE oid = 'log'::regclass) size
                WHERE seen >= 30 AND seen * greatest(1, size.rows / {SAMPLE}) > {BUSY}"""
        ),
        advice="profiles have over 10,000 events a day, by a sample: a test account, or an id that many share?",
        is_listing=True,
    ),
]
