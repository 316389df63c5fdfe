from __future__ import annotations

from typing import Any

from kizuna.core.clock import DAY, HOUR

GO = {"on": {"event": "Go"}, "again": "always"}
MAIL = {"id": "mail", "send": {"channel": "email", "template": "hello"}}
NEWS = {"id": "news", "send": {"channel": "email", "template": "news"}}
WAIT = {"id": "wait", "delay": "2d"}
VIP = {"trait": "plan", "is": "vip"}


def journey(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"entry": GO, "steps": list(steps), **more}


def test_a_run_arrives_at_the_step_of_the_map_at_that_instant(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL))
    world.event("Go")
    world.pass_time("1d")
    world.migrate("j", journey({"id": "rest", "delay": "3h"}, NEWS), {"wait": "rest"})
    moved = world.now
    assert world.facts("journey_step")[-1] == {
        "journey": "j", "version": 2, "run": world.open[0].name, "step": "rest", "from_version": 1,
    }  # fmt: skip
    world.pass_time("5d")
    assert world.sends == [(moved + 3 * HOUR, "news")]
    counted = world.counted("j")
    assert (counted["step:wait:entered"], counted["step:wait:left"]) == (1, 1)
    assert "step:wait:waiting" not in counted


def test_runs_at_other_steps_stay_on_their_version(world: Any) -> None:
    world.publish("j", journey(WAIT, {"id": "more", "delay": "2d"}, MAIL))
    world.event("Go")
    start = world.now
    world.pass_time("2d")
    world.event("Go")
    world.migrate("j", journey({"id": "rest", "delay": "1d"}, NEWS), {"wait": "rest"})
    world.pass_time("9d")
    assert world.sends == [(start + 3 * DAY, "news"), (start + 4 * DAY, "hello")]


def test_a_run_that_comes_to_a_mapped_step_later_is_not_moved(world: Any) -> None:
    world.publish("j", journey({"id": "first", "delay": "1d"}, WAIT, MAIL))
    world.event("Go")
    world.migrate("j", journey({"id": "rest", "delay": "1d"}, NEWS), {"wait": "rest"})
    world.pass_time("9d")
    assert [template for _, template in world.sends] == ["hello"]


def test_the_map_may_lead_out(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL))
    world.event("Go")
    world.migrate("j", journey(NEWS), {"wait": "end"})
    assert (world.reasons, world.sends) == (["completed"], [])


def test_exits_of_the_new_version_are_judged_before_the_step(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL))
    world.event("Go")
    world.rules.true(VIP)
    world.migrate("j", journey(NEWS, exit=[{"rule": VIP}]), {"wait": "news"})
    assert (world.reasons, world.sends) == (["exit_rule"], [])


def test_what_was_due_at_that_instant_finds_the_run_where_it_was_moved(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL))
    world.event("Go")
    world.skip_to(world.now + 2 * DAY)
    world.migrate("j", journey({"id": "rest", "delay": "3h"}, NEWS), {"wait": "rest"})
    assert (world.sends, world.open[0].step) == ([], "rest")


def test_one_version_may_be_moved_within_itself(world: Any) -> None:
    document = journey(WAIT, MAIL, {"id": "later", "delay": "1d"}, NEWS)
    world.publish("j", document)
    world.event("Go")
    world.definitions.pop()
    world.publish("j", document)
    world.migrate("j", document, {"wait": "later"})
    world.pass_time("9d")
    assert [template for _, template in world.sends] == ["news"]


def test_several_publishes_move_one_after_the_other_and_once(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL))
    world.event("Go")
    behind = world.record
    world.set_profile("nobody")  # the publishes find the record only later
    world.migrate("j", journey({"id": "b", "delay": "1d"}, NEWS), {"wait": "b"})
    world.migrate("j", journey({"id": "c", "delay": "1d"}, NEWS), {"b": "c"})
    world.record = behind
    world.event("Anything")
    assert [(run.step, run.version) for run in world.open] == [("c", 3)]
    world.event("Anything")
    assert [step for step in world.steps if step == "c"] == ["c"]


def test_runs_of_a_joined_profile_are_moved_once(world: Any) -> None:
    world.publish("j", journey(WAIT, MAIL))
    world.event("Go")
    anonymous = world.record.sections["journeys"]
    world.set_profile("known")
    world.migrate("j", journey({"id": "rest", "delay": "1d"}, NEWS), {"wait": "rest"})
    scope = world._scope()
    scope.restart(world.now, 1, "absorb")
    world.slice.absorb(anonymous, scope)
    world.folder.set_wake(world.record)
    world.event("Anything")
    assert [run.step for run in world.open] == ["rest"]
    assert world.steps == ["wait", "rest"]


def test_a_run_remembered_by_a_paused_journey_goes_where_the_map_says(world: Any) -> None:
    world.publish("j", journey({"id": "w", "wait_for": [{"event": "A", "next": "mail"}]}, MAIL))
    world.event("Go")
    world.publish("j", status="paused")
    world.event("A")
    world.migrate("j", journey(NEWS), {"w": "news"})
    assert [template for _, template in world.sends] == ["news"]
