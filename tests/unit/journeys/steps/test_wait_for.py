from __future__ import annotations

from typing import Any

import pytest

from kizuna.core.clock import DAY, SECOND

SAY = {
    name: {"id": name, "send": {"channel": "email", "template": name}, "next": "end"} for name in ("yes", "no", "on")
}


def publish(world: Any, *awaited: dict[str, Any], timeout: str = "3d", **more: Any) -> None:
    wait = {"id": "w", "wait_for": list(awaited), "timeout": timeout, "else": "no", **more}
    document = {"entry": {"on": {"event": "Go"}}, "steps": [wait, SAY["on"], SAY["yes"], SAY["no"]]}
    world.publish("j", document)
    world.event("Go")


def said(world: Any) -> list[str]:
    return [template for _, template in world.sends]


OPENED = {"event": "Opened", "next": "yes"}
CLOSED = {"event": "Closed"}


def test_the_first_event_that_matches_decides(world: Any) -> None:
    publish(world, {**OPENED, "where": [{"property": "size", "gt": 3}]}, CLOSED)
    world.event("Opened", size=3)
    assert said(world) == []
    world.event("Opened", size=4)
    world.event("Closed")
    assert said(world) == ["yes"]


def test_an_event_without_next_goes_on_to_the_step_below(world: Any) -> None:
    publish(world, OPENED, CLOSED)
    world.event("Closed")
    assert said(world) == ["on"]


def test_the_timeout_goes_to_else_at_its_instant(world: Any) -> None:
    publish(world, OPENED, CLOSED)
    start = world.now
    world.go_to(start + 3 * DAY - 1)
    assert said(world) == []
    world.go_to(start + 3 * DAY)
    assert world.sends == [(start + 3 * DAY, "no")]


def test_an_event_at_exactly_the_timeout_is_in_time(world: Any) -> None:
    publish(world, OPENED, CLOSED)
    world.skip_to(world.now + 3 * DAY)
    world.event("Opened")
    assert said(world) == ["yes"]


def test_an_event_after_the_timeout_is_too_late(world: Any) -> None:
    publish(world, OPENED, CLOSED)
    world.skip_to(world.now + 3 * DAY + 1)
    world.event("Opened")
    assert said(world) == ["no"]


def test_it_does_not_look_back(world: Any) -> None:
    world.event("Opened")
    publish(world, OPENED, CLOSED)
    world.event("Opened", dated=world.now - SECOND)
    assert said(world) == []


def test_what_happened_after_the_entry_but_was_told_with_it_counts(world: Any) -> None:
    wait = {"id": "w", "wait_for": [OPENED, CLOSED], "else": "no"}
    steps = [wait, SAY["on"], SAY["yes"], SAY["no"]]
    world.publish("j", {"entry": {"on": {"event": "Go"}}, "steps": steps})
    world.event("Go", dated=world.now - 9 * SECOND)
    world.event("Opened", dated=world.now - 5 * SECOND)
    assert said(world) == ["yes"]


def test_the_event_that_began_the_run_is_not_what_it_waits_for(world: Any) -> None:
    publish(world, {"event": "Go", "next": "yes"}, CLOSED)
    assert said(world) == []
    world.event("Go")
    assert said(world) == ["yes"]


def test_it_may_wait_for_a_segment(world: Any) -> None:
    publish(world, {"segment_entered": "vip", "next": "yes"}, CLOSED)
    world.event("segment_entered", type="fact", segment="other")
    assert said(world) == []
    world.event("segment_entered", type="fact", segment="vip")
    assert said(world) == ["yes"]


@pytest.mark.parametrize("timeout", ["0s", "1s"])
def test_a_timeout_of_nothing_is_over_at_once(world: Any, timeout: str) -> None:
    publish(world, OPENED, CLOSED, timeout=timeout)
    assert said(world) == (["no"] if timeout == "0s" else [])
