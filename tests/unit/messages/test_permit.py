"""What the policy says of one message: now, later, elsewhere, or not."""

from __future__ import annotations

from typing import Any

import pytest

from kizuna.core.clock import DAY, HOUR
from kizuna.messages.permit import Asked, Elsewhere, Go, Hold, No, is_held_out, permit, still_counts
from kizuna.messages.policy import parse
from kizuna.messages.section import Grant, Held

MIDNIGHT = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
NOON = MIDNIGHT + 12 * HOUR
MESSAGE = b"m" * 16


def asked(now: int = NOON, channel: str = "email", topic: str | None = None, expires: int = 72 * HOUR) -> Asked:
    return Asked(
        message=MESSAGE, channel=channel, topic=topic, now=now, expires_at=now + expires, zone="UTC", spread=False
    )


def granted(at: int, channel: str = "email", topic: str | None = None) -> Grant:
    return Grant(at.to_bytes(16, "big"), at, channel, topic)


def held(channel: str = "email", topic: str | None = None) -> Held:
    return Held(b"h" * 16, channel, topic, NOON + DAY, NOON + DAY, None, False, b"{}")


def cap(**changes: Any) -> dict[str, Any]:
    return {"channel": "email", "max": 1, "per": "1d", **changes}


@pytest.mark.parametrize(
    ("then", "verdict"),
    [
        ("skip", No("frequency_cap")),
        ("next_channel", Elsewhere()),
        ("hold", Hold(until=NOON + 48 * HOUR, retry_at=NOON + 23 * HOUR)),
    ],
)
def test_what_a_full_cap_says(then: str, verdict: Any) -> None:
    policy = parse({"caps": [cap(then=then)]})
    assert permit(policy, [granted(NOON - HOUR)], [], asked()) == verdict
    assert permit(policy, [granted(NOON - DAY)], [], asked()) == Go(NOON)


def test_a_hold_never_outlives_the_message() -> None:
    policy = parse({"caps": [cap(then="hold", hold_for="2h")]})
    assert permit(policy, [granted(NOON)], [], asked()) == Hold(NOON + 2 * HOUR, NOON + DAY)
    assert permit(policy, [granted(NOON)], [], asked(expires=HOUR)) == Hold(NOON + HOUR, NOON + DAY)


def test_a_cap_counts_its_own_channel_and_topic_only() -> None:
    policy = parse({"caps": [cap(topic="news")]})
    assert permit(
        policy, [granted(NOON, "email", "offers"), granted(NOON, "sms", "news")], [], asked(topic="news")
    ) == (Go(NOON))
    assert permit(policy, [granted(NOON, "email", "news")], [], asked(topic="offers")) == Go(NOON)
    assert permit(policy, [granted(NOON, "email", "news")], [], asked(topic="news")) == No("frequency_cap")


def test_the_daily_ceiling_counts_all_channels_together() -> None:
    policy = parse({"daily_ceiling": 2})
    two = [granted(MIDNIGHT, "email"), granted(MIDNIGHT + 1, "sms")]
    assert permit(policy, two, [], asked()) == No("frequency_cap")
    assert permit(policy, two, [], asked(now=MIDNIGHT + DAY)) == Go(MIDNIGHT + DAY)


def test_of_several_full_caps_the_strictest_decides() -> None:
    just = [granted(NOON - HOUR)]
    hold, skip, elsewhere = cap(then="hold"), cap(then="skip", per="2d"), cap(then="next_channel", per="3d")
    assert permit(parse({"caps": [hold, elsewhere, skip]}), just, [], asked()) == No("frequency_cap")
    assert permit(parse({"caps": [hold, elsewhere]}), just, [], asked()) == Elsewhere()
    both = permit(parse({"caps": [hold, cap(then="hold", per="2d", hold_for="3d")]}), just, [], asked())
    assert both == Hold(NOON + 48 * HOUR, NOON + 47 * HOUR)  # room under both, and no longer than the shorter


def test_one_of_its_like_that_waits_goes_first() -> None:
    policy = parse({"caps": [cap(then="hold", max=5)]})
    assert permit(policy, [], [held()], asked()) == Hold(NOON + 48 * HOUR, 0)
    assert permit(policy, [], [held(topic="news")], asked()) == Go(NOON)


def test_quiet_hours_put_it_off_and_caps_look_at_when_it_goes() -> None:
    policy = parse({"quiet_hours": {"from": "21:00", "to": "08:00"}, "caps": [cap(window="calendar")]})
    evening, morning = MIDNIGHT + 22 * HOUR, MIDNIGHT + 32 * HOUR
    assert permit(policy, [granted(NOON)], [], asked(now=evening)) == Go(morning)  # it counts for the day it goes
    assert permit(policy, [granted(morning)], [], asked(now=evening)) == No("frequency_cap")


def test_what_expires_in_the_quiet_is_not_sent() -> None:
    policy = parse({"quiet_hours": {"from": "21:00", "to": "08:00"}})
    evening = MIDNIGHT + 22 * HOUR
    assert permit(policy, [], [], asked(now=evening, expires=10 * HOUR)) == Go(MIDNIGHT + 32 * HOUR)
    assert permit(policy, [], [], asked(now=evening, expires=10 * HOUR - 1)) == No("quiet_hours_expired")
    skips = parse({"quiet_hours": {"from": "21:00", "to": "08:00", "then": "skip"}})
    assert permit(skips, [], [], asked(now=evening)) == No("quiet_hours_expired")


def test_the_held_out_are_a_stable_share() -> None:
    policy = parse({"holdout": 10})
    profiles = [number.to_bytes(16, "big") for number in range(5_000)]
    out = [profile for profile in profiles if is_held_out(policy, profile)]
    assert 400 < len(out) < 600
    assert out == [profile for profile in profiles if is_held_out(policy, profile)]
    assert set(out) <= {profile for profile in profiles if is_held_out(parse({"holdout": 20}), profile)}


def test_only_what_a_cap_may_ask_about_is_kept() -> None:
    policy = parse({"caps": [cap(), cap(topic="news", per="7d")]})
    old = [granted(NOON - 6 * DAY), granted(NOON - 6 * DAY, topic="news"), granted(NOON - HOUR), granted(NOON, "sms")]
    assert still_counts(policy, old, NOON, "UTC") == [old[1], old[2]]
