"""The log: read to its end, without holes, in order of time."""

# ruff: noqa: S608  # statements put together from our own words

from __future__ import annotations

from kizuna.runtime.doctor import NOW, Question, sql

NEWEST = 1000  # rows of each partition that are looked at

QUESTIONS = [
    Question(
        name="log_unread",
        invariant=1,
        ask=sql(
            "SELECT w.id, '', count(*) FROM log_head h JOIN workspace w ON w.id = h.workspace"
            f' WHERE h.applied < h."offset" AND h.at < {NOW} - %(grace)s GROUP BY w.id'
        ),
        advice="partitions have rows that no worker folded: is `kizuna work` running for all partitions?",
        is_watched=True,
    ),
    Question(
        name="log_offsets_in_order",
        invariant=1,
        ask=sql(
            """SELECT workspace, '', count(*) FROM log_head
               WHERE applied > "offset" OR archived > applied GROUP BY workspace"""
        ),
        advice="partitions are read or archived further than they are written",
        is_watched=True,
    ),
    Question(
        name="log_holes",
        invariant=1,
        ask=sql(
            f"""SELECT h.workspace, '', count(*) FROM log_head h CROSS JOIN LATERAL (
                    SELECT count(*) AS n, min("offset") AS oldest, max("offset") AS newest FROM log l
                    WHERE l.workspace = h.workspace AND l.partition = h.partition
                    AND l."offset" > h."offset" - {NEWEST}
                ) l WHERE l.n > 0 AND (l.newest <> h."offset" OR l.n <> l.newest - l.oldest + 1)
                GROUP BY h.workspace"""
        ),
        advice="partitions lack rows of the log between others: something else than Kizuna wrote to the database",
    ),
    Question(
        name="log_time_falls",
        invariant=9,
        ask=sql(
            f"""SELECT workspace, '', count(*) FROM (
                    SELECT h.workspace, l.at, lag(l.at) OVER (PARTITION BY h.workspace, h.partition ORDER BY l."offset")
                           AS before, h.at AS newest
                    FROM log_head h JOIN log l ON l.workspace = h.workspace AND l.partition = h.partition
                    AND l."offset" > h."offset" - {NEWEST // 10}
                ) rows WHERE at < before OR at > newest GROUP BY workspace"""
        ),
        advice="rows of the log are older than the row before them",
    ),
    Question(
        name="duplicates_without_item",
        invariant=1,
        ask=sql(
            """SELECT d.workspace, '', count(*) FROM duplicate d {sample:duplicate}
               JOIN log_head h ON h.workspace = d.workspace AND h.partition = d.partition
               LEFT JOIN log l ON l.workspace = d.workspace AND l.partition = d.partition AND l."offset" = d."offset"
               WHERE (l.items IS NULL AND d."offset" > h.archived) OR d.index >= l.items GROUP BY d.workspace"""
        ),
        advice="items are noted as left out that the log does not have",
    ),
]
