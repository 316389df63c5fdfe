"""Identity: what joins profiles, what never does, and the words by which two partitions agree on it."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from kizuna.core import ids
from kizuna.core.clock import DAY
from kizuna.engine.moment import Item, Moment
from kizuna.profiles.section import Profile, Waiting

MAX_MERGES = 100  # of one profile, ever
MAX_MONTHLY, MONTH = 20, 30 * DAY
BLOCKED_VALUE, LIMIT, OTHER_CUSTOMER = "blocked", "limit", "other_customer"  # why an id was refused
BLOCKED = frozenset(("null", "undefined", "none", "nan", "0", "-1", "anonymous", "unknown", "guest", "true", "false"))


class Link(Struct, array_like=True, frozen=True):
    """Asked of an anonymous id's partition: whose it is now."""

    anonymous_id: str
    survivor: bytes


class Absorb(Struct, array_like=True, frozen=True):
    """The answer, always given: the anonymous record's sections, empty when there is nothing to take."""

    anonymous_id: str
    created_at: int = 0
    seen_at: int = 0
    sections: dict[str, bytes] = {}
    refused: bool = False  # the id belongs to another customer already


def is_blocked(value: str) -> bool:
    """Placeholders that many people share; they join nobody."""
    return value.strip().lower() in BLOCKED or not value.strip("0-") or not value.strip()


def id_to_join(moment: Moment, profile: Profile) -> str:
    """The anonymous id that `identify` or `alias` asks to join and we have not met, or nothing; see `refusal`."""
    item = moment.item
    if not item.user_id:
        return ""
    wanted = item.anonymous_id if item.type == "identify" else item.name if item.type == "alias" else ""
    return "" if wanted in profile.met or wanted == item.user_id else wanted


def refusal(value: str, user_id: str, profile: Profile, now: int) -> str:
    """Why the profile of `user_id` may not take over what `value` names, or nothing."""
    if is_blocked(value) or is_blocked(user_id):
        return BLOCKED_VALUE
    lately = sum(at > now - MONTH for at in profile.met_at)
    return LIMIT if len(profile.met) >= MAX_MERGES or lately >= MAX_MONTHLY else ""


def link_item(workspace: int, anonymous_id: str, survivor: bytes, cause: str, at: int) -> Item:
    asked = ids.profile_id(workspace, "anon", anonymous_id)
    body = msgspec.msgpack.encode(Link(anonymous_id, survivor))
    return Item(asked, _id("link", asked, survivor, cause), "link", timestamp=at, properties=body, caused_by=cause)


def absorb_item(survivor: bytes, answer: Absorb, cause: str, at: int) -> Item:
    body = msgspec.msgpack.encode(answer)
    return Item(
        survivor, _id("absorb", survivor, answer.anonymous_id.encode(), cause), "absorb",
        timestamp=at, properties=body, caused_by=cause,
    )  # fmt: skip


def forward_item(survivor: bytes, said: Waiting) -> Item:
    """An item for a merged record, said again to the one it lives on in."""
    item = said.item
    body = msgspec.msgpack.encode(msgspec.structs.replace(said, item=msgspec.structs.replace(item, profile=survivor)))
    return Item(survivor, _id("forward", item.profile, survivor, item.id), "forward", properties=body)


def read_link(moment: Moment) -> Link:
    return msgspec.msgpack.decode(moment.item.properties, type=Link)


def read_absorb(moment: Moment) -> Absorb:
    return msgspec.msgpack.decode(moment.item.properties, type=Absorb)


def read_forward(moment: Moment) -> Moment:
    """What was said, to be folded now; among equal times it keeps its own arrival."""
    said = msgspec.msgpack.decode(moment.item.properties, type=Waiting)
    forwarded = Moment(said.item, said.at, moment.root, said.index)
    forwarded.at, forwarded.program = moment.at, said.program
    return forwarded


def _id(*parts: str | bytes) -> str:
    return ids.show("evt", ids.derive(*parts))
