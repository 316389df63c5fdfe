from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from kizuna.core.clock import DAY
from kizuna.engine.slice import Definition
from kizuna.journeys.definition import parse
from kizuna.journeys.draw import KEPT

SAY = [{"id": name, "send": {"channel": "email", "template": name}, "next": "rest"} for name in ("a", "b")]
REST = {"id": "rest", "delay": "1h"}
GO = {"on": {"event": "Go"}, "again": "always"}


def publish(world: Any, learns_by: str = "click", entry: dict[str, Any] | None = None, **more: Any) -> None:
    split = {"id": "ab", "split": [{"next": "a"}, {"next": "b"}], "bandit": {"goal": learns_by, "within": "3d"}}
    world.publish("j", {"entry": {**GO, **(entry or {})}, "steps": [split, *SAY, REST], **more})


def learn(world: Any, *weights: int, version: int = 1) -> None:
    body = {"journey": "j", "version": version, "step": "ab", "weights": list(weights)}
    introduced = len(world.definitions) + 1
    world.definitions.append(Definition("bandit", "j:ab", 1, "active", body, introduced, None, world.now))
    world._compile()


def report(world: Any, run: str, name: str = "message_clicked", **said: Any) -> None:
    world.event(name, type="report", run=run, **said)


def learnt(world: Any) -> dict[str, int]:
    return {name.removeprefix("bandit:1:ab:"): n for name, n in world.counted("j").items() if "bandit" in name}


def shares(world: Any, customers: int = 1000) -> Counter[str]:
    world.ear.asked.clear()
    for number in range(customers):
        world.set_profile(f"customer {number}")
        world.event("Go")
    return Counter(template for _, template in world.sends)


def test_it_begins_even_and_follows_what_is_published(world: Any) -> None:
    publish(world)
    assert 420 <= shares(world)["a"] <= 580
    learn(world, 900, 100)
    assert 860 <= shares(world)["a"] <= 940
    learn(world, 20, 980)
    assert shares(world)["a"] <= 40


def test_weights_of_another_version_do_not_count(world: Any) -> None:
    publish(world)
    learn(world, 1000, 0, version=7)
    assert 420 <= shares(world)["a"] <= 580


def test_a_run_wins_once_for_its_arm(world: Any) -> None:
    publish(world)
    world.event("Go")
    arm = "0" if world.sends[0][1] == "a" else "1"
    run = world.open[0].name
    assert learnt(world) == {f"{arm}:drawn": 1}
    report(world, run)
    report(world, run)
    assert learnt(world) == {f"{arm}:drawn": 1, f"{arm}:won": 1}


@pytest.mark.parametrize(("late", "won"), [(0, 1), (1, 0)])
def test_it_wins_up_to_and_including_within_also_when_the_run_is_over(world: Any, late: int, won: int) -> None:
    publish(world)
    world.event("Go")
    run = world.open[0].name
    world.go_to(world.now + 3 * DAY + late)
    assert not world.open
    report(world, run)
    assert sum(n for name, n in learnt(world).items() if name.endswith("won")) == won


def test_machines_other_runs_and_other_reports_win_nothing(world: Any) -> None:
    publish(world)
    world.event("Go")
    run = world.open[0].name
    report(world, run, actor="machine")
    report(world, "run_" + "0" * 32)
    report(world, "no run")
    report(world, run, "message_opened")
    world.event("message_clicked", run=run)  # a customer's own event of that name
    assert not any(name.endswith("won") for name in learnt(world))
    report(world, run, actor="human")
    assert any(name.endswith("won") for name in learnt(world))


def test_it_may_learn_by_openings_or_by_the_goal_of_the_journey(world: Any) -> None:
    publish(world, "open")
    world.event("Go")
    report(world, world.open[0].name, "message_opened")
    assert any(name.endswith("won") for name in learnt(world))
    fresh = type(world)()
    publish(fresh, "goal", goal={"event": "Bought", "within": "7d"})
    fresh.event("Go")
    fresh.event("Bought")
    assert any(name.endswith("won") for name in learnt(fresh))


def test_a_holdout_teaches_nothing(world: Any) -> None:
    publish(world, entry={"holdout": 100})
    world.event("Go")
    assert learnt(world) == {}


def test_a_run_that_comes_by_again_keeps_its_arm_and_is_counted_once(world: Any) -> None:
    split = {"id": "ab", "split": [{"next": "a"}, {"next": "b"}], "bandit": {"goal": "click"}}
    rest = {"id": "rest", "delay": "1h", "next": "ab"}
    world.publish("j", {"entry": GO, "steps": [split, *SAY, rest]})
    world.event("Go")
    learn(world, *((0, 1000) if world.sends[0][1] == "a" else (1000, 0)))
    world.pass_time("3h")
    assert len({template for _, template in world.sends}) == 1
    assert sum(learnt(world).values()) == 1


def test_what_is_remembered_of_one_profile_is_bounded(world: Any) -> None:
    publish(world)
    for _ in range(KEPT + 50):
        world.event("Go")
        world.pass_time("2h")
    assert len(world.record["journeys"].draws) <= KEPT


@pytest.mark.parametrize(
    ("bandit", "error"),
    [
        ({}, ("/steps/0/bandit/goal", "invalid_goal")),
        ({"goal": "revenue"}, ("/steps/0/bandit/goal", "invalid_goal")),
        ({"goal": "goal"}, ("/steps/0/bandit/goal", "no_goal")),
        ({"goal": "click", "within": "soon"}, ("/steps/0/bandit/within", "invalid_duration")),
        ({"goal": "click", "speed": 1}, ("/steps/0/bandit/speed", "unknown_field")),
        ("click", ("/steps/0/bandit", "not_an_object")),
    ],
)
def test_what_it_learns_by_is_checked(bandit: Any, error: tuple[str, str]) -> None:
    steps = [{"id": "ab", "split": [{"next": "end"}, {}], "bandit": bandit}, {"id": "w", "delay": "1d"}]
    with pytest.raises(Exception, match="cannot be published") as caught:
        parse("j", {"entry": GO, "steps": steps})
    assert error in [(each.pointer, each.code) for each in caught.value.errors]  # type: ignore[attr-defined]
