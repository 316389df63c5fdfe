"""`segments_preview`: who a behavioural rule would hold for, beside SQL written by hand over the same files."""

# ruff: noqa: S608  (SQL is put together from this file's own text)

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
from arro3.core import RecordBatch, Schema, Table
from msgspec import Struct
from rich.console import Console

from kizuna.accounts import workspaces
from kizuna.bench.house import House
from kizuna.core.clock import DAY
from kizuna.core.errors import KizunaError
from kizuna.engine.slice import Workspace
from kizuna.runtime.database import Database
from kizuna.runtime.lake.columns import Columns, empty
from kizuna.runtime.lake.place import folder_of
from kizuna.runtime.lake.query import Lake, open_duckdb
from kizuna.runtime.lake.schemas import EVENTS, PROFILES
from kizuna.runtime.lake.tables import Writer
from kizuna.runtime.lake.views import quoted
from kizuna.segments.preview import SAMPLE, preview
from kizuna.segments.rule import parse

PROFILE_COUNT, EVENT_COUNT = 1_000_000, 10_000_000
ROUNDS = 5
AT_ONCE = 250_000  # rows a commit
YEAR = 365 * DAY
PARTITIONS = 64

# Bought twice and for 300 in the last quarter, and left no cart behind in the last month.
RULE = {
    "all": [
        {"did": "Event 03", "count": {"gte": 2}, "within": "90d"},
        {"sum": {"event": "Event 03", "property": "total"}, "gte": 300, "within": "90d"},
        {"not": {"did": "Event 07", "within": "30d"}},
    ]
}


class Place(Struct, frozen=True):
    data: Path
    lake_url: str | None = None


def run(house: House, screen: Console, profiles: int = PROFILE_COUNT, events: int = EVENT_COUNT) -> Iterator[str]:
    place, now = Place(house.data), time.time_ns() // 1000
    ours, theirs = asyncio.run(_measure(house, screen, place, now, profiles, events))
    ratio = median(one / other for one, other in zip(ours, theirs, strict=True))
    one, other = median(ours) * 1000, median(theirs) * 1000
    yield f"{one:,.0f} ms; by hand {other:,.0f} ms; ratio {ratio:.2f} (median of {ROUNDS})"
    yield f"{profiles:,} profiles, {events:,} events; count and {SAMPLE} of them with traits"


async def _measure(
    house: House, screen: Console, place: Place, now: int, profiles: int, events: int
) -> tuple[list[float], list[float]]:
    database = Database(house.database_url, largest=2, name="kizuna bench")
    await database.open()
    try:
        workspace = await workspaces.find(database, "bench")
        screen.print(f"writing {profiles:,} profiles and {events:,} events to the lake ...")
        fill(folder_of(place, workspace.id), now, profiles, events)
        return await _rounds(screen, Lake(place), database, workspace)
    finally:
        await database.close()


async def _rounds(
    screen: Console, lake: Lake, database: Database, workspace: Workspace
) -> tuple[list[float], list[float]]:
    ours: list[float] = []
    theirs: list[float] = []
    rule = parse(RULE)
    hand = Hand((await lake.snapshot(database, workspace.id)).files)
    for number in range(ROUNDS + 1):
        began = time.perf_counter()
        found = await preview(lake, database, workspace, rule)
        first = time.perf_counter() - began
        began = time.perf_counter()
        expected = hand.ask(time.time_ns() // 1000)
        second = time.perf_counter() - began
        told = (found["count"], [each["id"] for each in found["sample"]])
        if told != (expected[0][0], [profile for _, profile, _ in expected]):
            raise KizunaError(f"the preview found {told}, SQL by hand {expected}")
        screen.print(
            f"round {number}: {first * 1000:,.0f} ms, by hand {second * 1000:,.0f} ms, {found['count']:,} found"
        )
        if number:  # the first round warms both
            ours.append(first)
            theirs.append(second)
    return ours, theirs


class Hand:
    """The peer: one statement by somebody who knows the files, in a DuckDB with the same limits."""

    def __init__(self, files: Any) -> None:
        self.connection = open_duckdb(None)
        self.events, self.profiles = (f"[{', '.join(map(quoted, files[name]))}]" for name in ("events", "profiles"))

    def ask(self, now: int) -> list[tuple[Any, ...]]:
        """Rows of (count, profile, traits)."""
        return self.connection.execute(
            f"""WITH found AS MATERIALIZED (
                SELECT profile FROM read_parquet({self.events})
                WHERE type = 'track' AND event = 'Event 03' AND timestamp > {now - 90 * DAY} AND timestamp <= {now}
                GROUP BY profile
                HAVING count(*) >= 2 AND sum(CAST(json_extract_string(properties, '$.total') AS DECIMAL(18, 2))) >= 300
                   AND profile NOT IN (
                       SELECT profile FROM read_parquet({self.events}) WHERE type = 'track' AND event = 'Event 07'
                       AND timestamp > {now - 30 * DAY} AND timestamp <= {now})
            ), sample AS MATERIALIZED (SELECT profile FROM found ORDER BY profile LIMIT {SAMPLE})
            SELECT (SELECT count(*) FROM found), profile, arg_max(c.traits, c.logged_at)
            FROM sample JOIN read_parquet({self.profiles}) c USING (profile) GROUP BY profile ORDER BY profile"""
        ).fetchall()


def fill(folder: Path, now: int, profiles: int, events: int) -> None:
    """A year of events and each profile's traits, written as the archiver does."""
    writer = Writer(folder)
    with duckdb.connect(":memory:", config={"threads": 2}) as source:
        for number, first in enumerate(range(0, profiles, AT_ONCE), 1):
            count = min(AT_ONCE, profiles - first)
            changes = _batch(source, _PROFILES.format(first=first, count=count, number=number, at=now - YEAR), PROFILES)
            writer.commit(Columns(empty(EVENTS), changes), dict.fromkeys(range(PARTITIONS), number))
        for number, first in enumerate(range(0, events, AT_ONCE), profiles // AT_ONCE + 2):
            count = min(AT_ONCE, events - first)
            since, length = now - YEAR + first * YEAR // events, count * YEAR // events
            sql = _EVENTS.format(first=first, count=count, number=number, profiles=profiles, since=since, length=length)
            rows = Columns(_batch(source, sql, EVENTS), empty(PROFILES))
            writer.commit(rows, dict.fromkeys(range(PARTITIONS), number))


def _batch(source: Any, sql: str, schema: Schema) -> RecordBatch:
    columns = ", ".join(f'"{name}"' for name in schema.names)
    found = Table.from_arrow(source.sql(f"SELECT {columns} FROM ({sql}) ORDER BY profile, timestamp"))
    return found.combine_chunks().to_batches()[0].with_schema(schema)


_PERSON = "concat('prf_', md5(concat('person ', who)))"

_PROFILES = f"""
SELECT {_PERSON} AS profile, NULL::VARCHAR AS merged_into,
       printf('{{{{"name":"Person %d","email":"person-%d@shop.example","country":"JP"}}}}', who, who) AS traits,
       CASE WHEN who % 10 = 0 THEN 'Asia/Tokyo' END AS zone, 'ja' AS locale, concat('person-', who) AS user_id,
       {{at}}::BIGINT AS timestamp, {{at}}::BIGINT AS logged_at, (who % {PARTITIONS})::INTEGER AS partition,
       {{number}}::BIGINT AS "offset", (who // {PARTITIONS})::INTEGER AS "index"
FROM (SELECT unnest(range({{first}}, {{first}} + {{count}})) AS who)
"""

# Few have many events and many have few.
_EVENTS = f"""
SELECT {_PERSON} AS profile, (who % {PARTITIONS})::INTEGER AS partition, {{number}}::BIGINT AS "offset",
       (i - {{first}})::INTEGER AS "index", concat('b-', i) AS id, 'track' AS type,
       printf('Event %02d', (hash(i, 1) % 20)::INTEGER) AS event,
       said AS timestamp, said AS received_at, said AS logged_at,
       printf('{{{{"order_id":"o-%d","total":%.2f,"currency":"JPY","sku":"sku-%d","channel":"web"}}}}', i,
              5 + (hash(i, 2) % 29500) / 100, i % 997) AS properties,
       NULL::VARCHAR AS context, concat('person-', who) AS user_id, NULL::VARCHAR AS anonymous_id,
       NULL::VARCHAR AS caused_by, 0::INTEGER AS flags,
       strftime(make_timestamp(said), '%Y-%m') AS month
FROM (
    SELECT i, {{since}} + (hash(i, 3) % {{length}})::BIGINT AS said,
           ({{profiles}} * pow((hash(i, 4) % 1000003) / 1000003, 1.5))::BIGINT % {{profiles}} AS who
    FROM (SELECT unnest(range({{first}}, {{first}} + {{count}})) AS i)
)
"""
