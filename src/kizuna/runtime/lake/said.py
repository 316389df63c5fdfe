"""Rows of the log as they are read: what the lake keeps of each item, decoded once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from kizuna.core import clock, ids

if TYPE_CHECKING:
    from kizuna.runtime.lake.columns import Columns

# How records speak to each other; what they say was, or will be, said by another item.
INTERNAL = frozenset(("tick", "link", "absorb", "forward", "claim", "meet", "fill", "resume", "device", "device_moved"))
PROFILE_UPDATED, PROFILE_MERGED = "profile_updated", "profile_merged"

EARLIEST, LATEST = clock.read_time("2000-01-01") or 0, clock.read_time("2050-12-31") or 0


class Said(Struct, array_like=True, gc=False, frozen=True):
    """An item as the log's rows hold it: `engine.moment.Item`, which is above this layer; a test compares the two."""

    profile: bytes
    id: str
    type: str
    name: str = ""
    timestamp: int = 0
    properties: bytes = b"{}"
    context: bytes = b""
    user_id: str = ""
    anonymous_id: str = ""
    received_at: int = 0
    flags: int = 0
    caused_by: str = ""


# The fields of `Said`, without an object for each item.
Cells = tuple[bytes, str, str, str, int, bytes, bytes, str, str, int, int, str]


class LogRow(Struct, frozen=True):
    """A row of the log, and which of its items were not applied."""

    partition: int
    offset: int
    at: int
    body: bytes
    duplicates: Sequence[int] = ()


# What a `profile_updated` or `profile_merged` fact says, as far as the lake keeps it:
# profile, merged into, traits (JSON), zone, locale, user id.
Change = tuple[str, str | None, bytes | None, str | None, str | None, str | None]


class _Told(Struct):
    """The properties of such a fact."""

    joined: Any = msgspec.field(default=None, name="from")
    traits: msgspec.Raw = msgspec.Raw(b"{}")
    zone: Any = None
    locale: Any = None
    user_id: Any = None


def columns_of(rows: Iterable[LogRow]) -> Columns:
    """What the rows say as Arrow; loads numpy and Arrow, which take a moment."""
    from kizuna.runtime.lake.columns import Columns

    return Columns.of(rows)


def cells_of(body: bytes) -> list[Cells]:
    """The items of a row. Rows written by another version may have fewer or more fields."""
    try:
        return _decode(body)
    except msgspec.ValidationError:
        return [msgspec.structs.astuple(said) for said in _decode_said(body)]


def changes_of(facts: Sequence[tuple[bytes, str, bytes]]) -> list[Change]:
    """What such facts say, of (profile, name, properties)."""
    told = _decode_told(b"[%b]" % b",".join([properties for _, _, properties in facts]))
    return [
        (_text(each.joined) or "", ids.show("prf", profile), None, None, None, None)
        if name == PROFILE_MERGED
        else (
            ids.show("prf", profile),
            None,
            bytes(each.traits),
            _text(each.zone),
            _text(each.locale),
            _text(each.user_id),
        )
        for (profile, name, _), each in zip(facts, told, strict=True)
    ]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


@lru_cache(4096)
def month_of_day(day: int) -> str:
    """The UTC month of a day counted from 1970, as the lake is divided."""
    return clock.to_datetime(day * clock.DAY).strftime("%Y-%m")


_decode = msgspec.msgpack.Decoder(list[Cells]).decode
_decode_said = msgspec.msgpack.Decoder(list[Said]).decode
_decode_told = msgspec.json.Decoder(list[_Told]).decode
