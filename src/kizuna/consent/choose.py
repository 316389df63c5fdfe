"""One act of consent: refused when it would undo an opt-out without proof, else appended, with its veto."""

from __future__ import annotations

import os
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.consent import store
from kizuna.consent.accept import Veto, accept
from kizuna.consent.decide import OPTED_OUT, STATES, state
from kizuna.consent.law import BASES, EXPRESS
from kizuna.consent.section import Consent
from kizuna.consent.standing import OPTED_IN, PENDING
from kizuna.core import clock, exact_json, ids
from kizuna.core.errors import Conflict, FieldError, Invalid, Unprocessable
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
    at: str | None = None  # when they said it, where that was not now
    until: str | None = None  # when an opt-in runs out by itself
    basis: str = EXPRESS  # what it rests on; an implied one runs out where a law says so
    confirm: bool = False  # with `pending`: they are sent a mail that asks for their confirmation


async def choose(database: Database, log: Log, workspace: int, profile: bytes, choice: Choice) -> int:
    """Accept it and say its position; raises `Conflict` with code `opted_out`."""
    check(choice)
    async with database.connection() as conn:
        await _check_state(conn, workspace, profile, choice)
        now = await accounts.now(conn, workspace)
    item = item_of(profile, choice, now)
    return await accept(database, log, workspace, [item], vetoes_of([(item, choice)]))


async def _check_state(conn: AsyncConnection[Any], workspace: int, profile: bytes, choice: Choice) -> None:
    if choice.confirm:
        if not (await store.policy(conn, workspace)).get("double_opt_in"):
            raise Unprocessable("the policy has no `double_opt_in`: name its template first", code="no_double_opt_in")
    elif needs_proof(choice) and await is_opted_out(conn, workspace, profile, choice):
        raise Conflict("they opted out: only an opt-in with its `proof` changes that", code="opted_out")


def needs_proof(choice: Choice) -> bool:
    """Whether it may not be said of somebody who opted out. Who was only asked has proved nothing."""
    return choice.state != OPTED_OUT and (not choice.proof or choice.state == PENDING)


async def is_opted_out(conn: AsyncConnection[Any], workspace: int, profile: bytes, choice: Choice) -> bool:
    """Folded or not yet."""
    topic = choice.topic or ""
    if (choice.channel, topic) in await store.open_vetoes(conn, workspace, profile):
        return True
    raw = await store.section(conn, workspace, profile)
    section = decoder_of(Consent)(raw) if raw else Consent()
    return state(section, choice.channel, topic) == OPTED_OUT


def vetoes_of(said: list[tuple[Item, Choice]]) -> list[Veto]:
    """What is to be accepted with these acts, so that every claim obeys an opt-out before it is folded."""
    return [
        Veto(item.profile, item.id, choice.channel, choice.topic or "")
        for item, choice in said
        if choice.state == OPTED_OUT
    ]


def check(choice: Choice) -> None:
    """Raises `Invalid` with all that is wrong."""
    errors = []
    if not choice.channel or "/" in choice.channel:
        errors.append(FieldError("/channel", "required", "name a channel, such as email"))
    if choice.state not in STATES:
        errors.append(FieldError("/state", "invalid", f"one of {', '.join(STATES)}"))
    if choice.basis not in BASES:
        errors.append(FieldError("/basis", "invalid", f"one of {', '.join(BASES)}"))
    if choice.confirm and choice.state != PENDING:
        errors.append(FieldError("/confirm", "not_pending", "a confirmation is asked for with state `pending`"))
    if choice.until is not None and choice.state != OPTED_IN:
        errors.append(FieldError("/until", "no_opt_in", "only an opt-in runs out"))
    for name, said in (("at", choice.at), ("until", choice.until)):
        if said is not None and clock.read_time(said) is None:
            errors.append(FieldError(f"/{name}", "invalid", "a time such as 2026-04-01T09:00:00Z"))
    if errors:
        raise Invalid("this is no choice of consent", code="invalid_consent", errors=errors)


def item_of(profile: bytes, choice: Choice, now: int, item_id: str = "", flags: int = 0) -> Item:
    """What the log keeps of it. What is said to be of later is of now."""
    said: dict[str, Any] = {"channel": choice.channel, "state": choice.state, "source": choice.source}
    for name in ("topic", "proof", "until"):
        if value := getattr(choice, name):
            said[name] = value
    if choice.basis != EXPRESS:
        said["basis"] = choice.basis
    if choice.confirm:
        said["confirm"] = True
    at = clock.read_time(choice.at) if choice.at else None
    return Item(
        profile=profile, id=item_id or ids.show("evt", os.urandom(ids.ID_BYTES)), type="consent",
        timestamp=now if at is None else min(at, now), properties=exact_json.encode(said), received_at=now, flags=flags,
    )  # fmt: skip
