"""The same log under the same definitions gives the same records, facts and messages, byte for byte."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from kizuna.core import clock
from kizuna.demo import definitions
from kizuna.engine.append import TICK, Row, append_rows
from kizuna.engine.moment import Item
from kizuna.folds import new_engine
from kizuna.testing.tenant import PARTITIONS, an_item, append, make_workspace

FIRST = 20_000 * clock.DAY
DAYS = 40


def history(workspace: int) -> list[list[Item]]:
    """Some customers' days, with anonymous beginnings, late events and duplicates."""
    chance = random.Random(7)
    days: list[list[Item]] = []
    for day in range(DAYS):
        now, items = FIRST + day * clock.DAY, list[Item]()
        for number in range(12):
            who = chance.randrange(25)
            at = now + chance.randrange(-3 * clock.DAY, clock.DAY, 1000)
            order = {"order_id": f"{day}-{number}", "revenue": chance.randrange(1, 900) / 4, "currency": "JPY"}
            person = {"user": f"u{who}"} if chance.random() < 0.8 else {"anon": f"a{who}"}
            items.append(
                an_item(workspace, f"o{day}-{number}", name="Order Completed", at=at, properties=order, **person)
            )
            if chance.random() < 0.2:
                item = an_item(
                    workspace, f"i{day}-{number}", user=f"u{who}", kind="identify", name="", at=at,
                    properties={"email": f"u{who}@shop.example", "plan": day},
                )  # fmt: skip
                items.append(msgspec.structs.replace(item, anonymous_id=f"a{who}"))
        items += chance.sample(items, 3)
        days.append(items)
    return days


def test_folding_the_same_log_again_in_other_batches_changes_nothing(connection: psycopg.Connection[Any]) -> None:
    workspace = make_workspace(connection, now=FIRST)
    publish(connection, workspace)
    whole = live(connection, workspace, batch=4000, cached=20_000)
    for table in ("log", "profile", "membership", "message", "seen", "duplicate", "counter"):
        connection.execute(f"TRUNCATE {table}")  # type: ignore[arg-type]  # names of our own
    connection.execute('UPDATE log_head SET "offset" = 0, applied = 0, at = 0, batch = 0, program = 1')
    connection.execute("UPDATE workspace SET now = %s", [FIRST])
    connection.commit()
    pieces = live(connection, workspace, batch=9, cached=3)
    assert len(whole["facts"]) > 300
    assert len(whole["messages"]) > 20
    assert whole == pieces


def publish(connection: psycopg.Connection[Any], workspace: int) -> None:
    """The demo's definitions, ruling from the first row on."""
    kinds = {
        "segment": definitions.SEGMENTS,
        "journey": definitions.JOURNEYS,
        "template": definitions.TEMPLATES,
    }
    for kind, named in kinds.items():
        for name, body in named.items():
            connection.execute(
                """INSERT INTO definition (workspace, kind, name, version, status, body, introduced, published_at)
                   VALUES (%s, %s, %s, 1, 'active', %s, 1, 0)""",
                [workspace, kind, name, Jsonb(body)],
            )
    connection.execute("UPDATE log_head SET program = 1 WHERE workspace = %s", [workspace])
    connection.commit()


def live(connection: psycopg.Connection[Any], workspace: int, *, batch: int, cached: int) -> dict[str, Any]:
    """Live through the history with a new engine; all that it left behind."""
    engine = new_engine(connection, cached=cached)
    engine.items = batch
    engine.own(connection, range(PARTITIONS))
    for day, items in enumerate(history(workspace)):
        append(connection, workspace, items)
        while engine.run(connection):
            pass
        connection.execute("UPDATE workspace SET now = %s", [FIRST + (day + 1) * clock.DAY])
        for statement in append_rows(workspace, [Row(p, TICK, 0, b"", b"") for p in range(PARTITIONS)]):
            connection.execute(*statement)
        connection.commit()
        while engine.run(connection):
            pass
    records = connection.execute(
        """SELECT id, traits, created_at, last_seen_at, merged_into, profiles, consent, segments, journeys, messages
           FROM profile ORDER BY id"""
    ).fetchall()
    bodies = connection.execute("SELECT body FROM log WHERE kind = 1").fetchall()
    facts = [fact for (body,) in bodies for fact in msgspec.msgpack.decode(body)]
    messages = connection.execute("SELECT id, state, reason, planned_at, step FROM message ORDER BY id").fetchall()
    members = connection.execute("SELECT * FROM membership ORDER BY segment, profile").fetchall()
    connection.commit()
    return {
        "records": records,
        "facts": sorted(msgspec.msgpack.encode(fact) for fact in facts),
        "messages": messages,
        "members": members,
    }
