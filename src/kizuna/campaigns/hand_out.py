"""Launches under way: gathered when their time has come, handed out in chunks between live batches."""

from __future__ import annotations

from typing import Any

import psycopg
import structlog
from psycopg import Connection

from kizuna.campaigns import sql_seeding, store
from kizuna.campaigns.definition import parse
from kizuna.campaigns.fold import LAUNCH
from kizuna.campaigns.seeding import copies_of
from kizuna.campaigns.store import CANCELLED, HANDED, SCHEDULED, Launch
from kizuna.core import exact_json, ids
from kizuna.core.clock import SECOND
from kizuna.core.errors import Unavailable
from kizuna.engine import word
from kizuna.engine.append import append_statements
from kizuna.engine.moment import Item
from kizuna.engine.program import Programs
from kizuna.engine.record import decoder_of
from kizuna.engine.slice import Workspace
from kizuna.engine.store import PostgresState
from kizuna.messages.seed_list import SEEDS
from kizuna.profiles.section import Profile
from kizuna.runtime.database import commit, pipelined
from kizuna.runtime.lake.query import Lake
from kizuna.runtime.lake.views import some_profiles
from kizuna.segments.sql import compile_sql
from kizuna.templates.definition import read as read_template
from kizuna.templates.variables import locale_of

CHUNK = 500  # members a transaction
SAMPLED = 200  # members among whom those are looked for as whom copies for seeds are written
MOST_BEHIND = CHUNK  # items not yet folded beyond which no more is handed out: what customers do comes first
FAILED_RESTS = 5 * SECOND  # microseconds until a launch that failed is tried again

log = structlog.get_logger()


def step(connection: Connection[Any], lake: Lake, programs: Programs) -> tuple[bool, int | None]:
    """Bring every open launch one step on, each in a transaction of its own: a crash repeats or loses nobody.

    Says whether any moved, and in how many microseconds the next scheduled one of a live clock is due (0: some wait
    for others to work).
    """
    found = store.open_launches(connection)
    connection.commit()
    has_moved, next_in = False, None
    for launched, now in found:
        try:
            moved, wait = _advance(connection, lake, programs, launched, now)
        except (psycopg.OperationalError, Unavailable):
            raise
        except Exception:  # one that cannot be made sense of keeps no other waiting, least of all another tenant's
            connection.rollback()
            log.exception("launch_failed", workspace=launched.workspace, campaign=launched.campaign)
            moved, wait = False, FAILED_RESTS
        has_moved |= moved
        if wait is not None:
            next_in = wait if next_in is None else min(wait, next_in)
    return has_moved, next_in


def _advance(
    connection: Connection[Any], lake: Lake, programs: Programs, launched: Launch, now: int
) -> tuple[bool, int | None]:
    """As `step`, of one."""
    workspace = programs.workspace(PostgresState(connection), launched.workspace)
    is_due = launched.state != SCHEDULED or launched.due_at <= now
    has_moved = is_due and store.lock(connection, launched) and _step(connection, lake, workspace, launched, now)
    connection.commit()
    return has_moved, 0 if is_due else launched.due_at - now if workspace.clock == "live" else None


def _step(connection: Connection[Any], lake: Lake, workspace: Workspace, launched: Launch, now: int) -> bool:
    match launched.state:
        case store.SCHEDULED:
            store.begin_gathering(connection, launched)
        case store.GATHERING if store.is_folded(connection, workspace.id, launched.as_of):
            _gather(connection, lake, workspace, launched, now)
        case store.CANCELLING if store.is_folded(connection, workspace.id, launched.as_of):
            store.abort(connection, launched, now)
            store.end(connection, launched, CANCELLED)
        case store.HANDING if store.items_behind(connection, workspace.id) <= MOST_BEHIND:
            _hand_out(connection, workspace, launched, now)
        case _:
            return False
    return True


def _gather(connection: Connection[Any], lake: Lake, workspace: Workspace, launched: Launch, now: int) -> None:
    campaign = parse(store.body_of(connection, workspace.id, launched.campaign, launched.version))
    rule, profiles = campaign.rule(), list[bytes]()
    if rule is not None:
        zones = [zone for (zone,) in lake.query_sync(connection, workspace.id, store.ZONES)]
        rows = lake.query_sync(connection, workspace.id, compile_sql(rule, now, workspace.zone, zones, some_profiles))
        profiles = [ids.read("prf", profile) for (profile,) in rows]
    gathered = connection.execute(*store.gather(workspace.id, launched.id, campaign.segment, profiles))
    said = {"workspace": workspace.id, "launch": launched.id, "members": gathered.rowcount}
    connection.execute(store.GATHERED, said)


def _hand_out(connection: Connection[Any], workspace: Workspace, launched: Launch, now: int) -> None:
    members = store.next_members(connection, launched, CHUNK)
    if not members:
        store.end(connection, launched, HANDED)
        return
    items = items_of(launched, members, now)
    if not launched.handed:  # with the first, in one transaction: once a launch
        items += _copies(connection, launched, members[:SAMPLED], now)
    with pipelined(connection), connection.cursor(binary=True) as cursor:  # nobody waits for locks while we are slow
        store.note_handed(connection, launched, members)
        for statement in append_statements(workspace.id, items, workspace.partitions, launched.position):
            cursor.execute(*statement)
        commit(cursor, [word.CHANNEL])


def _copies(connection: Connection[Any], launched: Launch, members: list[bytes], now: int) -> list[Item]:
    campaign = parse(store.body_of(connection, launched.workspace, launched.campaign, launched.version))
    seeds = campaign.send.copied_to
    if seeds is None:
        return []
    lists = sql_seeding.bodies(connection, launched.workspace, SEEDS, [seeds.list])
    addresses = [address for body in lists.values() for address in body["addresses"]]
    said = sql_seeding.bodies(connection, launched.workspace, "template", [name for _, name in campaign.arms()])
    samples = [
        (profile, locale_of(traits, decoder_of(Profile)(known) if known else Profile()))
        for profile, traits, known in sql_seeding.records(connection, launched.workspace, members)
    ]
    templates = {name: read_template(body) for name, body in said.items()}
    return copies_of(launched, campaign, addresses, templates, samples or [(members[0], "")], now)


def items_of(launched: Launch, members: list[bytes], now: int) -> list[Item]:
    """What is said to each member; its id is derived, so that it is the same however often it is made."""
    shown = ids.show("lch", launched.id)
    said = exact_json.encode({"campaign": launched.campaign, "launch": shown, "version": launched.version})
    return [
        Item(
            profile, ids.show("evt", ids.derive("launch", shown, profile)), LAUNCH, "campaign_launched",
            timestamp=now, properties=said, received_at=now,
        )
        for profile in members
    ]  # fmt: skip
