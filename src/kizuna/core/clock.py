"""Instants are integers: microseconds since 1970 in UTC. Durations and zones as RFC 5545 has them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

from kizuna.core.errors import Invalid

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 3_600 * SECOND
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"(\d{1,9})(s|mo|m|h|d|w|y)\Z", re.ASCII)
_EXACT = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_MONTHS = {"mo": 1, "y": 12}
_RFC3339 = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[Tt ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9})\d*)?)?\s*(Z|z|[+-]\d{2}:?\d{2})?)?\Z",
    re.ASCII,
)
FIRST_INSTANT = -62_135_596_800 * SECOND  # the beginning of the year 1
LAST_INSTANT = 253_402_300_799 * SECOND  # the end of the year 9999


class Duration(Struct, frozen=True):
    """`exact` microseconds, or calendar `months`; never both."""

    exact: int = 0
    months: int = 0


@lru_cache(4096)
def duration(text: str) -> Duration:
    """`90s 15m 2h 30d 6w` exact, `1mo 1y` calendar; raises `Invalid`."""
    match = _DURATION.match(text) if isinstance(text, str) else None
    if not match:
        raise Invalid(
            f"{text!r} is no duration: write it like 90s, 15m, 2h, 30d, 6w, 1mo or 1y", code="invalid_duration"
        )
    number, unit = int(match[1]), match[2]
    found = Duration(months=number * _MONTHS[unit]) if unit in _MONTHS else Duration(exact=number * _EXACT[unit])
    if found.exact > 1000 * 366 * DAY or found.months > 12_000:
        raise Invalid(f"{text!r} is longer than 1000 years", code="invalid_duration")
    return found


def show_duration(length: Duration) -> str:
    """As one would write it, in the largest unit that fits whole; exact ones in days at most."""
    if length.months:
        return f"{length.months}mo" if length.months % 12 else f"{length.months // 12}y"
    unit = next(unit for unit in ("d", "h", "m", "s") if length.exact % _EXACT[unit] == 0 or unit == "s")
    return f"{length.exact // _EXACT[unit]}{unit}"


def after(instant: int, length: Duration, zone: str) -> int:
    """`instant + length`; calendar months keep the local time of `zone` and clip to the month's last day."""
    return instant + length.exact if not length.months else _shift_months(instant, length.months, zone)


def before(instant: int, length: Duration, zone: str) -> int:
    """`instant - length`, as `after`."""
    return instant - length.exact if not length.months else _shift_months(instant, -length.months, zone)


@lru_cache(16_384)  # windows ask again and again about the same events
def _shift_months(instant: int, months: int, zone: str) -> int:
    local = to_local(instant, zone)
    index = local.year * 12 + local.month - 1 + months
    year, month = divmod(index, 12)
    if not 1 <= year <= 9998:
        return 0 if months < 0 else LAST_INSTANT
    last = _month_days(year, month + 1)
    return from_local(local.replace(year=year, month=month + 1, day=min(local.day, last)), zone)


def _month_days(year: int, month: int) -> int:
    return (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day


@lru_cache(1024)
def zone_info(name: str) -> ZoneInfo:
    """The IANA zone; raises `Invalid` for an unknown name."""
    try:
        if not name or name.startswith(("/", ".")):
            raise ValueError
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise Invalid(f"{name!r} is no IANA time zone such as Asia/Tokyo", code="invalid_zone") from None


def to_local(instant: int, zone: str) -> datetime:
    """The wall-clock time in `zone`, naive."""
    return to_datetime(instant).astimezone(zone_info(zone)).replace(tzinfo=None, fold=0)


def offset(instant: int, zone: str) -> int:
    """What local time is ahead of UTC, in microseconds."""
    shift = to_datetime(instant).astimezone(zone_info(zone)).utcoffset()
    return round((shift or timedelta()).total_seconds()) * SECOND


def from_local(local: datetime, zone: str) -> int:
    """The instant of a wall-clock time by RFC 5545: a gap takes the offset before it, of two the first."""
    return to_instant(local.replace(tzinfo=zone_info(zone), fold=0))


def to_datetime(instant: int) -> datetime:
    return _EPOCH + timedelta(microseconds=min(max(instant, FIRST_INSTANT), LAST_INSTANT))


def to_instant(moment: datetime) -> int:
    delta = moment.astimezone(UTC) - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def show(instant: int) -> str:
    """RFC 3339 in UTC: whole seconds without a fraction, else milliseconds or microseconds."""
    whole, rest = divmod(min(max(instant, FIRST_INSTANT), LAST_INSTANT), SECOND)
    text = datetime.fromtimestamp(whole, UTC).isoformat()[:19]
    if not rest:
        return text + "Z"
    return f"{text}.{rest // 1000:03d}Z" if not rest % 1000 else f"{text}.{rest:06d}Z"


def read_time(text: str, zone: str = "UTC") -> int | None:
    """An RFC 3339 time (also unpadded, or a plain date or local time, read in `zone`), or None when it is none."""
    match = _RFC3339.match(text) if len(text) <= 64 else None
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        micros = int((fraction or "0").ljust(6, "0")[:6])
        whole = int(second or 0)
        local = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), min(whole, 59), micros)
        leap = SECOND if whole == 60 else 0
        if whole > 60:
            return None
        if offset is None:
            return from_local(local, zone) + leap
        if offset in "Zz":
            return to_instant(local.replace(tzinfo=UTC)) + leap
        hours, minutes = int(offset[1:3]), int(offset[-2:])
        if hours > 23 or minutes > 59:
            return None
        shift = (hours * 60 + minutes) * MINUTE
        return to_instant(local.replace(tzinfo=UTC)) + leap - (shift if offset[0] == "+" else -shift)
    except (ValueError, OverflowError):
        return None
