"""A launch of fifty thousand, ten thousand of whom wait in a journey, while processes are killed without warning.

Nobody is lost, nobody is written to twice.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import Connection

from kizuna.accounts import workspaces
from kizuna.config import Config
from kizuna.core import ids
from kizuna.engine.moment import Item
from kizuna.folds import deep_questions
from kizuna.runtime.database import Database, connect
from kizuna.runtime.doctor import examine
from kizuna.testing.killing import Killable
from kizuna.testing.shop import Shop, identify, track

MEMBERS, TRAVELLERS = 50_000, 10_000  # whom the campaign reaches; those of them who wait in a journey
AT_ONCE = 1_000  # events a request
PATIENCE = 240.0

LAUNCH = "SELECT handed, state, members FROM launch WHERE workspace = %s"
FIRING = """SELECT (SELECT count(*) FROM alarm WHERE workspace = %s AND at < real_now() - 100_000)
            + (SELECT count(*) FROM message WHERE journey = 'trip')"""  # late by so much: they are being folded
PASSED = "SELECT count(*) FROM message WHERE workspace = %s AND journey = 'trip'"
OPEN = "SELECT count(*) FROM message WHERE workspace = %s AND state IN ('planned', 'claimed', 'handed')"
SENT = "SELECT item ->> 'profile', item ->> 'campaign', item ->> 'journey' FROM outbox"
MEANWHILE = """SELECT count(*) FROM message WHERE journey IS NOT NULL AND planned_at BETWEEN
               (SELECT asked_at FROM launch) AND (SELECT max(planned_at) FROM message WHERE campaign IS NOT NULL)"""

# Whom to kill, and when there are so many: members handed out by the archive process, timers that are being fired,
# messages of the journey.
BLOWS = [
    ("archive", LAUNCH, 1), ("work", FIRING, 1), ("send", PASSED, 1), ("serve", LAUNCH, 12_000),
    ("archive", LAUNCH, 16_000), ("work", LAUNCH, 20_000), ("send", LAUNCH, 24_000), ("postgres", LAUNCH, 28_000),
    ("up", LAUNCH, 36_000),
]  # fmt: skip


def test_fifty_thousand_are_reached_once_each_whatever_is_killed(tmp_path: Path) -> None:
    with Killable(tmp_path / "data", "--workers", "2") as up:
        shop = Shop(up.url, asyncio.run(make_workspace(up.database_url)))
        workspace = int(shop.made["id"].removeprefix("wsp_"))
        shop.template("hello", "Hello")
        shop.segment("all", {"trait": "email", "exists": True})
        people = [ids.profile_id(workspace, "user", f"u{number}") for number in range(MEMBERS)]
        starts_at = set_out(shop)
        shop.ask("PUT", "/api/v1/campaigns/sale", {"segment": "all", "send": {"channel": "email", "template": "hello"}})
        until(up, lambda _: time.time() > starts_at - 3, LAUNCH, workspace)
        assert (shop.counts("trip")["active"], shop.outbox(), time.time() < starts_at) == (TRAVELLERS, [], True)
        answer = shop.ask("POST", "/api/v1/campaigns/sale/launch", expect=202)
        assert answer["members"] == MEMBERS
        for victim, question, number in BLOWS:
            until(up, lambda row, least=number: row[0] >= least, question, workspace)
            until(up, lambda _, name=victim: up.kill(name) > 0, LAUNCH, workspace)  # it may be starting again
        until(up, lambda row: row == (MEMBERS, "handed", MEMBERS), LAUNCH, workspace)
        until(up, lambda row: row == (0,), OPEN, workspace)
        shown = shop.get("/api/v1/campaigns/sale")
        assert (shown["state"], shown["planned"], shown["sent"], shown["skipped"], shown["waiting"]) == (
            "finished", MEMBERS, MEMBERS, {}, 0,
        )  # fmt: skip
        trip = shop.counts("trip")
        assert (trip["entered"], trip["active"], trip["completed"]) == (TRAVELLERS, 0, TRAVELLERS)
        with connect(up.database_url) as connection:
            assert Counter(connection.execute(SENT).fetchall()) == Counter(
                [*((ids.show("prf", each), "sale", None) for each in people),
                 *((ids.show("prf", each), None, "trip") for each in people[:TRAVELLERS])]
            )  # fmt: skip
            assert connection.execute("SELECT DISTINCT state FROM message").fetchall() == [("sent",)]
            assert launch_items(connection, workspace) == sorted(people)
            assert connection.execute("SELECT count(*) FROM launch_member").fetchone() == (0,)
            assert connection.execute(MEANWHILE).fetchone() == (TRAVELLERS,)
        assert [each for each in examine(up.database_url, Config(data=up.data), deep_questions()) if not each.ok] == []
        shop.http.close()


async def make_workspace(url: str) -> dict[str, str]:
    database = Database(url, name="test")
    await database.open()
    try:
        return await workspaces.create(database, "large")
    finally:
        await database.close()


def set_out(shop: Shop) -> int:
    """All become customers, and ten thousand of them wait in a journey until the time that is answered."""
    began = time.time()
    send(shop, [identify(f"u{number}", email=f"u{number}@example.com") for number in range(MEMBERS)])
    starts_at = int(time.time() + 3 + (time.time() - began) / 2)  # long enough, however slow the machine is
    steps = [
        {"id": "wait", "delay": {"until": datetime.fromtimestamp(starts_at, UTC).isoformat()}},
        {"id": "say", "send": {"channel": "email", "template": "hello"}},
    ]
    shop.journey("trip", {"entry": {"on": {"event": "Packed"}}, "steps": steps})
    send(shop, [track(f"u{number}", "Packed") for number in range(TRAVELLERS)])
    return starts_at


def send(shop: Shop, events: list[dict[str, Any]]) -> None:
    for start in range(0, len(events), AT_ONCE):
        shop.send(*events[start : start + AT_ONCE])
    shop.get("/api/v1/clock")  # all is folded


def launch_items(connection: Connection[Any], workspace: int) -> list[bytes]:
    """To whom the log says that the campaign reached them."""
    rows = connection.execute("SELECT body FROM log WHERE workspace = %s AND kind = 0 AND items > 0", [workspace])
    items = [item for (body,) in rows.fetchall() for item in msgspec.msgpack.decode(body, type=list[Item])]
    return sorted(item.profile for item in items if item.type == "launch")


def until(up: Killable, is_so: Any, question: Any, workspace: int) -> None:
    """Asks until it is so, also while the database comes back."""
    last = time.monotonic() + PATIENCE
    row: Any = None
    while time.monotonic() < last:
        try:
            with psycopg.connect(up.database_url, autocommit=True) as connection:
                while time.monotonic() < last:
                    row = connection.execute(question, [workspace]).fetchone()
                    if is_so(row):
                        return
                    time.sleep(0.005)
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise AssertionError(f"it never came true: {row}")
