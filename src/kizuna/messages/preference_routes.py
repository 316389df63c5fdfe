"""HTTP of the preference centre: a customer's channels and topics, changed by plain forms, by signed token."""

from __future__ import annotations

import contextlib
from typing import Any

from litestar import Request, Response, get, post

from kizuna.accounts import store as accounts
from kizuna.channels import address_of, all_channels, is_in_page
from kizuna.config import Config
from kizuna.consent import choose as consenting
from kizuna.consent import store as consent_store
from kizuna.consent.choose import Choice
from kizuna.consent.decide import OPTED_IN, OPTED_OUT
from kizuna.consent.section import Consent
from kizuna.core import ids
from kizuna.core.errors import Invalid, NotSettled
from kizuna.events import settled
from kizuna.events.log import Log
from kizuna.messages import choices, holder, page, store
from kizuna.messages.choices import Reach
from kizuna.messages.holder import Found
from kizuna.messages.links import PREFERENCES
from kizuna.messages.policy import parse
from kizuna.runtime.database import Database

_OPEN_TO_ALL = {"public": True}
SECONDS = 2.0  # that a page waits for a choice to be folded; accepted and obeyed it is before


@get("/p/{token:str}", opt=_OPEN_TO_ALL)
async def preference_page(
    token: str, request: Request[Any, Any, Any], database: Database, config: Config
) -> Response[str]:
    """Changes nothing, whoever looks."""
    found, _ = await holder.read(database, config, token, PREFERENCES)
    return _page(page.preferences(found.language(request.headers), await _reaches(database, found)))


@post("/p/{token:str}", status_code=200, opt=_OPEN_TO_ALL)
async def prefer(
    token: str, request: Request[Any, Any, Any], database: Database, config: Config, log: Log
) -> Response[str]:
    """The person's own act: it may also undo an opt-out, and is its own proof. A line says what is to be, so that a
    form sent twice has said it once."""
    found, _ = await holder.read(database, config, token, PREFERENCES)
    form = await request.form()
    channel, topic = str(form.get("channel") or found.channel), str(form.get("topic") or "")
    wanted = str(form.get("state"))
    known = {(line.channel, line.topic) for reach in await _reaches(database, found) for line in reach.lines}
    if wanted not in (OPTED_IN, OPTED_OUT) or (channel, topic) not in known:
        raise Invalid("this is no choice of this page", code="invalid_consent")
    proof = {"page": "preferences", "message": ids.show("msg", found.message), "address": found.row["address"]}
    choice = Choice(channel=channel, state=wanted, topic=topic or None, source="preferences", proof=proof)
    position = await consenting.choose(database, log, found.workspace, found.profile, choice)
    with contextlib.suppress(NotSettled):
        await settled.wait(database, found.workspace, position, SECONDS)
    now = await _reaches(database, found, (channel, topic, wanted))
    return _page(page.preferences(found.language(request.headers), now, saved=(channel, topic)), position=position)


async def _reaches(database: Database, found: Found, said: tuple[str, str, str] | None = None) -> list[Reach]:
    """The channels the customer has, that of the message first; with what was accepted and is not folded yet."""
    async with database.connection() as conn:
        vetoes = await consent_store.open_vetoes(conn, found.workspace, found.profile)  # before the record: the
        raw = await consent_store.section(conn, found.workspace, found.profile)  # fold moves one into the other
        rows = await store.definitions(conn, found.workspace, "topic")
        general = await store.neutral(conn, found.workspace)
        terms = parse(await consent_store.policy(conn, found.workspace)).terms
        now = await accounts.now(conn, found.workspace)

    def neutral(said: str, channel: str, topic: str | None) -> str:
        return terms.neutral(said or general, channel, topic, found.traits)

    consent = choices.chosen(holder.consent_of(raw), vetoes, OPTED_OUT)
    if said is not None:
        consent = choices.chosen(consent, [said[:2]], said[2])
    topics: dict[str, dict[str, Any]] = {name: body for name, _, _, body, _ in rows}
    if found.topic:
        topics.setdefault(found.topic, {})
    return choices.reaches(consent, _addresses(found, consent), topics, neutral, now)


def _addresses(found: Found, consent: Consent) -> dict[str, str | None]:
    known = {
        name: None if is_in_page(name) else address_of(channel, found.traits, found.known.devices)
        for name, channel in all_channels().items()
    }  # what lies in pages is offered to those who chose there
    chosen = {*consent.channels, *consent.topics}
    others = [name for name, address in known.items() if name != found.channel and (address or name in chosen)]
    return {name: known.get(name) for name in (found.channel, *others)}


def _page(body: str, status: int = 200, position: int | None = None) -> Response[str]:
    return Response(body, status_code=status, media_type=page.HTML, headers=page.headers(position))


ROUTES = [preference_page, prefer]
