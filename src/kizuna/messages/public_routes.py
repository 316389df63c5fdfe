"""HTTP for customers: unsubscribe, preferences, clicks, dismissals, opens, view in browser; by signed token."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from typing import Any

from litestar import Request, Response, get, post
from msgspec import Struct

from kizuna.accounts import store as accounts
from kizuna.config import Config
from kizuna.consent import choose as consenting
from kizuna.consent import store as consent_store
from kizuna.consent.choose import Choice
from kizuna.consent.decide import OPTED_OUT, state
from kizuna.consent.section import Consent
from kizuna.core import ids
from kizuna.core.errors import Invalid, NotFound
from kizuna.engine.record import decoder_of
from kizuna.events.log import Log
from kizuna.messages import page, store
from kizuna.messages.links import CLICK, DISMISS, OPEN, PREFERENCES, UNSUBSCRIBE, VIEW, Signer, Ticket
from kizuna.messages.report import new_id, of_customer
from kizuna.providers.vault import secrets_of
from kizuna.runtime.database import Database

_STYLE_HASH = base64.b64encode(hashlib.sha256(page.style().encode()).digest()).decode()
_PAGE_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_MAIL_POLICY = (
    "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
    " allow-top-navigation-by-user-activation"
)
_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_MACHINES = re.compile(
    r"bot\b|bot/|crawl|spider|preview|scan|proofpoint|mimecast|barracuda|safelinks|googleimageproxy|yahoomailproxy|"
    r"python|curl|wget|headless|monitor",
    re.IGNORECASE,
)

_OPEN_TO_ALL = {"public": True}


class Found(Struct, frozen=True):
    """The message a token names, and to whom it was said."""

    workspace: int
    message: bytes
    row: dict[str, Any]
    profile: bytes
    consent: Consent

    @property
    def channel(self) -> str:
        return self.row["channel"]

    @property
    def topic(self) -> str | None:
        return self.row["topic"]

    def said(self, **more: Any) -> dict[str, Any]:
        names = ("channel", "template", "journey", "run", "step", "campaign", "variant", "topic")
        known = {name: self.row[name] for name in names if self.row[name]}
        return {"message": ids.show("msg", self.message), **known, **more}


async def _read(database: Database, config: Config, token: str, purpose: bytes) -> tuple[Found, Ticket]:
    """Raises `NotFound` for a forged token, and for a message that is gone."""
    async with database.connection() as conn:
        ticket = Signer(secrets_of(await accounts.secret(conn), config.secret)).read(token, purpose)
        row = await store.one(conn, ticket.workspace, ticket.message)
        person = await store.person(conn, ticket.workspace, row["profile"]) if row else None
    if row is None or person is None:
        raise NotFound("this link is not one of ours")
    return Found(ticket.workspace, ticket.message, row, person[0], _consent(person)), ticket


def _consent(person: Any) -> Consent:
    return decoder_of(Consent)(person[2]) if person[2] else Consent()


# unsubscribe ---------------------------------------------------------------------------------------------------------


@get("/u/{token:str}", opt=_OPEN_TO_ALL)
async def unsubscribe_page(
    token: str, request: Request[Any, Any, Any], database: Database, config: Config
) -> Response[str]:
    """Changes nothing, whoever looks: link scanners do."""
    found, _ = await _read(database, config, token, UNSUBSCRIBE)
    return _page(page.unsubscribe(_language(request), found.topic))


@post("/u/{token:str}", status_code=200, opt=_OPEN_TO_ALL)
async def unsubscribe(
    token: str, request: Request[Any, Any, Any], database: Database, config: Config, log: Log
) -> Response[str]:
    """One click by the mail program (RFC 8058), or a button of our page."""
    found, _ = await _read(database, config, token, UNSUBSCRIBE)
    form = await request.form()
    scope, is_one_click = form.get("unsubscribe"), form.get("List-Unsubscribe") == "One-Click"
    if not is_one_click and scope not in ("topic", "channel"):
        return _page(page.unsubscribe(_language(request), found.topic), 400)
    topic = "" if scope == "channel" else found.topic or ""
    position = await _opt_out(database, log, found, topic, "one_click" if is_one_click else "page")
    return _page(page.unsubscribed(_language(request)), position=position)


async def _opt_out(database: Database, log: Log, found: Found, topic: str, source: str) -> int | None:
    """Once: who is out already stays out without another report."""
    async with database.connection() as conn:
        vetoes = await consent_store.open_vetoes(conn, found.workspace, found.profile)  # before the record: the
        person = await store.person(conn, found.workspace, found.row["profile"])  # fold moves one into the other
        now = await accounts.now(conn, found.workspace)
    consent = _consent(person) if person else found.consent
    if (found.channel, topic) in vetoes or state(consent, found.channel, topic) == OPTED_OUT:
        return None
    said = found.said(source=source) | {"topic": topic or None}
    item = of_customer(found.profile, "unsubscribed", now, said, new_id())
    veto = consent_store.veto(found.workspace, found.profile, item.id, found.channel, topic)
    return await log.append(found.workspace, [item], [veto])


# preferences ---------------------------------------------------------------------------------------------------------


@get("/p/{token:str}", opt=_OPEN_TO_ALL)
async def preference_page(
    token: str, request: Request[Any, Any, Any], database: Database, config: Config
) -> Response[str]:
    found, _ = await _read(database, config, token, PREFERENCES)
    return _page(page.preferences(_language(request), _choices(found), saved=False))


@post("/p/{token:str}", status_code=200, opt=_OPEN_TO_ALL)
async def prefer(
    token: str, request: Request[Any, Any, Any], database: Database, config: Config, log: Log
) -> Response[str]:
    """The person's own act: it may also undo an opt-out, and is its own proof."""
    found, _ = await _read(database, config, token, PREFERENCES)
    form = await request.form()
    topic, wanted = str(form.get("topic") or ""), form.get("state")
    choices = _choices(found)
    if wanted not in ("opted_in", OPTED_OUT) or topic not in {choice.topic for choice in choices}:
        raise Invalid("this is no choice of this page", code="invalid_consent")
    proof = {"page": "preferences", "message": ids.show("msg", found.message), "address": found.row["address"]}
    choice = Choice(channel=found.channel, state=str(wanted), topic=topic or None, source="preferences", proof=proof)
    position = await consenting.choose(database, log, found.workspace, found.profile, choice)
    changed = [each._replace(state=str(wanted)) if each.topic == topic else each for each in choices]
    return _page(page.preferences(_language(request), changed, saved=True), position=position)


def _choices(found: Found) -> list[page.Choosable]:
    """The channel as a whole, the message's topic, and every topic that a choice was made about."""
    topics = {*found.consent.topics.get(found.channel, {}), found.topic or ""} - {""}
    return [page.Choosable(topic, state(found.consent, found.channel, topic)) for topic in ["", *sorted(topics)]]


# clicks, opens, view -------------------------------------------------------------------------------------------------


@get("/c/{token:str}", status_code=302, opt=_OPEN_TO_ALL)
async def click(
    token: str, request: Request[Any, Any, Any], database: Database, config: Config, log: Log
) -> Response[None]:
    """Leads to a link of the message and nowhere else: the target is looked up, never taken from the address."""
    found, ticket = await _read(database, config, token, CLICK)
    async with database.connection() as conn:
        content = await store.content(conn, ticket.workspace, ticket.message)
        now = await accounts.now(conn, ticket.workspace)
    if content is None or ticket.link >= len(content[2]):
        raise NotFound("this link is not one of ours")
    url = content[2][ticket.link]
    said = found.said(url=url, actor=_actor(request))
    position = await log.append(found.workspace, [of_customer(found.profile, "clicked", now, said)])
    headers = {"Location": url, "Cache-Control": "no-store", "Kizuna-Position": str(position)}
    return Response(None, status_code=302, headers=headers)


@post("/d/{token:str}", status_code=204, opt=_OPEN_TO_ALL)
async def dismissed(token: str, database: Database, config: Config, log: Log) -> Response[None]:
    """A service worker or app says that a push was put away unread; a fact on the timeline, no state of the message."""
    found, _ = await _read(database, config, token, DISMISS)
    async with database.connection() as conn:
        now = await accounts.now(conn, found.workspace)
    position = await log.append(found.workspace, [of_customer(found.profile, "dismissed", now, found.said())])
    headers = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*", "Kizuna-Position": str(position)}
    return Response(None, status_code=204, headers=headers)


@get("/o/{name:str}", opt=_OPEN_TO_ALL)
async def opened(
    name: str, request: Request[Any, Any, Any], database: Database, config: Config, log: Log
) -> Response[bytes]:
    if not name.endswith(".gif"):
        raise NotFound("this link is not one of ours")
    found, _ = await _read(database, config, name.removesuffix(".gif"), OPEN)
    async with database.connection() as conn:
        now = await accounts.now(conn, found.workspace)
    said = found.said(actor=_actor(request))
    position = await log.append(found.workspace, [of_customer(found.profile, "opened", now, said)])
    headers = {
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Kizuna-Position": str(position),
    }
    return Response(_PIXEL, media_type="image/gif", headers=headers)


@get("/v/{token:str}", opt=_OPEN_TO_ALL)
async def view(token: str, database: Database, config: Config) -> Response[str]:
    """The message as it was sent, without any power over this origin."""
    _, ticket = await _read(database, config, token, VIEW)
    async with database.connection() as conn:
        content = await store.content(conn, ticket.workspace, ticket.message)
    if content is None:
        raise NotFound("this message is no longer kept")
    body = content[1]
    if "<" not in body:
        body = f"<pre>{html.escape(body)}</pre>"
    headers = {"Content-Security-Policy": _MAIL_POLICY, "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}
    return Response(body, media_type="text/html; charset=utf-8", headers=headers)


def _actor(request: Request[Any, Any, Any]) -> str:
    agent = request.headers.get("user-agent", "")
    if not agent:
        return "unsure"
    return "machine" if _MACHINES.search(agent) else "human"


def _language(request: Request[Any, Any, Any]) -> str:
    return page.language(request.headers.get("accept-language", ""))


def _page(body: str, status: int = 200, position: int | None = None) -> Response[str]:
    headers = {
        "Content-Security-Policy": _PAGE_POLICY,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Language",
    }
    if position is not None:
        headers["Kizuna-Position"] = str(position)
    return Response(body, status_code=status, media_type="text/html; charset=utf-8", headers=headers)


ROUTES = [unsubscribe_page, unsubscribe, preference_page, prefer, click, dismissed, opened, view]
