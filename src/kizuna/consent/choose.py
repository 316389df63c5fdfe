"""One act of consent: refused when it would undo an opt-out without proof, else appended, with its veto."""

from __future__ import annotations

import os
from typing import Any

from msgspec import Struct

from kizuna.accounts import store as accounts
from kizuna.consent import store
from kizuna.consent.accept import Veto, accept
from kizuna.consent.decide import OPTED_OUT, STATES, state
from kizuna.consent.section import Consent
from kizuna.core import exact_json, ids
from kizuna.core.errors import Conflict, FieldError, Invalid
from kizuna.engine.moment import Item
from kizuna.engine.record import decoder_of
from kizuna.events.log import Log
from kizuna.runtime.database import Database


class Choice(Struct, frozen=True, forbid_unknown_fields=True):
    """What the customer said about a channel, or a topic of it."""

    channel: str
    state: str
    topic: str | None = None
    source: str = "api"
    proof: Any = None


async def choose(database: Database, log: Log, workspace: int, profile: bytes, choice: Choice) -> int:
    """Accept it and say its position; raises `Conflict` with code `opted_out`."""
    _check(choice)
    async with database.connection() as conn:
        if choice.state != OPTED_OUT and not choice.proof and await is_opted_out(conn, workspace, profile, choice):
            raise Conflict("they opted out: only an opt-in with its `proof` changes that", code="opted_out")
        now = await accounts.now(conn, workspace)
    item = item_of(profile, choice, now)
    is_out = choice.state == OPTED_OUT
    vetoes = [Veto(profile, item.id, choice.channel, choice.topic or "")] if is_out else []
    return await accept(database, log, workspace, [item], vetoes)


async def is_opted_out(conn: Any, workspace: int, profile: bytes, choice: Choice) -> bool:
    """Folded or not yet."""
    topic = choice.topic or ""
    if (choice.channel, topic) in await store.open_vetoes(conn, workspace, profile):
        return True
    raw = await store.section(conn, workspace, profile)
    section = decoder_of(Consent)(raw) if raw else Consent()
    return state(section, choice.channel, topic) == OPTED_OUT


def _check(choice: Choice) -> None:
    errors = []
    if not choice.channel:
        errors.append(FieldError("/channel", "required", "name a channel, such as email"))
    if choice.state not in STATES:
        errors.append(FieldError("/state", "invalid", f"one of {', '.join(STATES)}"))
    if errors:
        raise Invalid("this is no choice of consent", code="invalid_consent", errors=errors)


def item_of(profile: bytes, choice: Choice, now: int) -> Item:
    """What the log keeps of it."""
    said = {"channel": choice.channel, "state": choice.state, "source": choice.source}
    if choice.topic:
        said["topic"] = choice.topic
    if choice.proof:
        said["proof"] = choice.proof
    return Item(
        profile=profile, id=ids.show("evt", os.urandom(ids.ID_BYTES)), type="consent", timestamp=now,
        properties=exact_json.encode(said), received_at=now,
    )  # fmt: skip
