"""One fill: read history before the publish, work out the leaf states, say them to every profile."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from kizuna.core import exact_json, ids
from kizuna.engine.append import append_statements
from kizuna.engine.program import Programs
from kizuna.engine.slice import Workspace
from kizuna.engine.store import PostgresState
from kizuna.runtime.lake.query import Lake
from kizuna.segments.fill import store
from kizuna.segments.fill.store import Asked
from kizuna.segments.history import Past, events_of, fill_item, fill_states
from kizuna.segments.program import Program

CHUNK = 2_000  # profiles a transaction
TOLD = frozenset(("segment", "calendar"))  # what every profile hears of, also when no history is wanted


def run_next(connection: Connection[Any], lake: Lake, programs: Programs) -> bool:
    """Do the oldest fill that can be done; says whether there was one. A crash repeats it, which changes nothing."""
    asked = store.next_asked(connection)
    if asked is None:
        connection.rollback()
        return False
    state = PostgresState(connection)
    workspace = programs.workspace(state, asked.workspace)
    program: Program = programs.compiled(state, workspace, asked.program)["segments"]
    if asked.kind in TOLD or program.gained(asked.program):
        _fill(connection, lake, workspace, program, asked)
    store.finish(connection, asked)
    connection.commit()
    return True


def _fill(connection: Connection[Any], lake: Lake, workspace: Workspace, program: Program, asked: Asked) -> None:
    now = store.now(connection, workspace.id)
    published_at = store.published_at(connection, workspace.id, asked.program)
    states = _states(connection, lake, workspace, program, asked, published_at)
    offsets = {"offsets": asked.offsets}
    gone = {ids.read("prf", row[0]) for row in lake.query_sync(connection, workspace.id, store.GONE, offsets)}
    for partition in range(workspace.partitions):
        told = [profile for profile in store.profiles(connection, workspace.id, partition) if profile not in gone]
        for start in range(0, len(told), CHUNK):
            items = [
                fill_item(profile, asked.program, states.get(profile, {}), now)
                for profile in told[start : start + CHUNK]
            ]
            for statement in append_statements(workspace.id, items, workspace.partitions, asked.root):
                connection.execute(*statement)
    connection.execute("NOTIFY kizuna_log")


def _states(
    connection: Connection[Any], lake: Lake, workspace: Workspace, program: Program, asked: Asked, published_at: int
) -> dict[bytes, dict[str, Any]]:
    gained = program.gained(asked.program)
    names = sorted(events_of(gained))
    if not names:
        return {}
    rows = lake.query_sync(connection, workspace.id, store.PAST, {"offsets": asked.offsets, "names": names})
    past = (
        Past(ids.read("prf", profile), event, timestamp, arrival, exact_json.decode((said or "{}").encode()), logged_at)
        for profile, event, timestamp, arrival, said, logged_at in rows
    )
    zones = {ids.read("prf", profile): zone for profile, zone in lake.query_sync(connection, workspace.id, store.ZONES)}
    return fill_states(gained, past, published_at, zones, workspace.zone)
