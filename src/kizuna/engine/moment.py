"""What is folded: an item of the log, said to one profile at one instant."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from msgspec import Struct

from kizuna.core import exact_json
from kizuna.core.clock import DAY

BACKFILL = 1  # recorded and counted, starts nothing
CLOCK_AHEAD = 2  # dated more than five minutes after its arrival

FROM_OUTSIDE = frozenset(("track", "identify", "page", "screen", "group", "alias"))  # carry a sender's messageId
ONCE = FROM_OUTSIDE | {"say", "enter"}  # folded once by their ids, however often they were accepted
RESUME = "resume"  # what was parked of this profile is folded now

REMEMBERED = 90 * DAY  # how long a messageId is known; then it may be said again

RULING = -1  # the program version that rules when it is folded

_ARRIVAL_EPOCH = 1_577_836_800_000_000  # 2020, so that arrivals fit 64 bits


class Item(Struct, array_like=True, gc=False, frozen=True):
    """One thing said to one profile, as the log keeps it. Instants are microseconds in UTC."""

    profile: bytes  # 16 bytes: to whom
    id: str  # the sender's messageId, or derived from the cause
    type: str  # track identify page screen group alias, or one of ours: fact report consent link absorb ...
    name: str = ""  # event name; the previous id of an alias; the group id of a group
    timestamp: int = 0  # when it happened, clock skew corrected
    properties: bytes = b"{}"  # a JSON object, checked; the traits of identify and group
    context: bytes = b""  # a JSON object, or nothing
    user_id: str = ""
    anonymous_id: str = ""
    received_at: int = 0
    flags: int = 0
    caused_by: str = ""


class Moment:
    """An item at the instant it is folded; what its body says is decoded once, when first asked."""

    __slots__ = (
        "_context", "_properties", "arrival", "at", "id", "item", "name", "program", "root", "timestamp", "type",
    )  # fmt: skip

    def __init__(self, item: Item, at: int, root: int, index: int = 0) -> None:
        self.item = item
        self.type = item.type
        self.name = item.name
        self.id = item.id
        self.timestamp = item.timestamp
        self.at = at  # log time: when it was said; never falls within a partition
        self.root = root  # the position of the outside write it follows from
        self.arrival = ((at - _ARRIVAL_EPOCH) << 12) | min(index, 4095)  # breaks ties between equal timestamps
        self.program = RULING  # or the program version under which it was said, when it was kept back
        self._properties: dict[str, Any] | None = None
        self._context: dict[str, Any] | None = None

    @property
    def properties(self) -> dict[str, Any]:
        properties = self._properties
        if properties is None:
            properties = self._properties = exact_json.decode(self.item.properties) if self.item.properties else {}
        return properties

    @property
    def context(self) -> dict[str, Any]:
        context = self._context
        if context is None:
            context = self._context = exact_json.decode(self.item.context) if self.item.context else {}
        return context

    @property
    def is_event(self) -> bool:
        """Whether rules may count it: what customers did, and what we recorded about them."""
        return self.type in ("track", "page", "screen", "fact", "report")

    @property
    def is_backfill(self) -> bool:
        return bool(self.item.flags & BACKFILL)


def message_key(message_id: str) -> bytes:
    """What is kept of a messageId: 16 bytes."""
    return blake2b(message_id.encode(), digest_size=16, person=b"messageId").digest()
