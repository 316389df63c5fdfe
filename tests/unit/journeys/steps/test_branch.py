from __future__ import annotations

from typing import Any

VIP, NEW = {"trait": "plan", "is": "vip"}, {"trait": "is_new", "is": True}
SAY = {
    name: {"id": name, "send": {"channel": "email", "template": name}, "next": "end"} for name in ("vip", "new", "rest")
}


def publish(world: Any, **more: Any) -> None:
    branch = {"id": "who", "branch": [{"when": VIP, "next": "vip"}, {"when": NEW, "next": "new"}], **more}
    steps = [branch, SAY["rest"], SAY["vip"], SAY["new"]]
    world.publish("j", {"entry": {"on": {"event": "Go"}, "again": "after_exit"}, "steps": steps})


def test_the_first_true_rule_decides_and_else_takes_the_others(world: Any) -> None:
    publish(world, **{"else": "rest"})
    world.event("Go")
    world.rules.true(NEW)
    world.event("Go")
    world.rules.true(VIP)
    world.event("Go")
    assert [template for _, template in world.sends] == ["rest", "new", "vip"]


def test_without_else_the_others_go_on_to_the_step_below(world: Any) -> None:
    publish(world)
    world.event("Go")
    assert [template for _, template in world.sends] == ["rest"]


def test_it_sees_the_state_after_the_event_that_caused_it(world: Any) -> None:
    publish(world, **{"else": "rest"})
    world.rules.true(VIP, since=lambda scope: scope.record["profiles"].traits.get("plan") == "vip")
    world.event("", type="identify", plan="vip")
    world.event("Go")
    assert [template for _, template in world.sends] == ["vip"]
