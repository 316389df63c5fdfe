from __future__ import annotations

from typing import Any

import pytest

from kizuna.core import clock
from kizuna.core.clock import DAY, HOUR
from kizuna.journeys.section import Journeys

MAIL = {"id": "mail", "send": {"channel": "email", "template": "hello"}}
WAIT = {"id": "wait", "delay": "2d"}
VIP = {"trait": "plan", "is": "vip"}


def at(text: str) -> int:
    found = clock.read_time(text)
    assert found is not None
    return found


def monday(world: Any, *steps: dict[str, Any], zone: str = "profile", **entry: Any) -> None:
    document = {"on": {"schedule": "0 9 * * mon", "zone": zone}, "again": "always", **entry}
    world.publish("weekly", {"entry": document, "steps": list(steps) or [MAIL]})


def birthday(world: Any, at_time: str = "09:00", **entry: Any) -> None:
    document = {"on": {"anniversary": "born", "at": at_time}, "again": "always", **entry}
    world.publish("birthday", {"entry": document, "steps": [MAIL]})


def sent(world: Any) -> list[str]:
    return [clock.show(instant) for instant, _ in world.sends]


def test_publishing_sets_the_clock_of_who_is_there_and_each_occurrence_enters_once(world: Any) -> None:
    world.event("Anything")
    monday(world)
    world.go_to(at("2026-03-09T09:00:00Z") - 1)
    assert sent(world) == []
    world.pass_time("3w")
    assert sent(world) == [f"2026-03-{day:02}T09:00:00Z" for day in (9, 16, 23)]
    assert world.counted("weekly")["entered"] == 3


def test_who_comes_later_is_taken_from_then_on(world: Any) -> None:
    monday(world)
    world.set_profile("grace")
    world.go_to(at("2026-03-10T00:00:00Z"))
    world.event("Anything")
    world.pass_time("1w")
    assert sent(world) == ["2026-03-16T09:00:00Z"]


def test_who_was_there_and_hears_of_it_late_missed_nothing(world: Any) -> None:
    """As a record without a section, which no sweep finds: it is told by an item of its own."""
    monday(world)
    world.set_profile("grace")
    world.record.created_at = world.now - DAY
    world.now = at("2026-03-10T00:00:00Z")
    world.event("", type="fill")
    assert sent(world) == ["2026-03-09T09:00:00Z"]


def test_an_occurrence_exactly_when_it_is_published_counts(world: Any) -> None:
    world.event("Anything")
    world.go_to(at("2026-03-09T09:00:00Z"))
    monday(world)
    assert sent(world) == ["2026-03-09T09:00:00Z"]
    monday(world)  # again: this local time was had
    assert len(world.sends) == 1


def test_what_happens_at_the_same_instant_comes_first(world: Any) -> None:
    world.event("Anything")
    monday(world, audience=VIP)
    world.rules.true(VIP, since=lambda scope: scope.record["profiles"].traits.get("plan") == "vip")
    world.skip_to(at("2026-03-09T09:00:00Z"))
    world.event("", type="identify", plan="vip")
    assert sent(world) == ["2026-03-09T09:00:00Z"]


def test_the_audience_is_judged_at_that_instant(world: Any) -> None:
    world.event("Anything")
    monday(world, audience=VIP)
    world.rules.true(VIP, since=at("2026-03-16T09:00:00Z"))
    world.pass_time("2w")
    assert sent(world) == ["2026-03-16T09:00:00Z"]


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("profile", "2026-03-09T00:00:00Z"), ("workspace", "2026-03-09T09:00:00Z"),
     ("Europe/London", "2026-03-09T09:00:00Z"), ("America/New_York", "2026-03-02T14:00:00Z")],
)  # fmt: skip
def test_the_zone_is_the_profiles_the_workspaces_or_one_named(world: Any, zone: str, expected: str) -> None:
    world.record["profiles"].zone = "Asia/Tokyo"
    world.event("Anything")
    monday(world, zone=zone)
    world.pass_time("1w")
    assert sent(world) == [expected]


def move(world: Any, zone: str) -> None:
    world.record["profiles"].zone = zone
    world.event("", type="identify", moved=True)


def test_the_clock_moves_with_the_profile(world: Any) -> None:
    world.event("Anything")
    monday(world)
    move(world, "America/New_York")
    world.pass_time("1w")
    assert sent(world) == ["2026-03-02T14:00:00Z"]  # 10:00Z is five in the morning there


def test_a_local_time_that_was_had_does_not_come_again_farther_west(world: Any) -> None:
    world.record["profiles"].zone = "Asia/Tokyo"
    world.event("Anything")
    monday(world)
    world.go_to(at("2026-03-09T01:00:00Z"))
    move(world, "America/New_York")  # where it is still Sunday
    world.pass_time("8d")
    assert sent(world) == ["2026-03-09T00:00:00Z", "2026-03-16T13:00:00Z"]


@pytest.mark.parametrize(
    ("line", "zone", "start", "days", "expected"),
    [
        ("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 3,
         ["2026-03-08T07:30:00Z", "2026-03-09T06:30:00Z", "2026-03-10T06:30:00Z"]),
        ("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", 3,
         ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z", "2026-11-03T06:30:00Z"]),
        ("30 1 * * *", "Europe/London", "2026-03-28T12:00:00Z", 2, ["2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]),
        ("30 1 * * *", "Europe/London", "2026-10-24T12:00:00Z", 2, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]),
        ("30 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", 2,
         ["2018-11-04T03:30:00Z", "2018-11-05T02:30:00Z"]),
        ("30 23 * * *", "America/Sao_Paulo", "2018-02-17T12:00:00Z", 2,
         ["2018-02-18T01:30:00Z", "2018-02-19T02:30:00Z"]),
        ("0 9 * * *", "Pacific/Apia", "2011-12-29T10:30:00Z", 2, ["2011-12-29T19:00:00Z", "2011-12-30T19:00:00Z"]),
        ("0 9 30 12 *", "Pacific/Apia", "2011-12-20T00:00:00Z", 300, []),
        ("30 2,3 * * *", "America/New_York", "2026-03-08T00:00:00Z", 1, ["2026-03-08T07:30:00Z"] * 2),  # both occur
    ],
)  # fmt: skip
def test_gaps_overlaps_and_a_skipped_day(
    world: Any, line: str, zone: str, start: str, days: int, expected: list[str]
) -> None:
    world.now = at(start)
    world.record["profiles"].zone = zone
    world.event("Anything")
    world.publish("j", {"entry": {"on": {"schedule": line}, "again": "always"}, "steps": [MAIL]})
    world.go_to(world.now + days * DAY)
    assert sent(world) == expected


def test_again_is_asked_of_each_occurrence(world: Any) -> None:
    world.event("Anything")
    monday(world, MAIL, {"id": "long", "delay": "10d"}, again="after_exit")
    world.pass_time("4w")
    assert sent(world) == ["2026-03-09T09:00:00Z", "2026-03-23T09:00:00Z"]
    assert world.counted("weekly")["refused"] == 2
    world.set_profile("grace")
    world.event("Anything")
    world.publish("once", {"entry": {"on": {"schedule": "30 * * * *"}}, "steps": [MAIL]})
    world.pass_time("3h")
    assert world.counted("once")["entered"] == 1


def test_a_run_that_ends_at_the_instant_of_an_occurrence_makes_way(world: Any) -> None:
    world.event("Anything")
    monday(world, MAIL, {"id": "week", "delay": "1w"}, again="after_exit")
    world.pass_time("3w")
    assert len(world.sends) == 3


def test_nothing_occurs_while_paused_and_what_was_missed_stays_missed(world: Any) -> None:
    world.event("Anything")
    monday(world)
    world.publish("weekly", status="paused")
    world.pass_time("10d")
    assert (sent(world), world.record["journeys"].wake_at) == ([], 0)
    world.publish("weekly", status="active")
    world.pass_time("1w")
    assert sent(world) == ["2026-03-16T09:00:00Z"]


def test_a_stopped_or_changed_journey_lets_its_clock_go(world: Any) -> None:
    world.event("Anything")
    monday(world)
    world.publish("weekly", status="stopped")
    assert world.record["journeys"].wake_at == 0
    world.publish("weekly", {"entry": {"on": {"event": "Go"}}, "steps": [MAIL]})
    world.event("Anything")
    assert world.record["journeys"].clocks == {}


def test_a_new_line_counts_from_its_publishing(world: Any) -> None:
    world.event("Anything")
    monday(world)
    document = {"on": {"schedule": "0 12 * * *"}, "again": "always"}
    world.publish("weekly", {"entry": document, "steps": [MAIL]})
    world.pass_time("1d")
    assert sent(world) == ["2026-03-02T12:00:00Z"]


def test_a_birthday_in_the_profiles_zone(world: Any) -> None:
    world.record["profiles"].zone = "Asia/Tokyo"
    world.event("", type="identify", born="1990-03-05")
    birthday(world)
    world.go_to(world.now + 366 * DAY)
    assert sent(world) == ["2026-03-05T00:00:00Z"]
    world.go_to(world.now + 365 * DAY)
    assert sent(world) == ["2026-03-05T00:00:00Z", "2027-03-05T00:00:00Z"]


def test_the_leap_day_counts_on_the_28th_in_common_years(world: Any) -> None:
    world.event("", type="identify", born="2000-02-29")
    birthday(world)
    world.go_to(at("2028-12-31T00:00:00Z"))
    assert sent(world) == ["2027-02-28T09:00:00Z", "2028-02-29T09:00:00Z"]


def test_a_birthday_told_later_corrected_or_taken_back_moves_the_clock(world: Any) -> None:
    world.event("Anything")
    birthday(world)
    assert world.record["journeys"].wake_at == 0
    world.event("", type="identify", born="1990-03-20")
    assert world.record["journeys"].wake_at == at("2026-03-20T09:00:00Z")
    world.event("", type="identify", born="1990-03-04")
    assert world.record["journeys"].wake_at == at("2026-03-04T09:00:00Z")
    world.event("", type="identify", born="never")
    assert world.record["journeys"].wake_at == 0


def test_templates_see_what_began_the_run(world: Any) -> None:
    world.event("Anything")
    monday(world)
    world.pass_time("1w")
    assert b'"event":"schedule"' in world.ear.asked[0][1].event


def test_a_pointer_has_no_clock(world: Any) -> None:
    world.record["profiles"].merged_into = b"x" * 16
    monday(world)
    assert world.record["journeys"].wake_at == 0
    assert world.record["journeys"].clocks == {}


def test_joined_profiles_have_a_local_time_once(world: Any) -> None:
    monday(world)
    world.event("Anything")
    world.go_to(at("2026-03-09T09:00:00Z"))
    anonymous: Journeys = world.record.sections["journeys"]
    world.set_profile("known")
    world.record["profiles"].zone = "America/New_York"
    world.event("Anything")
    scope = world._scope()
    scope.restart(world.now, 1, "absorb")
    world.slice.absorb(anonymous, scope)
    world.event("", type="identify", joined=True)
    world.pass_time("5h")
    assert len(world.sends) == 1  # in New York it would be Monday at nine four hours later
    assert world.now - at("2026-03-09T09:00:00Z") == 5 * HOUR


def test_a_replay_gives_the_same_facts(world: Any) -> None:
    def play() -> list[bytes]:
        fresh = type(world)()
        fresh.event("Anything")
        monday(fresh, MAIL, WAIT)
        fresh.pass_time("3w")
        return [fact.id.encode() + fact.properties for _, fact, _ in fresh.effects.facts]

    assert play() == play()
