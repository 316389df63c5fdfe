"""Quiet hours: a half-open local window of every day, in the profile's zone, by channel and country. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from msgspec import Struct

from kizuna.consent.country import country_of, country_of_number, zones_of
from kizuna.core import clock, ids

HOLD, SKIP = "hold", "skip"
JITTER = 10 * clock.MINUTE  # so that not all who waited are written to in one second


class QuietHours(Struct, frozen=True):
    """`[start, end)`; an end before the start is on the next day. Each end resolves at its own date, by RFC 5545."""

    start: time
    end: time
    then: str = HOLD

    def over_at(self, instant: int, zone: str) -> int:
        """When the window that `instant` lies in is over; 0 outside of it."""
        today = clock.to_local(instant, zone).date()
        # Two days back: a window of the 29th lasts until the 31st where there was no 30th (Apia, 2011).
        for back in (0, 1, 2):
            begins, over = _window(self.start, self.end, today - timedelta(days=back), zone)
            if begins <= instant < over:
                return over
        return 0


class Night(Struct, frozen=True):
    """Quiet hours as they hold for one customer: in their zone, or in each that may be theirs."""

    hours: QuietHours
    zones: tuple[str, ...]

    @property
    def then(self) -> str:
        return self.hours.then

    def over_at(self, instant: int) -> int:
        """The first instant from `instant` on at which no zone is quiet; 0 where that is `instant` itself."""
        at = instant
        for _ in range(_MOST_STEPS):
            over = max(self.hours.over_at(at, zone) for zone in self.zones)
            if not over:
                return 0 if at == instant else at
            at = over
        return at + clock.DAY  # somewhere it is always quiet: the message rather expires than goes

    def due_at(self, instant: int, message: bytes, expires_at: int, *, spread: bool) -> int:
        """When a message asked for at `instant` may go; with `spread` up to ten minutes after the window, by hash."""
        over = self.over_at(instant)
        if not over or not spread:
            return over or instant
        late = over + ids.bucket("quiet", message) * JITTER // 10_000
        return over if late > expires_at or self.over_at(late) else late


class QuietRule(Struct, frozen=True):
    """Hours of their own for a channel and a country; None is any."""

    channel: str | None
    country: str | None
    hours: QuietHours


def night_of(
    rules: Sequence[QuietRule],
    general: QuietHours | None,
    channel: str,
    traits: Mapping[str, Any],
    zone: str,
    otherwise: str,
) -> Night | None:
    """The first rule that holds, else the general hours. A text goes to a number: its country counts before that of
    the address. Where the zone is unknown it must be allowed in every zone of the country."""
    phone = traits.get("phone")
    country = (country_of_number(phone) if channel == "sms" else "") or country_of(traits)
    for rule in rules:
        if rule.channel in (None, channel) and rule.country in (None, country):
            return Night(rule.hours, (zone,) if zone else zones_of(country, phone) or (otherwise,))
    return Night(general, (zone or otherwise,)) if general is not None else None


_MOST_STEPS = 60  # from one end to the next: two weeks and more


@lru_cache(16_384)  # all who live in a zone ask about the same few days
def _window(start: time, end: time, day: date, zone: str) -> tuple[int, int]:
    """The window that begins on a date, as instants."""
    until = day if start < end else day + timedelta(days=1)
    begins, over = datetime.combine(day, start), datetime.combine(until, end)
    return clock.from_local(begins, zone), clock.from_local(over, zone)
