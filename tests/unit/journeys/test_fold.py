from __future__ import annotations

from typing import Any

import pytest

from kizuna.core import exact_json
from kizuna.core.clock import DAY, HOUR, SECOND
from kizuna.engine.moment import BACKFILL

ORDER = {"on": {"event": "Order Completed"}}
MAIL = {"id": "mail", "send": {"channel": "email", "template": "hello", "topic": "news"}}
WAIT = {"id": "wait", "delay": "1d"}
VIP = {"trait": "plan", "is": "vip"}


def journey(*steps: dict[str, Any], entry: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"entry": {**ORDER, **(entry or {})}, "steps": list(steps), **more}


# entry --------------------------------------------------------------------------------------------------------------


def test_an_event_begins_a_run_that_sends_and_completes(world: Any) -> None:
    world.publish("j", journey(MAIL))
    world.event("Order Completed", total=12)
    ((at, asked),) = world.ear.asked
    assert at == world.now
    assert (asked.purpose, asked.channels, asked.template, asked.topic) == (
        "journey:j:mail", ("email",), "hello", "news",
    )  # fmt: skip
    assert exact_json.decode(asked.event) == {
        "id": "m1", "event": "Order Completed", "properties": {"total": 12}, "timestamp": "2026-03-02T10:00:00Z",
    }  # fmt: skip
    assert world.reasons == ["completed"]
    assert world.ear.cancelled == []  # what was planned on the way is still sent
    counted = {"entered": 1, "completed": 1, "step:mail:entered": 1, "step:mail:left": 1}
    assert world.counted("j") == counted


def test_facts_carry_journey_version_run_and_cause(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL))
    world.event("Order Completed")
    world.pass_time("1d")
    facts = [fact for _, fact, _ in world.effects.facts]
    assert [fact.name for fact in facts] == ["journey_entered", "journey_step", "journey_step", "journey_exited"]
    assert facts[0].caused_by == "m1"
    assert facts[2].caused_by == facts[1].id  # the timer follows from the step it ends
    said = exact_json.decode(facts[1].properties)
    assert said == {"journey": "j", "version": 1, "run": said["run"], "step": "wait"}
    assert said["run"].startswith("run_")


def test_only_events_that_match_where_begin_a_run(world: Any) -> None:
    where = {"on": {"event": "Order Completed", "where": [{"property": "total", "gte": 100}]}}
    world.publish("j", journey(WAIT, entry=where))
    world.event("Order Completed", total=99)
    assert not world.open
    world.event("Order Completed", total=100)
    assert len(world.open) == 1


def test_audience_must_be_true_at_entry(world: Any) -> None:
    world.publish("j", journey(WAIT, entry={"audience": VIP}))
    world.event("Order Completed")
    assert not world.open
    world.rules.true(VIP)
    world.event("Order Completed")
    assert len(world.open) == 1


def test_segment_facts_begin_runs_of_that_segment_only(world: Any) -> None:
    world.publish("j", journey(WAIT, entry={"on": {"segment_entered": "lapsing"}}))
    world.event("segment_entered", type="fact", segment="vip")
    world.event("segment_entered", segment="lapsing")  # a customer's own event of that name is no fact
    assert not world.open
    world.event("segment_entered", type="fact", segment="lapsing")
    assert len(world.open) == 1


def test_backfilled_events_begin_end_and_advance_nothing(world: Any) -> None:
    world.publish("j", journey({"id": "w", "wait_for": [{"event": "A"}]}, exit=[{"event": "B"}]))
    world.event("Order Completed", flags=BACKFILL)
    assert not world.open
    world.event("Order Completed")
    world.event("A", flags=BACKFILL)
    world.event("B", flags=BACKFILL)
    assert len(world.open) == 1


def test_events_older_than_max_age_begin_nothing(world: Any) -> None:
    world.publish("j", journey(WAIT, entry={"again": "always"}))
    world.event("Order Completed", dated=world.now - 3 * DAY - 1)
    assert not world.open
    world.event("Order Completed", dated=world.now - 3 * DAY)
    assert len(world.open) == 1
    world.publish("short", journey(WAIT, entry={"max_age": "1h"}))
    world.event("Order Completed", dated=world.now - 2 * HOUR)
    assert [run.journey for run in world.open] == ["j", "j"]


def test_a_delay_counts_from_when_the_entry_was_folded(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL))
    world.event("Order Completed", dated=world.now - 2 * DAY)
    due = world.now + DAY
    world.go_to(due - 1)
    assert world.sends == []
    world.go_to(due)
    assert world.sends == [(due, "hello")]


def test_api_entry_takes_data_and_key(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL, entry={"on": {"api": True}, "key": "properties.ticket"}))
    world.event("Order Completed")
    world.event("", type="enter", journey="j", data={"gift": "tea"})
    assert not world.open  # a keyed journey needs the key
    world.event("", type="enter", journey="j", data={"gift": "tea"}, key=7)
    assert world.open[0].key == "7"
    world.pass_time("1d")
    assert world.ear.asked[0][1].data == {"gift": "tea"}


def test_journeys_begun_by_events_are_not_entered_by_api(world: Any) -> None:
    world.publish("j", journey(WAIT))
    world.event("", type="enter", journey="j")
    world.event("", type="enter", journey="unknown")
    assert not world.open


def test_members_may_be_entered_when_a_journey_is_published(world: Any) -> None:
    world.publish("j", journey(WAIT, entry={"on": {"segment_entered": "vip"}}))
    world.event("", type="enter", journey="j", member_of="vip")
    assert len(world.open) == 1


# again --------------------------------------------------------------------------------------------------------------


def test_never_is_once_in_a_life_over_all_versions(world: Any) -> None:
    world.publish("j", journey(MAIL))
    world.event("Order Completed")
    world.publish("j", journey({**MAIL, "id": "other"}))
    world.event("Order Completed")
    assert world.steps == ["mail"]
    assert world.counted("j")["refused"] == 1


def test_after_exit_waits_for_the_run_to_end(world: Any) -> None:
    world.publish("j", journey(WAIT, entry={"again": "after_exit"}))
    world.event("Order Completed")
    world.event("Order Completed")
    assert len(world.open) == 1
    world.pass_time("1d")
    assert not world.open
    world.event("Order Completed")
    assert len(world.open) == 1


def test_after_is_counted_from_entry_and_equal_time_allows(world: Any) -> None:
    world.publish("j", journey(MAIL, entry={"again": {"after": "30d"}}))
    world.event("Order Completed")
    world.go_to(world.now + 30 * DAY - 1)
    world.event("Order Completed")
    assert len(world.sends) == 1
    world.go_to(world.now + 1)
    world.event("Order Completed")
    assert len(world.sends) == 2


def test_after_refuses_while_a_run_is_open(world: Any) -> None:
    world.publish("j", journey({"id": "w", "delay": "60d"}, entry={"again": {"after": "30d"}}))
    world.event("Order Completed")
    world.pass_time("40d")
    world.event("Order Completed")
    assert len(world.open) == 1


def test_always_allows_runs_side_by_side_up_to_100(world: Any) -> None:
    world.publish("j", journey(WAIT, entry={"again": "always"}))
    for _ in range(101):
        world.event("Order Completed")
    assert len(world.open) == 100
    assert len({run.id for run in world.open}) == 100


# keyed --------------------------------------------------------------------------------------------------------------

KEYED = {"key": "properties.order_id"}


def test_each_key_has_a_run_of_its_own(world: Any) -> None:
    world.publish("j", journey(WAIT, entry=KEYED))
    world.event("Order Completed", order_id="a")
    world.event("Order Completed", order_id="b")
    world.event("Order Completed", order_id="b")
    world.event("Order Completed", order_id=None)
    world.event("Order Completed")
    assert [run.key for run in world.open] == ["a", "b"]


def test_an_exit_with_the_key_ends_that_run_and_one_without_ends_all(world: Any) -> None:
    world.publish("j", journey(WAIT, entry=KEYED, exit=[{"event": "Shipped"}]))
    for order in ("a", "b", 3):
        world.event("Order Completed", order_id=order)
    world.event("Shipped", order_id="b")
    assert [run.key for run in world.open] == ["a", "3"]
    world.event("Shipped", order_id="3")
    assert [run.key for run in world.open] == ["a"]
    world.event("Shipped")
    assert not world.open


def test_goals_and_waits_keep_to_the_key(world: Any) -> None:
    steps = ({"id": "w", "wait_for": [{"event": "Shipped", "next": "end"}], "timeout": "9d"}, MAIL)
    world.publish("j", journey(*steps, entry=KEYED, goal={"event": "Rated", "within": "7d"}))
    world.event("Order Completed", order_id="a")
    world.event("Order Completed", order_id="b")
    world.event("Rated", order_id="a")
    assert [fact["run"] for fact in world.facts("journey_goal")] == [world.open[0].name]
    world.event("Shipped", order_id="b")
    assert [run.key for run in world.open] == ["a"]


# exits and goals ----------------------------------------------------------------------------------------------------


def test_exits_come_before_steps_of_the_same_instant(world: Any) -> None:
    steps = ({"id": "w", "wait_for": [{"event": "A", "next": "mail"}]}, MAIL)
    world.publish("j", journey(*steps, exit=[{"event": "A"}]))
    world.event("Order Completed")
    world.event("A")
    assert (world.sends, world.reasons) == ([], ["exit_event"])


def test_an_exit_event_at_the_very_instant_of_a_timer_wins(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL, exit=[{"event": "Bought"}]))
    world.event("Order Completed")
    world.skip_to(world.now + DAY)
    world.event("Bought")
    assert (world.sends, world.reasons) == ([], ["exit_event"])
    assert world.ear.cancelled == [world.facts("journey_exited")[0]["run"]]


def test_an_exit_rule_that_time_makes_true_ends_the_run_at_that_instant(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL, exit=[{"rule": VIP}]))
    world.event("Order Completed")
    world.rules.true(VIP, since=world.now + HOUR)
    world.event("Anything")
    start = world.now
    world.pass_time("1d")
    assert (world.sends, world.reasons) == ([], ["exit_rule"])
    assert [fact.timestamp for _, fact, _ in world.effects.facts if fact.name == "journey_exited"] == [start + HOUR]


def test_an_exit_rule_true_at_the_instant_of_a_timer_comes_first(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL, exit=[{"rule": VIP}]))
    world.event("Order Completed")
    world.rules.true(VIP, since=world.now + DAY)
    world.pass_time("1d")
    assert (world.sends, world.reasons) == ([], ["exit_rule"])


def test_who_meets_an_exit_rule_at_entry_leaves_before_the_first_step(world: Any) -> None:
    world.rules.true(VIP)
    world.publish("j", journey(MAIL, exit=[{"rule": VIP}]))
    world.event("Order Completed")
    assert (world.sends, world.steps, world.reasons) == ([], [], ["exit_rule"])
    assert world.counted("j") == {"entered": 1, "exited:exit_rule": 1}


def test_an_exit_that_a_step_itself_caused_is_met_when_the_run_rests(world: Any) -> None:
    world.publish("j", journey({"id": "u", "update": {"traits": {"plan": "vip"}}}, MAIL, WAIT, exit=[{"rule": VIP}]))
    world.rules.true(VIP, since=lambda scope: scope.record["profiles"].traits.get("plan") == "vip")
    world.event("Order Completed")
    assert len(world.sends) == 1
    assert world.reasons == ["exit_rule"]
    assert len(world.ear.cancelled) == 1


def test_leaving_a_segment_ends_runs_that_were_inside(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL, exit=[{"segment_left": "s"}]))
    world.event("Order Completed")
    world.event("Anything")
    assert len(world.open) == 1  # never inside: nothing to leave
    world.rules.true({"in_segment": "s"})
    world.event("Anything")
    world.rules.false({"in_segment": "s"})
    world.event("Anything")
    assert world.reasons == ["segment_left"]


def test_an_opt_out_ends_a_run_only_where_the_journey_says_so(world: Any) -> None:
    world.publish("stays", journey(WAIT, MAIL))
    world.publish("leaves", journey(WAIT, MAIL, exit=[{"opted_out": "email"}]))
    world.event("Order Completed")
    world.rules.true({"consent": {"channel": "email"}, "is": "opted_out"})
    world.event("consent_changed", type="fact", channel="email", state="opted_out")
    assert [run.journey for run in world.open] == ["stays"]
    assert world.reasons == ["unsubscribed"]


def test_events_dated_before_the_entry_neither_end_nor_reward_it(world: Any) -> None:
    world.publish("j", journey(WAIT, exit=[{"event": "A"}], goal={"event": "B", "within": "7d"}))
    world.event("Order Completed")
    world.event("A", dated=world.now - SECOND)
    world.event("B", dated=world.now - SECOND)
    assert len(world.open) == 1
    assert world.facts("journey_goal") == []


def test_a_goal_is_recorded_once_with_its_value_and_does_not_end_the_run(world: Any) -> None:
    goal = {"event": "Order Completed", "within": "14d", "value": "properties.total"}
    world.publish("j", journey(WAIT, goal=goal))
    world.event("Order Completed", total=5)
    assert world.facts("journey_goal") == []  # the entry itself is no goal
    world.event("Order Completed", total=7)
    world.event("Order Completed", total=9)
    assert [fact["value"] for fact in world.facts("journey_goal")] == [7]
    assert len(world.open) == 1
    assert world.counted("j")["goal"] == 1


def test_exit_by_goal_ends_the_run(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL, goal={"event": "B", "within": "7d"}, exit=[{"goal": True}]))
    world.event("Order Completed")
    world.event("B")
    assert world.reasons == ["goal"]
    assert len(world.facts("journey_goal")) == 1


def test_a_goal_that_is_also_an_exit_event_is_recorded(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL, goal={"event": "B", "within": "7d"}, exit=[{"event": "B"}]))
    world.event("Order Completed")
    world.event("B")
    assert world.reasons == ["exit_event"]
    assert len(world.facts("journey_goal")) == 1


@pytest.mark.parametrize(("late", "goals"), [(0, 1), (1, 0)])
@pytest.mark.parametrize("stay", ["20d", "1h"])
def test_a_goal_counts_up_to_and_including_within_also_when_the_run_is_over(
    world: Any, late: int, goals: int, stay: str
) -> None:
    world.publish("j", journey({"id": "w", "delay": stay}, goal={"event": "B", "within": "14d"}))
    world.event("Order Completed")
    world.go_to(world.now + 14 * DAY + late)
    world.event("B")
    world.event("B")
    assert len(world.facts("journey_goal")) == goals


# versions and status ------------------------------------------------------------------------------------------------


def test_a_run_stays_on_the_version_it_entered(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL, entry={"again": "always"}))
    world.event("Order Completed")
    other = {"id": "other", "send": {"channel": "email", "template": "new"}}
    world.publish("j", journey(WAIT, other, entry={"again": "always"}))
    world.event("Order Completed")
    world.pass_time("1d")
    assert sorted(template for _, template in world.sends) == ["hello", "new"]
    assert sorted(fact["version"] for fact in world.facts("journey_exited")) == [1, 2]


def test_while_paused_nobody_enters_and_no_step_runs_until_resumed(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL))
    world.event("Order Completed")
    world.publish("j", status="paused")
    world.pass_time("2d")
    assert world.sends == []
    ada, world_record = world.record, world.record.sections["journeys"]
    assert world_record.wake_at == 0
    world.set_profile("grace")
    world.event("Order Completed")
    assert not world.open
    world.record = ada
    world.publish("j", status="active")
    assert world.sends == [(world.now, "hello")]


def test_what_a_paused_run_waited_for_is_remembered(world: Any) -> None:
    steps = ({"id": "w", "wait_for": [{"event": "A", "next": "mail"}], "timeout": "1d", "else": "end"}, MAIL)
    world.publish("j", journey(*steps))
    world.event("Order Completed")
    world.publish("j", status="paused")
    world.pass_time("1h")
    world.event("A")
    assert world.sends == []
    world.pass_time("2d")
    world.publish("j", status="active")
    assert world.sends == [(world.now, "hello")]


def test_an_event_after_the_timeout_of_a_paused_run_is_too_late(world: Any) -> None:
    steps = ({"id": "w", "wait_for": [{"event": "A", "next": "mail"}], "timeout": "1d", "else": "end"}, MAIL)
    world.publish("j", journey(*steps))
    world.event("Order Completed")
    world.publish("j", status="paused")
    world.pass_time("2d")
    world.event("A")
    world.publish("j", status="active")
    assert (world.sends, world.reasons) == ([], ["completed"])


def test_exits_hold_while_paused(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL, exit=[{"event": "A"}]))
    world.event("Order Completed")
    world.publish("j", status="paused")
    world.event("A")
    assert world.reasons == ["exit_event"]


def test_stop_ends_open_runs(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL))
    world.event("Order Completed")
    world.publish("j", status="stopped")
    assert world.reasons == ["stopped"]
    world.pass_time("2d")
    assert world.sends == []
    assert world.counted("j")["exited:stopped"] == 1
    assert "active" not in world.counted("j")


# holdout, counts, merge ---------------------------------------------------------------------------------------------


def test_the_holdout_is_its_share_and_sends_are_asked_as_held_out(world: Any) -> None:
    world.publish("j", journey(MAIL, entry={"holdout": 20}))
    for number in range(1000):
        world.set_profile(f"customer {number}")
        world.event("Order Completed")
    held = [asked.holdout for _, asked in world.ear.asked]
    assert 160 <= sum(held) <= 240
    assert sum("holdout" in fact for fact in world.facts("journey_entered")) == sum(held)
    assert world.counted("j")["entered"] == 1000


def test_counts_per_step_tell_who_waits(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL))
    world.event("Order Completed")
    assert world.counted("j") == {"entered": 1, "active": 1, "step:wait:entered": 1, "step:wait:waiting": 1}
    world.pass_time("1d")
    assert world.counted("j") == {
        "entered": 1, "completed": 1,
        "step:wait:entered": 1, "step:wait:left": 1, "step:mail:entered": 1, "step:mail:left": 1,
    }  # fmt: skip


def test_joined_profiles_keep_the_older_run_of_a_journey(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL))
    world.publish("side", journey(WAIT, entry={"again": "always"}))
    world.event("Order Completed")
    anonymous = world.record.sections["journeys"]
    world.pass_time("1h")
    world.set_profile("known")
    world.event("Order Completed")
    scope = world._scope()
    scope.restart(world.now, 1, "absorb")
    world.slice.absorb(anonymous, scope)
    world.folder.set_wake(world.record)
    assert sorted(run.journey for run in world.open) == ["j", "side", "side"]
    assert world.reasons == ["merged"]
    assert next(run for run in world.open if run.journey == "j").entered_at == world.now - HOUR
    world.pass_time("23h")
    assert len(world.sends) == 1
    assert world.counted("j")["entered"] == 2
    assert "active" not in world.counted("j")


def test_joined_profiles_do_not_enter_again_what_the_other_had_ended(world: Any) -> None:
    world.publish("j", journey(MAIL))
    world.event("Order Completed")
    anonymous = world.record.sections["journeys"]
    world.set_profile("known")
    scope = world._scope()
    scope.restart(world.now, 1, "absorb")
    world.slice.absorb(anonymous, scope)
    world.event("Order Completed")
    assert len(world.sends) == 1


def test_a_replay_gives_the_same_facts(world: Any) -> None:
    def play() -> list[bytes]:
        fresh = type(world)()
        fresh.publish("j", journey(WAIT, MAIL, goal={"event": "B", "within": "2d"}))
        fresh.event("Order Completed")
        fresh.event("B")
        fresh.pass_time("3d")
        return [fact.id.encode() + fact.properties for _, fact, _ in fresh.effects.facts]

    assert play() == play()


def test_what_concerns_no_journey_changes_nothing(world: Any) -> None:
    world.publish("j", journey(WAIT, exit=[{"event": "A"}]))
    world.event("Page Viewed")
    assert world.record.touched == set()
    world.event("Order Completed")
    world.record.touched.clear()
    world.event("Page Viewed")
    assert world.record.touched == set()


def test_ended_runs_are_forgotten_only_where_no_entry_asks_for_them(world: Any) -> None:
    world.publish("once", journey(MAIL, entry={**KEYED, "again": "never"}))
    world.publish("often", journey(MAIL, entry={**KEYED, "again": "after_exit"}))
    for number in range(300):
        world.event("Order Completed", order_id=number)
    ended = world.record.sections["journeys"].ended
    assert sum(each.journey == "once" for each in ended) == 300
    assert sum(each.journey == "often" for each in ended) == 0
