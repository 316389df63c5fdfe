from __future__ import annotations

from collections import Counter
from typing import Any

SAY = [{"id": name, "send": {"channel": "email", "template": name}, "next": "end"} for name in ("a", "b", "c")]


def publish(world: Any, *weights: float) -> None:
    arms = [{"weight": weight, "next": name} for weight, name in zip(weights, "abc", strict=False)]
    steps = [{"id": "ab", "split": arms}, *SAY[: len(weights)]]
    world.publish("j", {"entry": {"on": {"event": "Go"}, "again": "after_exit"}, "steps": steps})


def shares(world: Any, customers: int = 2000) -> Counter[str]:
    for number in range(customers):
        world.set_profile(f"customer {number}")
        world.event("Go")
    return Counter(template for _, template in world.sends)


def test_weights_give_shares_whatever_their_sum(world: Any) -> None:
    publish(world, 1, 2, 1)
    found = shares(world)
    assert 420 <= found["a"] <= 580
    assert 900 <= found["b"] <= 1100


def test_a_weight_of_nothing_takes_nobody(world: Any) -> None:
    publish(world, 0, 100)
    assert shares(world, 200) == {"b": 200}


def test_the_same_customer_takes_the_same_arm_each_time(world: Any) -> None:
    publish(world, 50, 50)
    for _ in range(10):
        world.event("Go")
    assert len({template for _, template in world.sends}) == 1


def test_a_later_version_with_the_same_weights_changes_no_arm(world: Any) -> None:
    publish(world, 50, 50)
    before = [shares(world, 40), [template for _, template in world.sends]][1]
    world.ear.asked.clear()
    publish(world, 50, 50)
    shares(world, 40)
    assert [template for _, template in world.sends] == before
