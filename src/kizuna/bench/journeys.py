"""`journeys`: a million parked runs; many due at one instant, all advanced; and what the workers weigh meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from msgspec.structs import replace
from rich.console import Console

from kizuna.accounts import workspaces
from kizuna.bench import durable_peer, pipeline, workload
from kizuna.bench.house import House, megabytes_of
from kizuna.runtime.database import Database, connect

PARKED, DUE = 1_000_000, 100_000
STEPS = 2  # of each due run at that instant: the wait that ends and the split; then it comes to rest again
LIMIT_SECONDS, LIMIT_RATIO, LIMIT_MEGABYTES = 10, 50, 700
START = "2026-01-01T00:00:00Z"


def run(house: House, screen: Console, parked: int = PARKED, due: int = DUE) -> Iterator[str]:
    made = asyncio.run(_test_clock_workspace(house.database_url))
    house = replace(house, write_key=made["write_key"], api_key=made["api_key"])
    for name, body in workload.segments().items():
        house.call("PUT", f"/api/v1/segments/{name}", body)
    for name, delay in (("soon", "1h"), ("later", "30d")):
        journey = {
            "entry": {"on": {"event": f"Parked {name}"}},
            "steps": [
                {"id": "wait", "delay": delay},
                {"id": "arm", "split": [{"weight": 50, "next": "a"}, {"weight": 50, "next": "b"}]},
                {"id": "a", "delay": "300d", "next": "end"},
                {"id": "b", "delay": "300d"},
            ],
        }
        house.call("PUT", f"/api/v1/journeys/{name}", journey)
        house.call("POST", f"/api/v1/journeys/{name}/publish", {})
    screen.print(f"parking {parked:,} runs, {due:,} of them due in an hour ...")
    began = time.perf_counter()
    for start in range(0, parked, pipeline.EVENTS):
        people = range(start, min(start + pipeline.EVENTS, parked))
        events = [
            {"type": "track", "event": f"Parked {'soon' if who < due else 'later'}", "userId": f"run-{who}"}
            | {"messageId": f"r-{who}", "properties": {"order_id": f"o-{who}"}}
            for who in people
        ]
        pipeline.send(house, workload.requests(events))
        screen.print(f"{people.stop:,} parked", end="\r")
    yield f"{parked:,} runs parked in {time.perf_counter() - began:.0f} s, each entry settled"
    began = time.perf_counter()
    house.call("POST", "/api/v1/clock", {"advance": "1h"})
    seconds = time.perf_counter() - began
    advanced = _at_rest(house)
    yield f"{advanced:,} of {due:,} due at one instant advanced in {seconds:.1f} s (limit {LIMIT_SECONDS} s)"
    memory = megabytes_of(house.data, "work")
    yield f"workers {memory:.0f} MB with {parked:,} profiles and {workload.SEGMENTS} segments (limit {LIMIT_MEGABYTES})"
    ours = STEPS * advanced / seconds
    if not durable_peer.is_installed():
        yield f"{ours:,.0f} durable steps/s; DBOS is not installed: `pip install dbos` beside Kizuna to compare"
        return
    theirs = durable_peer.steps_per_second(house.database_url)
    yield f"{ours:,.0f} durable steps/s; DBOS {theirs:,.0f}; ratio {ours / theirs:.0f} (limit {LIMIT_RATIO})"


async def _test_clock_workspace(database_url: str) -> dict[str, str]:
    database = Database(database_url, name="kizuna bench")
    await database.open()
    try:
        return await workspaces.create(database, "parked", clock="test", start=START)
    finally:
        await database.close()


def _at_rest(house: House) -> int:
    with connect(house.database_url, name="kizuna bench") as connection:
        row = connection.execute(
            "SELECT coalesce(sum(value), 0)::bigint FROM counter"
            " WHERE name IN ('journey:soon:step:a:entered', 'journey:soon:step:b:entered')"
        ).fetchone()
    assert row  # noqa: S101
    return row[0]
