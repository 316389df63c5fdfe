"""The boundary rules of journeys, each with the instant it must give: gaps, overlaps, a skipped day, equal instants."""

from __future__ import annotations

from typing import Any

import pytest

from kizuna.core import clock
from kizuna.core.clock import DAY, HOUR, SECOND

MAIL = {"id": "mail", "send": {"channel": "email", "template": "hello"}}
OTHER = {"id": "other", "send": {"channel": "email", "template": "other"}}
VIP = {"trait": "plan", "is": "vip"}
NEW_YORK, LONDON, SAO_PAULO, APIA = "America/New_York", "Europe/London", "America/Sao_Paulo", "Pacific/Apia"


def at(text: str) -> int:
    found = clock.read_time(text)
    assert found is not None
    return found


def publish(world: Any, *steps: dict[str, Any], entry: dict[str, Any] | None = None, **more: Any) -> None:
    document = {"entry": {"on": {"event": "Go"}, "again": "always", **(entry or {})}, "steps": list(steps), **more}
    world.publish("j", document)


def sent(world: Any) -> list[str]:
    return [clock.show(instant) for instant, _ in world.sends]


# local time ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "entered", "delay", "due"),
    [
        # a day of 23 hours, of 25, and one that is skipped: `1d` is 24 hours, `{days: 1}` the same local time
        (NEW_YORK, "2026-03-07T12:00:00-05:00", "1d", "2026-03-08T17:00:00Z"),
        (NEW_YORK, "2026-03-07T12:00:00-05:00", {"days": 1}, "2026-03-08T16:00:00Z"),
        (NEW_YORK, "2026-10-31T12:00:00-04:00", "1d", "2026-11-01T16:00:00Z"),
        (NEW_YORK, "2026-10-31T12:00:00-04:00", {"days": 1}, "2026-11-01T17:00:00Z"),
        (LONDON, "2026-03-28T12:00:00Z", {"days": 1}, "2026-03-29T11:00:00Z"),
        (LONDON, "2026-10-24T12:00:00+01:00", {"days": 1}, "2026-10-25T12:00:00Z"),
        (SAO_PAULO, "2018-11-03T12:00:00-03:00", {"days": 1}, "2018-11-04T14:00:00Z"),
        (APIA, "2011-12-29T09:00:00-10:00", "1d", "2011-12-30T19:00:00Z"),
        (APIA, "2011-12-29T09:00:00-10:00", {"days": 1}, "2011-12-30T19:00:00Z"),  # what follows the day that is not
        (APIA, "2011-12-29T09:00:00-10:00", {"days": 2}, "2011-12-30T19:00:00Z"),  # the 31st at nine
        # the target falls into a gap: the offset before it
        (NEW_YORK, "2026-03-07T02:30:00-05:00", {"days": 1}, "2026-03-08T07:30:00Z"),
        (LONDON, "2026-03-28T01:30:00Z", {"days": 1}, "2026-03-29T01:30:00Z"),
        (SAO_PAULO, "2018-11-03T00:30:00-03:00", {"days": 1}, "2018-11-04T03:30:00Z"),
        (NEW_YORK, "2026-03-08T00:00:00-05:00", {"at": "02:30"}, "2026-03-08T07:30:00Z"),
        (LONDON, "2026-03-29T00:00:00Z", {"at": "01:15"}, "2026-03-29T01:15:00Z"),
        (SAO_PAULO, "2018-11-03T12:00:00-03:00", {"at": "00:00"}, "2018-11-04T03:00:00Z"),
        (NEW_YORK, "2026-03-01T12:00:00-05:00", {"until": "2026-03-08T02:00"}, "2026-03-08T07:00:00Z"),
        # it happens twice: the first
        (NEW_YORK, "2026-10-31T01:30:00-04:00", {"days": 1}, "2026-11-01T05:30:00Z"),
        (NEW_YORK, "2026-11-01T00:00:00-04:00", {"at": "01:59"}, "2026-11-01T05:59:00Z"),
        (LONDON, "2026-10-25T00:00:00+01:00", {"at": "01:30"}, "2026-10-25T00:30:00Z"),
        (SAO_PAULO, "2018-02-17T12:00:00-02:00", {"at": "23:30"}, "2018-02-18T01:30:00Z"),
        (NEW_YORK, "2026-10-01T00:00:00-04:00", {"until": "2026-11-01T01:30"}, "2026-11-01T05:30:00Z"),
        # the second time round is over: tomorrow
        (NEW_YORK, "2026-11-01T01:30:00-05:00", {"at": "01:30"}, "2026-11-02T06:30:00Z"),
        # a skipped day has no nine o'clock, and no Friday
        (APIA, "2011-12-29T09:00:01-10:00", {"at": "09:00"}, "2011-12-30T19:00:00Z"),
        (APIA, "2011-12-29T00:00:00-10:00", {"at": "09:00", "weekday": ["fri"]}, "2012-01-05T19:00:00Z"),
        # months keep the local time and clip to the month's last day
        (NEW_YORK, "2026-02-08T12:00:00-05:00", "1mo", "2026-03-08T16:00:00Z"),
        (NEW_YORK, "2026-01-31T12:00:00-05:00", "1mo", "2026-02-28T17:00:00Z"),
        (LONDON, "2024-02-29T12:00:00Z", "1y", "2025-02-28T12:00:00Z"),
        # exactly now is now
        (NEW_YORK, "2026-03-09T09:00:00-04:00", {"at": "09:00"}, "2026-03-09T13:00:00Z"),
        (NEW_YORK, "2026-03-09T09:00:00.000001-04:00", {"at": "09:00"}, "2026-03-10T13:00:00Z"),
    ],
)  # fmt: skip
def test_delays_end_at_their_instant_in_every_zone(world: Any, zone: str, entered: str, delay: Any, due: str) -> None:
    publish(world, {"id": "wait", "delay": delay}, MAIL)
    world.record["profiles"].zone = zone
    world.now = at(entered)
    world.event("Go")
    if at(due) > world.now:
        world.go_to(at(due) - 1)
        assert sent(world) == []
        world.go_to(at(due))
    assert sent(world) == [due]


def test_an_at_that_was_passed_at_this_instant_is_the_next_one(world: Any) -> None:
    nine = {"delay": {"at": "09:00"}}
    publish(world, {"id": "a", **nine}, {"id": "b", **nine}, MAIL)
    world.record["profiles"].zone = NEW_YORK
    world.now = at("2026-03-07T09:00:00-05:00")
    world.event("Go")
    world.pass_time("3d")
    assert sent(world) == ["2026-03-08T13:00:00Z"]


@pytest.mark.parametrize(
    ("offset", "due"),
    [("-3d", "2026-03-05T05:00:00Z"), ("0s", "2026-03-08T05:00:00Z"), ("1d", "2026-03-09T05:00:00Z"),
     ("+1mo", "2026-04-08T04:00:00Z"), ("-30d", "2026-03-02T10:00:00Z")],  # the last lies behind: at once
)  # fmt: skip
def test_a_trait_with_a_plain_date_is_local_midnight(world: Any, offset: str, due: str) -> None:
    publish(world, {"id": "wait", "delay": {"until": {"trait": "renewal_at", "offset": offset}}}, MAIL)
    world.record["profiles"].zone = NEW_YORK
    world.event("", type="identify", renewal_at="2026-03-08")
    world.event("Go")
    world.go_to(at("2026-05-01T00:00:00Z"))
    assert sent(world) == [due]


# equal instants -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("late", "template"), [(-1, "hello"), (0, "hello"), (1, "other")])
def test_an_event_at_exactly_the_timeout_is_in_time(world: Any, late: int, template: str) -> None:
    wait = {"id": "w", "wait_for": [{"event": "A", "next": "mail"}], "timeout": "3d", "else": "other"}
    publish(world, wait, {**MAIL, "next": "end"}, OTHER)
    world.event("Go")
    world.skip_to(world.now + 3 * DAY + late)
    world.event("A")
    assert [said for _, said in world.sends] == [template]


@pytest.mark.parametrize("form", [{"event": "A"}, {"rule": VIP}, {"segment_left": "s"}, {"opted_out": "email"}])
def test_every_form_of_exit_comes_before_the_step_of_the_same_instant(world: Any, form: dict[str, Any]) -> None:
    publish(world, {"id": "wait", "delay": "1d"}, MAIL, exit=[form])
    world.rules.true({"in_segment": "s"})
    world.event("Go")
    world.skip_to(world.now + DAY)
    world.rules.true(VIP)
    world.rules.false({"in_segment": "s"})
    world.rules.true({"consent": {"channel": "email"}, "is": "opted_out"})
    world.event("A")
    expected = {"event": "exit_event", "rule": "exit_rule", "segment_left": "segment_left", "opted_out": "unsubscribed"}
    assert (world.sends, world.reasons) == ([], [expected[next(iter(form))]])


def test_a_goal_at_the_instant_of_the_last_step_is_recorded_before_it(world: Any) -> None:
    publish(world, {"id": "wait", "delay": "1d"}, goal={"event": "B", "within": "1d"}, exit=[{"goal": True}])
    world.event("Go")
    world.skip_to(world.now + DAY)
    world.event("B")
    assert world.reasons == ["goal"]
    assert len(world.facts("journey_goal")) == 1


@pytest.mark.parametrize(("within", "late", "met"), [("14d", 0, 1), ("14d", 1, 0), ("1mo", 0, 1), ("1mo", 1, 0)])
@pytest.mark.parametrize("stay", ["1h", "90d"])
def test_a_goal_counts_up_to_and_including_within_by_its_own_time(
    world: Any, within: str, late: int, met: int, stay: str
) -> None:
    publish(world, {"id": "wait", "delay": stay}, goal={"event": "B", "within": within})
    world.record["profiles"].zone = NEW_YORK
    world.now = at("2026-02-20T12:00:00-05:00")
    world.event("Go")
    until = at("2026-03-06T17:00:00Z") if within == "14d" else at("2026-03-20T16:00:00Z")
    world.go_to(until + DAY)
    world.event("B", dated=until + late)  # told a day late
    assert len(world.facts("journey_goal")) == met


def test_a_goal_told_more_than_three_days_after_its_window_is_lost(world: Any) -> None:
    publish(world, MAIL, goal={"event": "B", "within": "14d"})
    world.event("Go")
    until = world.now + 14 * DAY
    world.go_to(until + 3 * DAY + SECOND)
    world.event("B", dated=until)
    assert world.facts("journey_goal") == []
    assert world.record["journeys"].watched == []


@pytest.mark.parametrize(("early", "runs"), [(1, 1), (0, 2)])
def test_again_after_a_duration_equal_to_the_elapsed_time_allows(world: Any, early: int, runs: int) -> None:
    publish(world, MAIL, entry={"again": {"after": "1mo"}})
    world.record["profiles"].zone = NEW_YORK
    world.now = at("2026-02-20T12:00:00-05:00")
    world.event("Go")
    world.go_to(at("2026-03-20T12:00:00-04:00") - early)
    world.event("Go")
    assert len(world.sends) == runs


def test_two_timers_of_one_instant_run_in_the_order_of_entry(world: Any) -> None:
    publish(world, {"id": "wait", "delay": "2h"}, MAIL)
    world.event("Go", n=1)
    world.event("Go", n=2)
    world.pass_time("2h")
    assert [asked.event for _, asked in world.ear.asked] == sorted(asked.event for _, asked in world.ear.asked)
    assert len(world.sends) == 2


# state and time -----------------------------------------------------------------------------------------------------


def test_audience_and_branches_see_the_state_after_the_event(world: Any) -> None:
    who = {"id": "who", "branch": [{"when": VIP, "next": "mail"}], "else": "other"}
    entry = {"on": {"event": "profile_updated"}, "audience": VIP}
    world.rules.true(VIP, since=lambda scope: scope.record["profiles"].traits.get("plan") == "vip")
    publish(world, who, {**MAIL, "next": "end"}, OTHER, entry=entry)
    world.event("", type="identify", plan="free")
    world.event("", type="identify", plan="vip")
    assert [said for _, said in world.sends] == ["hello"]


def test_a_branch_sees_what_a_step_before_it_set(world: Any) -> None:
    who = {"id": "who", "branch": [{"when": VIP, "next": "mail"}], "else": "other"}
    set_plan = {"id": "set", "update": {"traits": {"plan": "vip"}}}
    world.rules.true(VIP, since=lambda scope: scope.record["profiles"].traits.get("plan") == "vip")
    publish(world, set_plan, {"id": "rest", "delay": "1h"}, who, {**MAIL, "next": "end"}, OTHER)
    world.event("Go")
    world.pass_time("1h")
    assert [said for _, said in world.sends] == ["hello"]


def test_delays_count_from_folding_and_waits_from_the_time_of_what_brought_the_run_there(world: Any) -> None:
    wait = {"id": "w", "wait_for": [{"event": "A", "next": "mail"}], "timeout": "1d", "else": "other"}
    publish(world, {"id": "d", "delay": "1h"}, wait, {**MAIL, "next": "end"}, OTHER)
    world.event("Go", dated=world.now - 2 * DAY)
    start = world.now
    world.go_to(start + HOUR)
    world.event("A", dated=start + HOUR - 1)  # before the run came to the step
    assert world.sends == []
    world.event("A", dated=start + HOUR)
    assert world.sends == [(start + HOUR, "hello")]


# keys ---------------------------------------------------------------------------------------------------------------

KEYED = {"key": "properties.order_id"}


@pytest.mark.parametrize(("said", "ended"), [({"order_id": "a"}, {"a"}), ({"order_id": "c"}, set()), ({}, {"a", "b"}),
                                             ({"order_id": None}, {"a", "b"})])  # fmt: skip
@pytest.mark.parametrize("way", ["exit", "goal", "wait_for"])
def test_an_event_with_the_key_is_about_its_run_and_one_without_about_every(
    world: Any, way: str, said: dict[str, Any], ended: set[str]
) -> None:
    wait = {"id": "w", "wait_for": [{"event": "A", "next": "end"}], "timeout": "1d", "else": "mail"}
    ways = {"exit": {"exit": [{"event": "A"}]}, "goal": {"goal": {"event": "A"}, "exit": [{"goal": True}]}}
    first = wait if way == "wait_for" else {"id": "w", "delay": "1d"}
    publish(world, first, MAIL, entry=KEYED, **ways.get(way, {}))
    for order in ("a", "b"):
        world.event("Go", order_id=order)
    world.event("A", **said)
    assert {"a", "b"} - {run.key for run in world.open} == ended


@pytest.mark.parametrize(("again", "runs"), [("never", 1), ("after_exit", 1), ({"after": "1s"}, 1), ("always", 2)])
def test_an_open_run_of_the_same_key_refuses_unless_always(world: Any, again: Any, runs: int) -> None:
    publish(world, {"id": "w", "delay": "1d"}, entry={**KEYED, "again": again})
    world.event("Go", order_id=7)
    world.pass_time("1m")
    world.event("Go", order_id="7")  # the same value
    assert len(world.open) == runs
    world.event("Go", order_id=8)
    assert len(world.open) == runs + 1


def test_the_hundred_and_first_open_run_is_refused_and_recorded(world: Any) -> None:
    publish(world, {"id": "w", "delay": "1d"}, entry=KEYED)
    for number in range(102):
        world.event("Go", order_id=number)
    assert len(world.open) == 100
    assert [(each["reason"], each["key"]) for each in world.facts("journey_refused")] == [
        ("most_open", "100"), ("most_open", "101"),
    ]  # fmt: skip
    assert world.counted("j")["refused"] == 2


# pause, resume, stop ------------------------------------------------------------------------------------------------


def test_resume_runs_overdue_steps_at_that_instant_and_later_delays_count_from_it(world: Any) -> None:
    publish(world, {"id": "a", "delay": "1d"}, MAIL, {"id": "b", "delay": "1d"}, OTHER)
    world.event("Go")
    world.publish("j", status="paused")
    world.pass_time("5d")
    world.publish("j", status="active")
    resumed = world.now
    world.pass_time("2d")
    assert world.sends == [(resumed, "hello"), (resumed + DAY, "other")]


def test_a_wait_that_is_not_over_when_resumed_goes_on(world: Any) -> None:
    publish(world, {"id": "a", "delay": "3d"}, MAIL)
    world.event("Go")
    due = world.now + 3 * DAY
    world.publish("j", status="paused")
    world.pass_time("1d")
    world.publish("j", status="active")
    world.pass_time("5d")
    assert world.sends == [(due, "hello")]


def test_goals_exits_and_rules_hold_while_paused(world: Any) -> None:
    publish(world, {"id": "a", "delay": "9d"}, MAIL, goal={"event": "B", "within": "7d"}, exit=[{"rule": VIP}])
    world.event("Go")
    start = world.now
    world.publish("j", status="paused")
    world.event("B")
    world.rules.true(VIP, since=start + DAY)
    world.event("Anything")
    world.pass_time("2d")
    assert len(world.facts("journey_goal")) == 1
    assert world.reasons == ["exit_rule"]
    assert world.record["journeys"].ended[0].left_at == start + DAY


def test_who_was_refused_while_paused_does_not_enter_on_resume(world: Any) -> None:
    publish(world, MAIL)
    world.publish("j", status="paused")
    world.event("Go")
    world.publish("j", status="active")
    assert world.sends == []
    world.event("Go")
    assert len(world.sends) == 1
