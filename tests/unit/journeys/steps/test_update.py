from __future__ import annotations

from typing import Any


def run_through(world: Any, traits: dict[str, Any], **said: Any) -> None:
    steps = [{"id": "u", "update": {"traits": traits}}]
    world.publish("j", {"entry": {"on": {"event": "Go"}}, "steps": steps})
    world.event("Go", **said)


def test_values_are_set_as_they_are(world: Any) -> None:
    run_through(world, {"plan": "vip", "level": 3, "old": None, "tags": ["a"]})
    assert world.facts("traits_updated")[0]["traits"] == {"plan": "vip", "level": 3, "old": None, "tags": ["a"]}
    assert world.record["profiles"].traits["plan"] == "vip"


def test_liquid_sees_profile_event_and_run(world: Any) -> None:
    world.event("", type="identify", name="Ada")
    run_through(
        world, {"note": "{{ profile.traits.name }}: {{ event.properties.total }} in {{ run.journey }}"}, total=7
    )
    assert world.facts("traits_updated")[0]["traits"] == {"note": "Ada: 7 in j"}


def test_liquid_that_fails_ends_the_run_and_says_why(world: Any) -> None:
    run_through(world, {"note": "{% for i in (1..900000000) %}x{% endfor %}"})
    assert world.facts("traits_updated") == []
    assert world.reasons == ["aborted"]
    assert world.facts("journey_exited")[0]["note"]
