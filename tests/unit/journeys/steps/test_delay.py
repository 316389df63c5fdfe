from __future__ import annotations

from typing import Any

import pytest

from kizuna.core import clock
from kizuna.core.clock import DAY, HOUR

MAIL = {"id": "mail", "send": {"channel": "email", "template": "hello"}}


def publish(world: Any, delay: Any, **more: Any) -> None:
    steps = [{"id": "wait", "delay": delay, **more}, MAIL]
    world.publish("j", {"entry": {"on": {"event": "A"}, "again": "after_exit"}, "steps": steps})


def sent(world: Any) -> list[str]:
    return [clock.show(at) for at, _ in world.sends]


def enter_at(world: Any, instant: str, zone: str = "") -> None:
    found = clock.read_time(instant)
    assert found is not None
    world.now = found
    world.record["profiles"].zone = zone
    world.event("A")


@pytest.mark.parametrize(
    ("delay", "zone", "entered", "due"),
    [
        ("2h", "", "2026-03-02T10:00:00Z", "2026-03-02T12:00:00Z"),
        ("1d", "America/New_York", "2026-03-07T14:00:00Z", "2026-03-08T14:00:00Z"),
        ({"days": 1}, "America/New_York", "2026-03-07T14:00:00Z", "2026-03-08T13:00:00Z"),
        ({"days": 1, "zone": "workspace"}, "America/New_York", "2026-03-07T14:00:00Z", "2026-03-08T14:00:00Z"),
        ("1mo", "", "2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z"),
        ({"until": "2026-12-24T09:00"}, "Asia/Tokyo", "2026-12-01T00:00:00Z", "2026-12-24T00:00:00Z"),
        ({"until": "2026-12-24T09:00:00+01:00"}, "Asia/Tokyo", "2026-12-01T00:00:00Z", "2026-12-24T08:00:00Z"),
        ({"at": "09:00"}, "Asia/Tokyo", "2026-03-02T00:00:01Z", "2026-03-03T00:00:00Z"),
        ({"at": "09:00", "zone": "Europe/Berlin"}, "Asia/Tokyo", "2026-03-02T00:00:00Z", "2026-03-02T08:00:00Z"),
        ({"at": "02:30"}, "America/New_York", "2026-03-08T05:30:00Z", "2026-03-08T07:30:00Z"),
        ({"at": "01:30"}, "America/New_York", "2026-11-01T04:00:00Z", "2026-11-01T05:30:00Z"),
        ({"at": "09:00", "weekday": ["fri", "mon"]}, "", "2026-03-02T10:00:00Z", "2026-03-06T09:00:00Z"),
    ],
)
def test_delays_end_at_their_instant(world: Any, delay: Any, zone: str, entered: str, due: str) -> None:
    publish(world, delay)
    enter_at(world, entered, zone)
    instant = clock.read_time(due)
    world.go_to(instant - 1)
    assert sent(world) == []
    world.go_to(instant)
    assert sent(world) == [due]


@pytest.mark.parametrize("delay", ["0s", {"until": "2020-01-01"}, {"at": "10:00"}, {"until": "2026-03-02T10:00:00Z"}])
def test_what_is_over_or_exactly_now_goes_on_at_once(world: Any, delay: Any) -> None:
    publish(world, delay)
    enter_at(world, "2026-03-02T10:00:00Z")
    assert len(sent(world)) == 1


def test_a_loop_over_a_time_of_day_always_moves_time(world: Any) -> None:
    steps = [{"id": "nine", "delay": {"at": "09:00"}}, {**MAIL, "next": "nine"}]
    world.publish("j", {"entry": {"on": {"event": "A"}}, "steps": steps})
    enter_at(world, "2026-03-02T09:00:00Z")
    assert sent(world) == ["2026-03-02T09:00:00Z"]
    world.pass_time("3d")
    assert sent(world) == [f"2026-03-0{day}T09:00:00Z" for day in (2, 3, 4, 5)]
    assert len({asked.occurrence for _, asked in world.ear.asked}) == 4


def test_two_times_of_day_in_a_row_are_a_day_apart(world: Any) -> None:
    steps = [{"id": "a", "delay": {"at": "09:00"}}, {"id": "b", "delay": {"at": "09:00"}}, MAIL]
    world.publish("j", {"entry": {"on": {"event": "A"}}, "steps": steps})
    enter_at(world, "2026-03-02T08:00:00Z")
    world.pass_time("2d")
    assert sent(world) == ["2026-03-03T09:00:00Z"]


TRAIT = {"until": {"trait": "plan.renewal_at", "offset": "-3d"}}


def test_a_trait_gives_the_time_and_is_followed_when_it_moves(world: Any) -> None:
    publish(world, TRAIT)
    world.event("", type="identify", plan={"renewal_at": "2026-03-20"})
    enter_at(world, "2026-03-02T10:00:00Z", "Asia/Tokyo")
    assert world.record["journeys"].wake_at == clock.read_time("2026-03-16T15:00:00Z")
    world.event("", type="identify", plan={"renewal_at": "2026-03-10T12:00:00Z"})
    world.pass_time("10d")
    assert sent(world) == ["2026-03-07T12:00:00Z"]


def test_a_trait_without_a_time_takes_else_or_leaves(world: Any) -> None:
    publish(world, TRAIT, **{"else": "mail"})
    world.event("A")
    assert len(sent(world)) == 1
    world.set_profile("grace")
    publish(world, TRAIT)
    world.event("", type="identify", plan={"renewal_at": "soon"})
    world.event("A")
    assert world.reasons == ["completed", "aborted"]
    assert "plan.renewal_at" in world.facts("journey_exited")[-1]["note"]


def test_each_delay_counts_from_its_own_arrival(world: Any) -> None:
    steps = [{"id": "a", "delay": "2h"}, {"id": "b", "delay": "3h"}, MAIL]
    world.publish("j", {"entry": {"on": {"event": "A"}}, "steps": steps})
    world.event("A")
    start = world.now
    world.pass_time("1d")
    assert world.sends == [(start + 5 * HOUR, "hello")]
    assert world.now == start + DAY
