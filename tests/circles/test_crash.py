"""Processes are killed without warning while the shop's year is replayed: nothing is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from litestar import post

from kizuna.accounts.caller import Caller
from kizuna.config import Config
from kizuna.demo.replay import Shop
from kizuna.demo.run import demo_keys
from kizuna.demo.summary import summary
from kizuna.runtime.database import Database, connect
from kizuna.runtime.lake.query import Lake
from kizuna.testing.killing import Killable
from kizuna.testing.small_shop import small_year

FIRST, LAST = date(2010, 12, 4), date(2011, 3, 28)
SEED = 20101201
PATIENCE = 30.0
WORKSPACE = 1

# Whom to kill, and upon what after the shop's process said what it is about to ask.
BLOWS = [
    *(("work", when) for when in ("at once", "kizuna_log", "kizuna_log", "kizuna_send")),
    *(("send", when) for when in ("at once", "kizuna_send", "kizuna_log")),
    *(("serve", when) for when in ("at once", "kizuna_log")),
    *(("postgres", when) for when in ("kizuna_log", "kizuna_send")),
    *(("archive", when) for when in ("at once", "profiles/_delta_log", "events/month=*", "events/_delta_log")),
    *(("up", when) for when in ("kizuna_send",)),
    *(("shop", when) for when in ("at once", "kizuna_log")),
]
AT_LAUNCHES = {
    "launch monthly-2011-01": ("serve", "kizuna_log"),
    "launch monthly-2011-02": ("postgres", "at once"),
    "launch monthly-2011-03": ("shop", "unasked"),
    "launch monthly-2011-04": ("up", "kizuna_log"),
}


@dataclass
class Outcome:
    """All that a run left behind, without the times at which processes happened to write."""

    summary: dict[str, Any]
    outbox: Counter[tuple[Any, ...]]
    ledger: Counter[tuple[Any, ...]]
    members: Counter[tuple[Any, ...]]
    history: Counter[tuple[Any, ...]]
    changes: Counter[tuple[Any, ...]]
    parked: Counter[tuple[Any, ...]]


@pytest.fixture(scope="module")
def quiet_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killable]:
    with Killable(tmp_path_factory.mktemp("quiet") / "data") as up:
        yield up


@pytest.fixture(scope="module")
def quiet(quiet_up: Killable) -> Outcome:
    """The year as it goes when nothing happens."""
    return replayed(quiet_up, {})


def test_a_year_full_of_kills_ends_like_a_quiet_one(quiet: Outcome, tmp_path: Path) -> None:
    blows = plan()
    assert len(blows) == len(BLOWS) + len(AT_LAUNCHES)
    with Killable(tmp_path / "data") as up:
        outcome = replayed(up, blows)
        assert not blows, "every blow fell"
    assert_same(outcome, quiet)


def test_two_workers_come_to_the_same_figures(quiet: Outcome, tmp_path: Path) -> None:
    with Killable(tmp_path / "data", "--workers", "2") as up:
        assert_same(replayed(up, {}), quiet)


def test_the_quiet_year_has_what_is_to_be_proved(quiet: Outcome) -> None:
    """Else the comparison would say little."""
    said = {(journey or campaign, step) for _, _, _, journey, campaign, step, *_ in quiet.outbox}
    assert said >= {
        ("monthly", None),
        ("welcome", "hello"),
        ("welcome", "nudge"),
        ("win_back", "miss"),
        ("win_back", "call"),
    }
    assert quiet.summary["segments"]["active"] and quiet.summary["segments"]["lapsing"]
    assert quiet.summary["journeys"]["win_back"]["exited"]["exit_event"]


def test_a_launch_whose_answer_was_lost_is_made_once(quiet_up: Killable, quiet: Outcome) -> None:
    """As when the server dies after the commit, and the shop asks again under the same key."""
    with connect(quiet_up.database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM idempotency")
    shop = Shop(quiet_up.url, *asyncio.run(demo_keys(quiet_up.database_url)))
    launch, key = "/api/v1/campaigns/monthly/launch", {"Idempotency-Key": "monthly-2011-04"}
    assert shop.call("POST", launch, {}, **key)["members"] > 0
    shop.move_clock(shop.now())  # settles
    assert_same(outcome_of(quiet_up, shop), quiet)
    shop.close()


@pytest.mark.parametrize(("path", "status"), [("refused", 503), ("done", 201)])
def test_a_keyed_request_is_answered_though_the_database_went_away(
    open_house: Callable[..., Any], path: str, status: int
) -> None:
    @post("/api/v1/things/{end:str}")
    async def lose(end: str, caller: Caller, database: Database) -> dict[str, str]:
        await database.close()
        if end == "refused":
            raise psycopg.OperationalError("the connection is lost")
        return {"end": end}

    house = open_house([lose])
    headers = house.bearer(house.workspace()) | {"Idempotency-Key": "k1"}
    answer = house.client.post(f"/api/v1/things/{path}", json={}, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json() == {"end": "done"} if status == 201 else answer.json()["code"] == "unavailable"


def plan() -> dict[str, tuple[str, str]]:
    """Each blow at a day of its own: by what the shop is about to ask."""
    chance = random.Random(SEED)
    blows = chance.sample(BLOWS, len(BLOWS))
    step = (LAST - FIRST) / len(blows)
    sold = {invoice.at.date() for invoice in small_year().invoices}
    found = dict(AT_LAUNCHES)
    for number, (victim, when) in enumerate(blows):
        day = FIRST + step * number + timedelta(days=chance.randint(0, 2))
        is_selling = day in sold and victim in ("serve", "postgres", "shop")
        found[f"{'track' if is_selling else 'clock'} {day}"] = (victim, when)
    return found


def replayed(up: Killable, blows: dict[str, tuple[str, str]]) -> Outcome:
    """Replay the year under blows, which are taken out as they fall."""
    keys = asyncio.run(demo_keys(up.database_url))
    stalkers: list[threading.Thread] = []
    while not shop_ends(up, keys, blows, stalkers):
        pass
    for stalker in stalkers:
        stalker.join()
    shop = Shop(up.url, *keys)
    try:
        return outcome_of(up, shop)
    finally:
        shop.close()


def shop_ends(
    up: Killable, keys: tuple[str, str], blows: dict[str, tuple[str, str]], stalkers: list[threading.Thread]
) -> bool:
    """Run the shop's process; False when it was killed and has to be started again."""
    last = [said.removeprefix("launch ") for said, (_, when) in blows.items() if when == "unasked"]
    command = [sys.executable, "-P", "-m", "kizuna.testing.small_shop", up.url, *keys, *last]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as shop:
        assert shop.stdout is not None
        for line in shop.stdout:
            if line == "done\n":
                return True
            victim, when = blows.pop(line.strip(), ("", ""))
            match victim:
                case "":
                    continue
                case "archive":
                    stalkers.append(threading.Thread(target=stalk, args=(up, when)))
                    stalkers[-1].start()
                case "shop":
                    if when != "unasked":  # else it does it itself, before it asks
                        wait_for(up, when)
                        shop.kill()
                    assert shop.wait() == -signal.SIGKILL
                    return False
                case _:
                    wait_for(up, when)
                    strike(up, victim)
    raise AssertionError(f"the shop gave up: {shop.returncode}")


def strike(up: Killable, victim: str) -> None:
    """Kill it, if need be as soon as it is there again."""
    until(lambda: up.kill(victim) > 0)


def wait_for(up: Killable, when: str) -> None:
    """Until a notification: the log grew, or there is something to send. Half a second without one is enough."""
    if when != "at once":
        with psycopg.connect(up.database_url, autocommit=True) as ear:
            ear.execute(f"LISTEN {when}")
            next(ear.notifies(timeout=0.5, stop_after=1), None)


def stalk(up: Killable, when: str) -> None:
    """Kill the archive process in the middle of its work: as soon as a file of that kind appears."""
    if when != "at once":
        lake = up.data / "lake" / str(WORKSPACE)
        before = set(lake.glob(f"{when}/*"))
        last = time.monotonic() + PATIENCE
        while set(lake.glob(f"{when}/*")) <= before and time.monotonic() < last:
            time.sleep(0.001)
    strike(up, "archive")


def until(condition: Callable[[], bool]) -> None:
    last = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < last, "it never came true"
        time.sleep(0.01)


# what is compared ---------------------------------------------------------------------------------------------------


def outcome_of(up: Killable, shop: Shop) -> Outcome:
    figures = summary(shop, small_year(), 0)
    for campaign in figures["campaigns"].values():
        del campaign["published_at"]  # a shop that starts again publishes again
    lake = Lake(Config(data=up.data))
    with connect(up.database_url, autocommit=True) as connection:
        until(lambda: lake.snapshot_sync(connection, WORKSPACE).tail_events.num_rows == 0)  # all is in files

        def ask(sql: str) -> Counter[tuple[Any, ...]]:
            return Counter(lake.query_sync(connection, WORKSPACE, sql))

        def look(sql: str) -> Counter[tuple[Any, ...]]:
            return Counter(connection.execute(sql).fetchall())  # type: ignore[arg-type]

        return Outcome(
            summary=figures,
            outbox=look(
                """SELECT item ->> 'message_id', item ->> 'profile', item ->> 'template', item ->> 'journey',
                          item ->> 'campaign', item ->> 'step', item ->> 'to', item ->> 'subject', at FROM outbox"""
            ),
            ledger=look("SELECT id, profile, state, purpose, occurrence, planned_at, due_at, reason FROM message"),
            members=look("SELECT segment, profile, entered_at FROM membership"),
            history=ask("SELECT profile, type, event, timestamp, id, properties FROM events"),
            changes=ask("SELECT profile, merged_into, traits, zone, locale, user_id, timestamp FROM changes"),
            parked=look("SELECT profile, error FROM parked"),
        )


def assert_same(found: Outcome, wanted: Outcome) -> None:
    for name in ("outbox", "ledger", "members", "history", "changes"):
        ours, theirs = getattr(found, name), getattr(wanted, name)
        assert (ours - theirs, theirs - ours) == (Counter(), Counter()), f"{name}: too much, too little"
    assert found.summary == wanted.summary
    assert not found.parked
    assert max(Counter(message for message, *_ in found.outbox).values()) == 1
