"""Identity: what joins profiles, what never does, and the words by which two partitions agree on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.core import ids
from kizuna.core.clock import DAY
from kizuna.engine.moment import FROM_OUTSIDE, Item, Moment
from kizuna.profiles.section import Profile, Waiting

MAX_MERGES = 100  # of one profile, ever
MAX_MONTHLY, MONTH = 20, 30 * DAY
BLOCKED_VALUE, LIMIT, OTHER_CUSTOMER = "blocked", "limit", "other_customer"  # why an id was refused
BLOCKED = frozenset(("null", "undefined", "none", "nan", "0", "-1", "anonymous", "unknown", "guest", "true", "false"))


class Link(Struct, array_like=True, frozen=True):
    """Asked of an anonymous id's partition: whose it is now. Pointers pass it on."""

    anonymous_id: str
    survivor: bytes
    waits_for: str = ""  # what the survivor waits for, when that is an external id


class Absorb(Struct, array_like=True, frozen=True):
    """The answer, always given: the anonymous record's sections, empty when there is nothing to take."""

    anonymous_id: str
    created_at: int = 0
    seen_at: int = 0
    sections: dict[str, bytes] = {}
    refused: bool = False  # the id belongs to another customer already
    waits_for: str = ""  # of the link
    merged: bytes = b""  # the record that was handed over
    is_asked: bool = True  # else it was given without anybody waiting


class Claim(Struct, array_like=True, frozen=True):
    """Said to an external id's partition: who goes by it. The first one is whom its record points to, for ever."""

    named: tuple[str, str]  # type, id
    by: bytes
    anonymous_id: str  # of whoever says so; a known one says none, and waits for the answer


class Meet(Struct, array_like=True, frozen=True):
    """Said to a profile: this anonymous one is the same person. Known ones ask for it; of two anonymous ones the lower
    id survives, so that no two can hand themselves over to each other."""

    other: bytes
    anonymous_id: str


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


def refusal(value: str, own: str, profile: Profile, now: int) -> str:
    """Why the profile that goes by `own` may not take over what `value` names, or nothing."""
    if is_blocked(value) or is_blocked(own):
        return BLOCKED_VALUE
    lately = sum(at > now - MONTH for at in profile.met_at)
    return LIMIT if len(profile.met) >= MAX_MERGES or lately >= MAX_MONTHLY else ""


def ids_to_claim(moment: Moment, profile: Profile) -> list[tuple[str, str]]:
    """(type, id) of the external ids that an event names and that were not claimed yet; see `refusal`."""
    if moment.type not in FROM_OUTSIDE or not moment.item.context:
        return []
    return [named for named in external_ids(moment.context) if named not in profile.claimed]


def external_ids(context: dict[str, Any]) -> list[tuple[str, str]]:
    """Each (type, id) once."""
    listed = context.get("externalIds")
    found = [
        (str(each.get("type", "external")), each["id"])
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict) and isinstance(each.get("id"), str)
    ]
    return list(dict.fromkeys(found))


def own_name(record: bytes, workspace: int, names: Iterable[str]) -> str:
    """Which of the anonymous ids is that of the record itself."""
    return next((name for name in names if ids.profile_id(workspace, "anon", name) == record), "")


def waits_for(named: tuple[str, str]) -> str:
    return "\x1f".join(named)


def read_waits_for(text: str) -> tuple[str, str]:
    kind, _, name = text.partition("\x1f")
    return kind, name


def claim_item(workspace: int, claim: Claim, cause: str, at: int) -> Item:
    asked = ids.profile_id(workspace, "external", waits_for(claim.named))
    body = msgspec.msgpack.encode(claim)
    return Item(asked, _id("claim", asked, claim.by, cause), "claim", timestamp=at, properties=body, caused_by=cause)


def meet_item(to: bytes, meet: Meet, cause: str, at: int) -> Item:
    body = msgspec.msgpack.encode(meet)
    return Item(to, _id("meet", to, meet.other, cause), "meet", timestamp=at, properties=body, caused_by=cause)


def link_item(to: bytes, link: Link, cause: str, at: int) -> Item:
    body = msgspec.msgpack.encode(link)
    return Item(to, _id("link", to, link.survivor, cause), "link", timestamp=at, properties=body, caused_by=cause)


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


def read_claim(moment: Moment) -> Claim:
    return msgspec.msgpack.decode(moment.item.properties, type=Claim)


def read_meet(moment: Moment) -> Meet:
    return msgspec.msgpack.decode(moment.item.properties, type=Meet)


def read_absorb(moment: Moment) -> Absorb:
    return msgspec.msgpack.decode(moment.item.properties, type=Absorb)


def read_waiting(moment: Moment) -> Waiting:
    return msgspec.msgpack.decode(moment.item.properties, type=Waiting)


def read_forward(moment: Moment) -> Moment:
    """What was said, to be folded now; among equal times it keeps its own arrival."""
    said = read_waiting(moment)
    forwarded = Moment(said.item, said.at, moment.root, said.index)
    forwarded.at, forwarded.program = moment.at, said.program
    return forwarded


def _id(*parts: str | bytes) -> str:
    return ids.show("evt", ids.derive(*parts))
