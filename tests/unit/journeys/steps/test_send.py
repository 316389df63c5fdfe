from __future__ import annotations

from typing import Any

from kizuna.channels import best_channels


def asked(world: Any, **send: Any) -> Any:
    steps = [{"id": "mail", "send": {"channel": "email", "template": "hello", **send}}]
    world.publish("j", {"entry": {"on": {"event": "Go"}}, "steps": steps})
    world.event("Go")
    return world.ear.asked[0][1]


def test_it_asks_with_what_the_journey_says(world: Any) -> None:
    wanted = asked(world, topic="news", expires="1h", data={"gift": "tea"})
    assert (wanted.topic, wanted.expires, wanted.data, wanted.transactional) == ("news", "1h", {"gift": "tea"}, False)
    assert (wanted.journey, wanted.step, wanted.run, wanted.occurrence) == ("j", "mail", wanted.run, wanted.run)


def test_best_is_every_channel_there_is(world: Any) -> None:
    assert asked(world, channel="best").channels == tuple(best_channels())


def test_a_list_of_channels_keeps_its_order(world: Any) -> None:
    assert asked(world, channel=["push", "email"], transactional=True).channels == ("push", "email")
