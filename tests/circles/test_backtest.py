"""Backtests over a running product: what would have happened is what happened, and nothing changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import psycopg
import pytest

from kizuna import cli
from kizuna.config import load
from kizuna.core.errors import Unavailable
from kizuna.demo import definitions, replay
from kizuna.demo.shop import CURRENCY, FIRST_DAY, ZONE
from kizuna.insight.backtest import ask as backtest_ask
from kizuna.runtime.folder import Running
from kizuna.testing.shop import START, Shop, identify, track
from kizuna.testing.small_shop import small_year

ENTERED = """
SELECT event, profile, timestamp, json_extract_string(properties, '$.{about}') AS run,
       json_extract_string(properties, '$.reason') AS reason
FROM events WHERE type = 'fact' AND json_extract_string(properties, '$.{kind}') = '{name}' ORDER BY timestamp
"""


@pytest.fixture(scope="module")
def year(running: Running) -> Iterator[Shop]:
    """Months of a small shop, lived through once."""

    async def make() -> dict[str, str]:
        from kizuna.accounts import workspaces
        from kizuna.runtime.database import Database

        database = Database(running.database_url, name="test")
        await database.open()
        try:
            return await workspaces.create(
                database, "a year", clock="test", start=f"{FIRST_DAY}T00:00:00Z", zone=ZONE, currency=CURRENCY
            )
        finally:
            await database.close()

    made = asyncio.run(make())
    client = replay.Shop(running.url, made["write_key"], made["api_key"])
    client.publish()
    replay.replay(client, small_year(), lambda *_: None)
    client.close()
    shop = Shop(running.url, made)
    yield shop
    shop.http.close()


def backtest(shop: Shop, kind: str, name: str, expect: int = 200, *, since: str = "2010-12-01", **asked: Any) -> Any:
    body = {"from": since, "sample": 10_000, **asked}
    return shop.ask("POST", f"/api/v1/{kind}s/{name}/backtest", body, expect=expect)


def facts(shop: Shop, kind: str, name: str, about: str) -> list[dict[str, Any]]:
    sql = ENTERED.format(kind=kind, name=name, about=about)
    answer = shop.ask("POST", "/api/v1/insight/sql", {"sql": sql})
    return [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]


def micros(shown: str | None) -> int | None:
    from kizuna.core import clock

    return None if shown is None else clock.read_time(shown)


@pytest.mark.parametrize("name", sorted(definitions.JOURNEYS))
def test_a_journey_tried_on_its_own_history_does_what_it_did_run_for_run(year: Shop, name: str) -> None:
    found = backtest(year, "journey", name)
    real = facts(year, "journey", name, "run")
    entered = {(each["run"], each["profile"], each["timestamp"]) for each in real if each["event"] == "journey_entered"}
    left = {(each["run"], each["timestamp"], each["reason"]) for each in real if each["event"] == "journey_exited"}
    goals = {(each["run"], each["timestamp"]) for each in real if each["event"] == "journey_goal"}
    assert len(entered) > 5
    assert {(each["run"], each["profile"], micros(each["entered_at"])) for each in found["sample"]} == entered
    assert {
        (each["run"], micros(each["left_at"]), each["exit_reason"]) for each in found["sample"] if each["left_at"]
    } == left
    assert {(each["run"], micros(each["goal_at"])) for each in found["sample"] if each["goal_at"]} == goals
    assert found["entered"] == len(entered) == sum(day["entered"] for day in found["per_day"])
    assert found["goals"] == len(goals)
    assert sum(found["exits"].values()) == len(left)
    counts = year.get(f"/api/v1/journeys/{name}")["counts"]
    sent = {step: counts["steps"][step]["entered"] for step in found["messages"]["by_step"]}
    held = found["messages"]["skipped_by_reason"].get("holdout", 0)
    assert sum(found["messages"]["by_step"].values()) + held == sum(sent.values())
    assert found["parked"] == 0


@pytest.mark.parametrize("name", sorted(definitions.SEGMENTS))
def test_a_segment_tried_on_its_own_history_has_the_members_it_had(year: Shop, name: str) -> None:
    found = backtest(year, "segment", name)
    real = facts(year, "segment", name, "segment")
    entered = [each for each in real if each["event"] == "segment_entered"]
    assert found["entered"] == len(entered)
    assert found["exits"].get("segment_left", 0) == len(real) - len(entered)
    passed = {(each["profile"], micros(each["entered_at"])) for each in found["sample"]}
    assert passed == {(each["profile"], each["timestamp"]) for each in entered}
    assert name in ("champions", "lost") or len(entered) > 5  # who is that takes longer than a few months


def test_a_campaign_tried_on_its_own_history_says_what_it_said(year: Shop) -> None:
    found = backtest(year, "campaign", "monthly")
    ledger = year.all("/api/v1/messages", campaign="monthly", limit=200)
    assert len(ledger) > 50
    assert found["entered"] == len(ledger)
    assert found["messages"]["sent"] == sum(each["state"] == "sent" for each in ledger)
    variants = {variant: sum(each["variant"] == variant for each in ledger) for variant in ("a", "b")}
    assert found["messages"]["by_variant"] == variants
    told = {(each["profile"], micros(mail["at"])) for each in found["sample"] for mail in each["messages"]}
    assert told == {(each["profile"], micros(each["planned_at"])) for each in ledger}
    assert len(told) == len(found["sample"]) == found["entered"]


def test_a_campaign_that_never_was_is_launched_at_its_time(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.template("hello")
    shop.send(track("ada", "Bought"), identify("ada", email="ada@example.com"), track("grace", "Visited"))
    shop.advance("1d")
    shop.send(track("grace", "Bought"))
    shop.advance("9d")
    send = {"channel": "email", "template": "hello"}
    tried = {"where": {"did": "Bought", "within": "5d"}, "send": send, "schedule": "2026-03-04T09:00:00Z"}
    found = backtest(shop, "campaign", "spring", definition=tried, since=START)
    reasons = {each["messages"][0]["reason"] for each in found["sample"]}
    assert (found["entered"], found["messages"]["sent"], reasons) == (2, 1, {None, "no_address"})
    assert {each["entered_at"] for each in found["sample"]} == {"2026-03-04T09:00:00Z"}
    late = {**tried, "schedule": "2026-03-07T10:00:00Z"}  # she bought five days before: not any more
    assert backtest(shop, "campaign", "spring", definition=late, since=START)["entered"] == 1


def test_a_segment_begins_with_those_of_whom_it_is_true_then(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.send(track("ada", "Bought"), track("grace", "Visited"))
    shop.advance("2d")
    shop.send(track("grace", "Bought"))
    shop.advance("9d")
    tried = {"where": {"did": "Bought", "within": "7d"}}
    found = backtest(shop, "segment", "lately", definition=tried, since="2026-03-03T00:00:00Z")
    assert [(each["entered_at"], each["left_at"]) for each in found["sample"]] == [
        ("2026-03-03T00:00:00Z", "2026-03-09T10:00:00Z"),
        ("2026-03-04T10:00:00Z", "2026-03-11T10:00:00Z"),
    ]


def test_a_journey_by_the_calendar_is_tried(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.send(track("ada", "Visited"))
    shop.advance("3d")
    tried = {
        "entry": {"on": {"schedule": "0 9 * * *"}, "again": "always"},
        "steps": [{"id": "wait", "delay": "1h"}],
    }
    found = backtest(shop, "journey", "daily", definition=tried, since="2026-03-03T00:00:00Z")
    times = [each["entered_at"] for each in found["sample"]]
    assert times == [f"2026-03-0{day}T09:00:00Z" for day in (3, 4, 5)]


def test_a_backtest_changes_nothing(year: Shop, running: Running) -> None:
    number = int(year.made["id"].removeprefix("wsp_"))

    def state() -> list[Any]:
        tables = ("profile", "message", "membership", "definition", "counter", "outbox")
        log = 'SELECT partition, "offset", applied FROM log_head'  # it is archived meanwhile
        asked = [*(f"SELECT * FROM {table}" for table in tables), log]
        with psycopg.connect(running.database_url, autocommit=True) as connection:
            return [
                connection.execute(
                    f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM ({sql} WHERE workspace = {number}) t"  # type: ignore[arg-type]
                ).fetchone()
                for sql in asked
            ]

    before = state()
    backtest(year, "journey", "win_back")
    assert state() == before


def test_the_commands_answer_as_the_api_does(
    year: Shop, running: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KIZUNA_DATABASE_URL", running.database_url)
    monkeypatch.setenv("KIZUNA_WORKSPACE", "a year")
    span = ("--from", "2010-12-01", "--to", "2011-03-01")
    asked = backtest(year, "journey", "win_back", to="2011-03-01", sample=2)
    assert cli.main(["backtest", "journey", "win_back", *span, "--sample", "2", "--json"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out) | {"seconds": 0} == asked | {"seconds": 0}
    assert cli.main(["backtest", "journey", "win_back", *span]) == 0
    assert f"entered  {asked['entered']}" in capsys.readouterr().out
    assert cli.main(["backtest", "journey", "none", *span]) == 1
    assert "neither published nor as a draft" in capsys.readouterr().err
    [message, *_] = year.all("/api/v1/messages", journey="win_back")
    assert cli.main(["why", message["profile"], "--message", message["id"], "--json"]) == 0
    told = msgspec.json.decode(capsys.readouterr().out)
    assert told == year.get(f"/api/v1/profiles/{message['profile']}/why", message=message["id"])
    assert cli.main(["why", message["profile"], "--segment", "lapsing"]) == 0
    assert "saw" in capsys.readouterr().out


def test_the_tested_definition_begins_empty(year: Shop) -> None:
    """Who was inside before, or entered before, is not: `again: never` counts from the beginning of the test."""
    whole = backtest(year, "journey", "welcome")
    middle = whole["sample"][len(whole["sample"]) // 2]["entered_at"]
    part = backtest(year, "journey", "welcome", since=middle)
    assert min(each["entered_at"] for each in part["sample"]) >= middle
    again = {each["profile"] for each in whole["sample"] if each["entered_at"] < middle}
    assert again & {each["profile"] for each in part["sample"]}  # ordered before, and again: welcomed anew
    earlier = backtest(year, "journey", "welcome", to=middle)
    assert earlier["entered"] == sum(each["entered_at"] < middle for each in whole["sample"])


def test_a_draft_is_tried_with_rules_that_nobody_had_asked_yet(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.template("hello")
    for day in range(1, 7):
        shop.send(track("ada", "Visited", page=str(day)), track("grace", "Visited"))
        if day in (2, 5):
            shop.send(track("ada", "Bought", total=day))
        shop.advance("1d")
    shop.send(track("grace", "Bought", total=1))
    draft = {
        "entry": {"on": {"event": "Bought"}, "audience": {"did": "Visited", "count": {"gte": 3}, "within": "10d"}},
        "steps": [
            {"id": "wait", "delay": "1h"},
            {"id": "say", "send": {"channel": "email", "template": "hello"}},
        ],
    }
    shop.ask("PUT", "/api/v1/journeys/thanks", draft)
    shop.send(identify("ada", email="ada@example.com"))
    shop.advance("1d")
    found = backtest(shop, "journey", "thanks", since="2026-03-04T00:00:00Z")
    times = {(each["entered_at"], each["messages"][0]["reason"]) for each in found["sample"]}
    assert times == {("2026-03-06T10:00:00Z", "no_address"), ("2026-03-08T10:00:00Z", "no_address")}
    assert found["messages"]["skipped_by_reason"] == {"no_address": 2}
    assert found["exits"] == {"completed": 2}
    strict = {**draft, "entry": {**draft["entry"], "audience": {"did": "Visited", "count": {"gte": 6}}}}
    given = backtest(shop, "journey", "thanks", definition=strict, since="2026-03-04T00:00:00Z")
    assert [each["entered_at"] for each in given["sample"]] == ["2026-03-08T10:00:00Z"]


def test_a_run_of_an_anonymous_customer_goes_on_when_she_is_known(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.send(track("~a1", "Visited"))
    shop.advance("1d")
    shop.send(identify("ada~a1", email="ada@example.com"))
    shop.advance("1d")
    tried = {
        "entry": {"on": {"event": "Visited"}},
        "steps": [
            {"id": "wait", "delay": "36h"},
            {"id": "vip", "branch": [{"when": {"did": "Visited"}, "next": "end"}], "else": "long"},
            {"id": "long", "delay": "10d"},
        ],
    }
    found = backtest(shop, "journey", "tried", definition=tried, since=START)
    assert (found["entered"], found["exits"]) == (1, {"completed": 1})
    [passage] = found["sample"]
    assert (passage["entered_at"], passage["left_at"]) == ("2026-03-02T10:00:00Z", "2026-03-03T22:00:00Z")


def test_what_cannot_be_tried_is_said(shop: Shop) -> None:
    shop.track("ada", "Visited")
    shop.advance("1d")
    assert backtest(shop, "journey", "none", 404, since=START)["code"] == "not_found"
    wrong = backtest(shop, "journey", "none", 422, definition={"entry": {}, "steps": []}, since=START)
    assert wrong["code"] == "invalid_journey"
    assert {each["pointer"] for each in wrong["errors"]} >= {"/entry/on", "/steps"}
    assert backtest(shop, "segment", "none", 400, definition={"where": {"odd": 1}}, since=START)["errors"]
    asks = {"where": {"in_segment": "nobody"}}
    assert backtest(shop, "segment", "none", 422, definition=asks, since=START)["code"] == "unknown_segment"
    for since, to in ((START, START), ("2030-01-01", None), ("soon", None)):
        assert backtest(shop, "segment", "none", 400, since=since, to=to)["code"] == "invalid_period"


def test_two_are_at_work_at_most(shop: Shop, running: Running) -> None:
    shop.track("ada", "Visited")
    shop.advance("1d")
    visitors = {"where": {"did": "Visited"}}
    with psycopg.connect(running.database_url, autocommit=True) as other:
        for slot in range(backtest_ask.AT_ONCE):
            other.execute("SELECT pg_advisory_lock(%s, %s)", [backtest_ask.LOCK, slot])
        assert backtest(shop, "segment", "visitors", 429, definition=visitors, since=START)["code"] == "too_many"
    assert backtest(shop, "segment", "visitors", definition=visitors, since=START)["entered"] == 1


def test_a_question_that_nobody_waits_for_ends(running: Running) -> None:
    config = load(database_url=running.database_url)
    asked = backtest_ask.Question(kind="segment", name="none", since=START)

    async def gone() -> None:
        return

    with pytest.raises(Unavailable):
        asyncio.run(backtest_ask.ask_apart(config, 1, asked, gone))
