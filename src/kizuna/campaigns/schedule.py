"""When a campaign is said: now, at an instant, or at a local time in each profile's zone. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from msgspec import Struct

from kizuna.core import clock
from kizuna.core.errors import FieldError, Invalid

NOW = "now"
LATEST = clock.HOUR  # after its local time: later than that is too late
FIRST_ZONE = "Etc/GMT-14"  # where every local time comes first: UTC+14

_LOCAL = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?\Z", re.ASCII)
_OFFSET = re.compile(r"([Zz]|[+-]\d{2}:?\d{2})\Z", re.ASCII)


class Schedule(Struct, frozen=True):
    """At most one of the two; none is now."""

    at: int | None = None
    local: datetime | None = None

    def begins_at(self, now: int) -> int:
        """When its members are gathered: for a local time, when that comes to the first zone of the world."""
        if self.local is not None:
            return max(now, clock.from_local(self.local, FIRST_ZONE))
        return now if self.at is None else max(now, self.at)

    def due_at(self, now: int, zone: str) -> int:
        """When it is said to a profile in `zone`; a local time that does not exist or comes twice by RFC 5545."""
        return now if self.local is None else clock.from_local(self.local, zone)


def parse(raw: Any, pointer: str = "/schedule") -> Schedule:
    """`now`, a time with its offset, or `{local: time}`; raises `Invalid`."""
    if raw == NOW:
        return Schedule()
    if isinstance(raw, str):
        at = clock.read_time(raw) if _OFFSET.search(raw) else None
        if at is None:
            raise _invalid(pointer, "`now`, a time with its offset such as 2026-12-24T09:00:00+09:00, or {local: time}")
        return Schedule(at=at)
    if isinstance(raw, dict) and raw.keys() == {"local"}:
        text = raw["local"]
        try:
            if isinstance(text, str) and _LOCAL.match(text):
                return Schedule(local=datetime.fromisoformat(text))
        except ValueError:
            pass
        raise _invalid(f"{pointer}/local", "a local time without offset, such as 2026-12-24T09:00")
    raise _invalid(pointer, "`now`, a time with its offset, or {local: time}")


def _invalid(pointer: str, wanted: str) -> Invalid:
    return Invalid(
        f"this is no schedule: write {wanted}", code="invalid", errors=[FieldError(pointer, "invalid", wanted)]
    )
