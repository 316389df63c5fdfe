"""Many acts of consent at once, each taken or refused for itself: history that is brought along."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from kizuna.accounts import store as accounts
from kizuna.consent.accept import accept
from kizuna.consent.choose import Choice, check, is_opted_out, item_of, needs_proof, vetoes_of
from kizuna.consent.decide import OPTED_OUT
from kizuna.consent.subjects import Subjects
from kizuna.core.errors import FieldError, Invalid, KizunaError
from kizuna.engine.moment import Item
from kizuna.events.log import Log
from kizuna.profiles.find import find
from kizuna.runtime.database import Database

MOST = 1_000


class Refused(Struct, frozen=True):
    """One that was not taken."""

    index: int
    code: str
    message: str
    errors: list[FieldError]


class Taken(Struct, frozen=True):
    accepted: int
    refused: list[Refused]
    position: int | None  # None: nothing was taken


async def take_many(
    database: Database, log: Log, workspace: int, asked: list[dict[str, Any]], subjects: Subjects
) -> Taken:
    """`asked` are choices, each with `profile`. An opt-out of the same call counts for what stands behind it."""
    if len(asked) > MOST:
        raise Invalid(f"at most {MOST} acts at once", code="too_many")
    said: list[tuple[Item, Choice]] = []
    refused: list[Refused] = []
    out: set[tuple[bytes, str, str | None]] = set()
    async with database.connection() as conn:
        now = await accounts.now(conn, workspace)
        for index, body in enumerate(asked):
            try:
                choice = _read(body)
                subjects.check(choice.channel)
                profile = await find(conn, workspace, str(body.get("profile") or ""))
                key = (profile, choice.channel, choice.topic)
                if needs_proof(choice) and (key in out or await is_opted_out(conn, workspace, profile, choice)):
                    raise Invalid("they opted out: only an opt-in with its `proof` changes that", code="opted_out")
            except KizunaError as error:
                refused.append(Refused(index, error.code, str(error), error.errors))
                continue
            if choice.state == OPTED_OUT:
                out.add(key)
            said.append((item_of(profile, choice, now), choice))
    items = [item for item, _ in said]
    position = await accept(database, log, workspace, items, vetoes_of(said)) if items else None
    return Taken(len(items), refused, position)


def _read(body: dict[str, Any]) -> Choice:
    try:
        choice = msgspec.convert({key: value for key, value in body.items() if key != "profile"}, Choice)
    except msgspec.ValidationError as error:
        raise Invalid(str(error), code="invalid_consent") from None
    check(choice)
    if choice.confirm:
        raise Invalid("many at once are not asked to confirm", code="invalid_consent")
    return choice
