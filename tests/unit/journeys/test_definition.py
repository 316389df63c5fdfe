from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kizuna.core.clock import DAY, HOUR, Duration
from kizuna.core.errors import Invalid
from kizuna.journeys.definition import parse

MAIL = {"id": "mail", "send": {"channel": "email", "template": "hello"}}
ENTRY = {"on": {"event": "Order Completed"}}


def refused(steps: Any = None, **more: Any) -> list[tuple[str, str]]:
    document = {"entry": ENTRY, "steps": [MAIL] if steps is None else steps, **more}
    with pytest.raises(Invalid) as caught:
        parse("win_back", document)
    assert caught.value.code == "invalid_journey"
    return [(each.pointer, each.code) for each in caught.value.errors]


def test_the_example_of_the_contract_is_read() -> None:
    vip = {"trait": "plan", "is": "vip"}
    document = {
        "name": "win_back",
        "entry": {
            "on": {"event": "Order Completed", "where": [{"property": "total", "gte": 10}]},
            "audience": vip,
            "key": "properties.order_id",
            "again": {"after": "30d"},
            "max_age": "24h",
            "holdout": 5,
        },
        "exit": [
            {"event": "Unsubscribed"},
            {"rule": vip},
            {"segment_left": "s"},
            {"goal": True},
            {"opted_out": "email"},
        ],
        "goal": {"event": "Order Completed", "within": "14d", "value": "properties.total"},
        "steps": [
            {"id": "wait", "delay": "2h"},
            {"id": "opened", "wait_for": [{"event": "App Opened", "next": "thanks"}], "timeout": "3d", "else": "mail"},
            {"id": "mail", "send": {"channel": ["email"], "template": "we_miss_you", "topic": "news"}},
            {"id": "who", "branch": [{"when": vip, "next": "thanks"}], "else": "ab"},
            {"id": "ab", "split": [{"weight": 50, "next": "thanks"}, {"weight": 50, "next": "rest"}]},
            {"id": "rest", "update": {"traits": {"won": "{{ event.id }}"}}, "next": "end"},
            {"id": "thanks", "delay": {"at": "09:00", "weekday": ["mon"], "zone": "profile"}, "next": "wait"},
        ],
    }
    journey = parse("win_back", document)
    assert journey.entry.again.length == Duration(30 * DAY)
    assert journey.entry.max_age == Duration(24 * HOUR)
    assert [each.reason for each in journey.exits] == [
        "exit_event", "exit_rule", "segment_left", "goal", "unsubscribed",
    ]  # fmt: skip
    assert journey.first == "wait"
    assert journey.steps["wait"].next == "opened"
    assert journey.steps["thanks"].next == "wait"


def test_timeout_of_a_wait_is_7d_by_default() -> None:
    steps = [{"id": "w", "wait_for": [{"event": "A"}]}]
    assert parse("j", {"entry": ENTRY, "steps": steps}).steps["w"].settings.timeout == Duration(7 * DAY)


def test_a_step_nobody_leads_to_is_refused() -> None:
    assert refused([{**MAIL, "next": "end"}, {"id": "lost", "delay": "1h"}]) == [("/steps/1", "unreachable_step")]


def test_a_loop_without_a_wait_is_refused() -> None:
    steps = [MAIL, {"id": "b", "split": [{"weight": 1, "next": "mail"}, {"weight": 1, "next": "end"}]}]
    assert refused(steps) == [("/steps/0", "loop_without_wait")]


def test_a_delay_of_nothing_or_a_fixed_time_does_not_make_a_loop_wait() -> None:
    for delay in ("0s", {"until": "2026-12-24T09:00"}, {"until": {"trait": "renewal_at"}}):
        steps = [MAIL, {"id": "d", "delay": delay, "next": "mail"}]
        assert ("/steps/0", "loop_without_wait") in refused(steps)


def test_a_loop_with_a_wait_is_accepted() -> None:
    for wait in ({"delay": "1d"}, {"delay": {"at": "09:00"}}, {"wait_for": [{"event": "A"}]}):
        parse("j", {"entry": ENTRY, "steps": [MAIL, {"id": "d", **wait, "next": "mail"}]})


def test_unknown_steps_say_which_exist() -> None:
    document = {"entry": ENTRY, "steps": [{"id": "x", "teleport": {}}]}
    with pytest.raises(Invalid) as caught:
        parse("j", document)
    (error,) = caught.value.errors
    assert (error.pointer, error.code) == ("/steps/0", "unknown_step")
    assert "branch, delay, emit, enter, send, split, update, wait_for" in error.message


def test_every_error_is_said_at_once_with_its_pointer() -> None:
    steps = [
        {"id": "d", "delay": "2 hours"},
        {"id": "d", "send": {"channel": "email"}},
        {"id": "s", "split": [{"weight": -1}], "next": "nowhere"},
        {"id": "e", "emit": {"event": "journey_exited"}, "surprise": 1},
        {"id": "u", "update": {"traits": {"x": "{% if %}"}}},
    ]
    found = refused(steps, goal={"event": "A", "within": "soon"}, exit=[{"rule": {"trait": 7}}, {"never": 1}])
    for expected in [
        ("/steps/0/delay", "invalid_duration"),
        ("/steps/1/send/template", "not_text"),
        ("/steps/1/id", "duplicate_id"),
        ("/steps/2/split/0/weight", "out_of_range"),
        ("/steps/2/next", "unknown_next"),
        ("/steps/3/emit/event", "reserved_event"),
        ("/steps/3/surprise", "unknown_field"),
        ("/steps/4/update/traits/x", "template_error"),
        ("/goal/within", "invalid_duration"),
        ("/exit/1", "no_exit"),
    ]:
        assert expected in found
    assert any(pointer.startswith("/exit/0/rule") for pointer, _ in found)


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ({}, ("/entry/on", "no_trigger")),
        ({"on": {"schedule": "0 9 * *"}}, ("/entry/on/schedule", "invalid_schedule")),
        ({"on": {"schedule": "0 9 * * mon", "zone": "Mars/Base"}}, ("/entry/on/zone", "invalid_zone")),
        ({"on": {"schedule": "0 9 * * mon", "at": "09:00"}}, ("/entry/on/at", "unknown_field")),
        ({"on": {"schedule": "0 9 * * mon"}, "key": "properties.x"}, ("/entry/key", "invalid_key")),
        ({"on": {"anniversary": 7}}, ("/entry/on/anniversary", "not_text")),
        ({"on": {"anniversary": "birthday", "at": "9 am"}}, ("/entry/on/at", "invalid_time")),
        ({"on": {"event": "A", "segment_left": "s"}}, ("/entry/on", "no_trigger")),
        ({"on": {"event": "A"}, "again": "sometimes"}, ("/entry/again", "invalid_again")),
        ({"on": {"event": "A"}, "again": {"after": "x"}}, ("/entry/again/after", "invalid_duration")),
        ({"on": {"event": "A"}, "key": "order_id"}, ("/entry/key", "invalid_key")),
        ({"on": {"event": "A"}, "holdout": 101}, ("/entry/holdout", "out_of_range")),
        ({"on": {"event": "A", "where": [{"property": "x", "near": 1}]}}, None),
    ],
)
def test_entries_are_checked(entry: dict[str, Any], error: tuple[str, str] | None) -> None:
    found = refused(entry=entry)
    assert error in found if error else found[0][0].startswith("/entry/on/where")


@pytest.mark.parametrize("raw", [None, [], "text", 7, {"steps": {}}, {"entry": [], "steps": [None, 1, {"id": []}]}])
def test_no_document_however_odd_does_anything_but_be_refused(raw: Any) -> None:
    with pytest.raises(Invalid):
        parse("j", raw)


@pytest.mark.parametrize("guide", ["journeys.md", "journeys.ja.md"])
def test_the_journey_of_the_guide_can_be_published(guide: str) -> None:
    text = (Path(__file__).parents[3] / "docs" / "guides" / guide).read_text()
    written = re.search(r"^    \{\n.*?^    \}\n", text, re.MULTILINE | re.DOTALL)
    assert written
    assert len(parse("left_cart", json.loads(written[0])).steps) == 10
