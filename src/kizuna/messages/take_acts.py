"""What customers did at a channel, as items of the log: whose act it is, and each act once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.channels import KnowsByTrait, all_channels
from kizuna.consent import store as consent_store
from kizuna.consent.accept import Veto
from kizuna.consent.choose import Choice, item_of
from kizuna.consent.decide import OPTED_OUT
from kizuna.consent.section import Consent, standing
from kizuna.core import exact_json, ids
from kizuna.core.clock import DAY
from kizuna.engine.append import Statement
from kizuna.engine.moment import Item
from kizuna.engine.record import decoder_of
from kizuna.messages import sql_acts, sql_told
from kizuna.messages.report import new_id, of_customer
from kizuna.profiles import store as profiles
from kizuna.profiles.everybody import everybody
from kizuna.providers.report import Act

REPLY_WITHIN = 7 * DAY  # of a message: later words answer none
LONGEST_NAME = 200
MOST_WORDS = 5_000  # characters of what was written


class Told(Struct, frozen=True):
    """An act with all that is known when it is taken."""

    act: Act
    provider: str
    channel: str
    at: int

    @property
    def key(self) -> bytes:
        act = self.act
        name = act.id or f"{act.at} {act.text}"
        return ids.derive("act", self.provider, act.state, act.address, name)


class Acts(Struct, frozen=True):
    """Items, and what is to be written with them: opt-outs that every claim must see, and that each was taken."""

    items: list[Item] = []
    vetoes: list[Veto] = []
    once: list[Statement] = []


async def take_acts(conn: AsyncConnection[Any], workspace: int, told: Sequence[Told]) -> Acts:
    acts = Acts()
    new = {one.key: one for one in told}
    for known in await sql_told.known(conn, workspace, list(new)):
        del new[known]
    for key, one in new.items():
        channel = all_channels().get(one.channel)
        if not isinstance(channel, KnowsByTrait) or not channel.is_valid(one.act.address):
            continue
        people = await _people(conn, workspace, channel.trait, one.act)
        if not people:
            stranger = _stranger(workspace, one, channel.trait)
            acts.items.append(stranger)
            people = [stranger.profile]
        for person in people[:1] if one.act.state == "replied" else people:
            if item := await _item(conn, workspace, person, one):
                acts.items.append(item)
                if one.act.state == OPTED_OUT:
                    acts.vetoes.append(Veto(person, item.id, one.channel))
        acts.once.append(sql_told.once(workspace, key, one.at))
    return acts


async def _people(conn: AsyncConnection[Any], workspace: int, trait: str, act: Act) -> list[bytes]:
    """Whose act it is; an opt-out is everybody's who has the address."""
    if act.state == OPTED_OUT:
        return await everybody(conn, workspace, trait, act.address)
    return await profiles.by_trait(conn, workspace, trait, act.address, sql_acts.MOST_PEOPLE)


def _stranger(workspace: int, one: Told, trait: str) -> Item:
    """Nobody here has this address yet: a profile of its own, that `identify` with this anonymous id joins."""
    name = f"{one.channel}:{one.act.address}"
    return Item(
        profile=ids.profile_id(workspace, "anon", name), id=ids.show("evt", ids.derive("stranger", one.key)),
        type="identify", timestamp=one.at, properties=exact_json.encode({trait: one.act.address}),
        anonymous_id=name, received_at=one.at,
    )  # fmt: skip


async def _item(conn: AsyncConnection[Any], workspace: int, person: bytes, one: Told) -> Item | None:
    act = one.act
    if act.state == "replied":
        about = await sql_acts.answered(conn, workspace, person, one.channel, one.provider, one.at - REPLY_WITHIN)
        said = {"channel": one.channel, "source": one.provider, "address": act.address, **about}
        said |= {
            name: value for name, value in (("form", act.form[:LONGEST_NAME]), ("text", act.text[:MOST_WORDS])) if value
        }
        return of_customer(person, "replied", one.at, said, new_id())
    if act.state == OPTED_OUT and await _chose_later(conn, workspace, person, one):
        return None
    proof = {"provider": one.provider, "address": act.address, **({"id": act.id[:LONGEST_NAME]} if act.id else {})}
    return item_of(person, Choice(one.channel, act.state, source=one.provider, proof=proof), one.at)


async def _chose_later(conn: AsyncConnection[Any], workspace: int, person: bytes, one: Told) -> bool:
    """They tell again what we did not take, perhaps after the customer came back."""
    raw = await consent_store.section(conn, workspace, person)
    proven = standing(decoder_of(Consent)(raw), one.channel, None).proven if raw is not None else None
    return proven is not None and proven.at > one.at
