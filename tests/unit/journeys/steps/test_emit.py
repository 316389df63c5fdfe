from __future__ import annotations

from typing import Any


def test_what_it_says_may_begin_another_journey(world: Any) -> None:
    emit = {"id": "e", "emit": {"event": "Win Back Begun", "properties": {"total": "{{ event.properties.total }}"}}}
    world.publish("j", {"entry": {"on": {"event": "Go"}}, "steps": [emit]})
    mail = {"id": "m", "send": {"channel": "email", "template": "hello"}}
    world.publish("other", {"entry": {"on": {"event": "Win Back Begun"}}, "steps": [mail]})
    world.event("Go", total=5)
    assert world.facts("Win Back Begun") == [{"total": "5"}]
    assert len(world.sends) == 1


def test_journeys_that_answer_each_other_come_to_an_end(world: Any) -> None:
    for name, heard, said in [("a", "Ping", "Pong"), ("b", "Pong", "Ping")]:
        steps = [{"id": "e", "emit": {"event": said}}]
        world.publish(name, {"entry": {"on": {"event": heard}, "again": "always"}, "steps": steps})
    world.event("Ping")
    assert 2 <= len(world.facts("Ping")) < 50
