from __future__ import annotations

from typing import Any

MAIL = {"id": "m", "send": {"channel": "email", "template": "hello"}}


def test_it_begins_a_journey_that_is_entered_by_api(world: Any) -> None:
    enter = {"id": "e", "enter": {"journey": "other", "data": {"gift": "tea"}}}
    world.publish("other", {"entry": {"on": {"api": True}}, "steps": [MAIL]})
    world.publish("j", {"entry": {"on": {"event": "Go"}}, "steps": [enter]})
    world.event("Go")
    assert world.ear.asked[0][1].data == {"gift": "tea"}


def test_journeys_that_enter_each_other_come_to_an_end(world: Any) -> None:
    for name, other in [("a", "b"), ("b", "a")]:
        steps = [{"id": "e", "enter": {"journey": other}}]
        world.publish(name, {"entry": {"on": {"api": True}, "again": "always"}, "steps": steps})
    world.event("", type="enter", journey="a")
    assert 2 <= world.counted("a")["entered"] <= 100
