"""Quiet hours at every kind of local time: across midnight, in a gap, in an overlap, over a day that was left out."""

from __future__ import annotations

from datetime import time

import pytest

from kizuna.consent.country import zones_of
from kizuna.core import clock
from kizuna.core.clock import HOUR, MINUTE
from kizuna.messages.quiet_hours import JITTER, Night, QuietHours, QuietRule, night_of

NIGHT = QuietHours(time(21), time(8))
NEW_YORK, TOKYO, APIA = "America/New_York", "Asia/Tokyo", "Pacific/Apia"
MESSAGE = b"m" * 16


def at(text: str) -> int:
    found = clock.read_time(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("quiet", "zone", "asked", "over"),
    [
        # three zones, both edges
        (NIGHT, TOKYO, "2026-03-02T20:59:59.999999+09:00", None),
        (NIGHT, TOKYO, "2026-03-02T21:00:00+09:00", "2026-03-03T08:00:00+09:00"),
        (NIGHT, TOKYO, "2026-03-03T00:00:00+09:00", "2026-03-03T08:00:00+09:00"),
        (NIGHT, TOKYO, "2026-03-03T07:59:59.999999+09:00", "2026-03-03T08:00:00+09:00"),
        (NIGHT, TOKYO, "2026-03-03T08:00:00+09:00", None),
        (NIGHT, "UTC", "2026-03-02T23:00:00Z", "2026-03-03T08:00:00Z"),
        # within one day
        (QuietHours(time(12), time(13, 30)), TOKYO, "2026-03-02T12:00:00+09:00", "2026-03-02T13:30:00+09:00"),
        (QuietHours(time(12), time(13, 30)), TOKYO, "2026-03-02T13:30:00+09:00", None),
        # the night of a change is an hour shorter, or longer
        (NIGHT, NEW_YORK, "2026-03-07T22:00:00-05:00", "2026-03-08T08:00:00-04:00"),
        (NIGHT, NEW_YORK, "2026-10-31T22:00:00-04:00", "2026-11-01T08:00:00-05:00"),
        # an end in the gap (02:30 does not exist) takes the offset before it
        (QuietHours(time(21), time(2, 30)), NEW_YORK, "2026-03-08T01:00:00-05:00", "2026-03-08T03:30:00-04:00"),
        (QuietHours(time(21), time(2, 30)), NEW_YORK, "2026-03-08T03:30:00-04:00", None),
        # a start in the gap likewise
        (QuietHours(time(2, 30), time(8)), NEW_YORK, "2026-03-08T03:29:59-04:00", None),
        (QuietHours(time(2, 30), time(8)), NEW_YORK, "2026-03-08T03:30:00-04:00", "2026-03-08T08:00:00-04:00"),
        # an end that comes twice is the first; a start too
        (QuietHours(time(21), time(1, 30)), NEW_YORK, "2026-11-01T01:29:59-04:00", "2026-11-01T01:30:00-04:00"),
        (QuietHours(time(21), time(1, 30)), NEW_YORK, "2026-11-01T01:30:00-04:00", None),
        (QuietHours(time(1, 30), time(8)), NEW_YORK, "2026-11-01T01:30:00-04:00", "2026-11-01T08:00:00-05:00"),
        (QuietHours(time(1, 30), time(8)), NEW_YORK, "2026-11-01T01:10:00-05:00", "2026-11-01T08:00:00-05:00"),
        # Apia went from the 29th to the 31st of December 2011
        (NIGHT, APIA, "2011-12-29T22:00:00-10:00", "2011-12-31T08:00:00+14:00"),
        (NIGHT, APIA, "2011-12-31T05:00:00+14:00", "2011-12-31T08:00:00+14:00"),
        (NIGHT, APIA, "2011-12-31T08:00:00+14:00", None),
        (NIGHT, APIA, "2011-12-31T21:00:00+14:00", "2012-01-01T08:00:00+14:00"),
    ],
)
def test_the_window_is_half_open_in_local_time(quiet: QuietHours, zone: str, asked: str, over: str | None) -> None:
    assert quiet.over_at(at(asked), zone) == (at(over) if over else 0)


def test_without_spread_it_goes_at_the_very_end() -> None:
    asked, end = at("2026-03-02T23:00:00Z"), at("2026-03-03T08:00:00Z")
    assert Night(NIGHT, ("UTC",)).due_at(asked, MESSAGE, end + HOUR, spread=False) == end
    assert Night(NIGHT, ("UTC",)).due_at(end, MESSAGE, end + HOUR, spread=False) == end


def test_spread_is_by_hash_within_ten_minutes_and_never_past_the_expiry() -> None:
    asked, end = at("2026-03-02T23:00:00Z"), at("2026-03-03T08:00:00Z")
    dues = {Night(NIGHT, ("UTC",)).due_at(asked, bytes([n]) * 16, end + HOUR, spread=True) for n in range(100)}
    assert len(dues) > 90
    assert all(end <= due < end + JITTER for due in dues)
    again = {Night(NIGHT, ("UTC",)).due_at(asked, bytes([n]) * 16, end + HOUR, spread=True) for n in range(100)}
    assert dues == again
    assert {Night(NIGHT, ("UTC",)).due_at(asked, bytes([n]) * 16, end, spread=True) for n in range(100)} == {end}


def test_spread_never_reaches_the_next_window() -> None:
    breath = QuietHours(time(8, 5), time(8))  # five minutes a day
    asked, end = at("2026-03-02T23:00:00Z"), at("2026-03-03T08:00:00Z")
    for n in range(100):
        due = Night(breath, ("UTC",)).due_at(asked, bytes([n]) * 16, end + HOUR, spread=True)
        assert end <= due < end + 5 * MINUTE


# by channel and country ----------------------------------------------------------------------------------------------

TEXTS = QuietRule("sms", "US", QuietHours(time(21), time(8)))
US_ZONES = zones_of("US", None)


def night(traits: dict[str, str], zone: str = "", channel: str = "sms") -> Night | None:
    return night_of([TEXTS], None, channel, traits, zone, "Asia/Tokyo")


def test_a_rule_holds_for_its_channel_and_the_country_of_the_number() -> None:
    assert night({"phone": "+14155550100", "country": "JP"}) is not None
    assert night({"phone": "+819012345678", "country": "US"}) is None
    assert night({"country": "US"}, channel="email") is None
    assert night({"country": "US"}) is not None


def test_the_first_rule_that_holds_counts_and_else_the_general_hours() -> None:
    general, late = QuietHours(time(22), time(7)), QuietRule(None, "US", QuietHours(time(23), time(6)))
    found = night_of([TEXTS, late], general, "email", {"country": "US"}, "", "UTC")
    assert found is not None
    assert found.hours == late.hours
    elsewhere = night_of([TEXTS, late], general, "sms", {"country": "FR"}, "Europe/Paris", "UTC")
    assert elsewhere == Night(general, ("Europe/Paris",))


def test_their_own_zone_counts_and_without_it_every_zone_of_the_country() -> None:
    known = night({"phone": "+14155550100"}, "America/New_York")
    assert known == Night(TEXTS.hours, ("America/New_York",))
    unknown = night({"phone": "+14155550100"})
    assert unknown == Night(TEXTS.hours, US_ZONES)
    assert night({"country": "US", "phone": "+16715550100"}) == Night(TEXTS.hours, ("Pacific/Guam",))
    assert night_of([QuietRule("sms", "XX", TEXTS.hours)], None, "sms", {"country": "XX"}, "", "UTC") == Night(
        TEXTS.hours, ("UTC",)
    )


@pytest.mark.parametrize("day", ["2026-01-15", "2026-03-07", "2026-03-08", "2026-07-04", "2026-10-31", "2026-11-01"])
def test_an_unknown_zone_is_texted_only_where_it_is_day_in_all_of_them(day: str) -> None:
    """Every quarter of an hour of days with and without a change of clocks, each end and the microsecond before it."""
    unknown, begins = Night(TEXTS.hours, US_ZONES), at(f"{day}T00:00:00Z")
    seen: set[bool] = set()
    for quarter in range(2 * 24 * 4):
        for asked in (begins + quarter * 15 * MINUTE, begins + quarter * 15 * MINUTE - 1):
            hours = [clock.to_local(asked, zone).hour for zone in US_ZONES]
            is_day = all(8 <= hour < 21 for hour in hours)
            due = unknown.due_at(asked, MESSAGE, asked + 48 * HOUR, spread=False)
            assert (due == asked) is is_day
            assert all(8 <= clock.to_local(due, zone).hour < 21 for zone in US_ZONES)
            seen.add(is_day)
    assert seen == {True, False}


def test_where_no_hour_is_day_everywhere_the_message_waits_past_its_expiry() -> None:
    narrow = Night(QuietHours(time(9), time(8)), ("Asia/Tokyo", "America/New_York"))
    begin = at("2026-03-02T00:00:00Z")
    assert narrow.over_at(begin) > begin + 14 * 24 * HOUR
