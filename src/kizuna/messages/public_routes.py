"""HTTP for customers: unsubscribe, clicks, dismissals, opens, view in browser; by signed token."""

from __future__ import annotations

import base64
from typing import Any

from litestar import Request, Response, get, post

from kizuna.accounts import store as accounts
from kizuna.config import Config
from kizuna.consent import store as consent_store
from kizuna.consent.accept import Veto, accept
from kizuna.consent.decide import OPTED_OUT, state
from kizuna.consent.outlast import outlast
from kizuna.core.errors import NotFound
from kizuna.core.iri import ascii_url
from kizuna.edge.head import is_head
from kizuna.events.log import Log
from kizuna.messages import holder, page, store
from kizuna.messages.actor import CLICKED, OPENED
from kizuna.messages.holder import Found
from kizuna.messages.links import CLICK, DISMISS, HIDDEN, OPEN, PREFERENCES, UNSUBSCRIBE, VIEW, is_html
from kizuna.messages.report import new_id, of_customer
from kizuna.messages.take_touch import Touches, Visitor
from kizuna.runtime.database import Database

_OPEN_TO_ALL = {"public": True}
_MAIL_POLICY = (
    "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
    " allow-top-navigation-by-user-activation"
)
_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


# unsubscribe ---------------------------------------------------------------------------------------------------------


@get("/u/{token:str}", opt=_OPEN_TO_ALL)
async def unsubscribe_page(
    token: str, request: Request[Any, Any, Any], database: Database, config: Config
) -> Response[str]:
    """Changes nothing, whoever looks: link scanners do."""
    found, _ = await holder.read(database, config, token, UNSUBSCRIBE)
    return _page(page.unsubscribe(found.language(request.headers), found.topic, _choices(found)))


@post("/u/{token:str}", status_code=200, opt=_OPEN_TO_ALL)
async def unsubscribe(
    token: str, request: Request[Any, Any, Any], database: Database, config: Config, log: Log
) -> Response[str]:
    """One click by the mail program (RFC 8058), or a button of our page."""
    found, _ = await holder.read(database, config, token, UNSUBSCRIBE)
    form = await request.form()
    scope, is_one_click = form.get("unsubscribe"), form.get("List-Unsubscribe") == "One-Click"
    if not is_one_click and scope not in ("topic", "channel"):
        return _page(page.unsubscribe(found.language(request.headers), found.topic, _choices(found)), 400)
    topic = "" if scope == "channel" else found.topic or ""
    position = await _opt_out(database, log, found, topic, "one_click" if is_one_click else "page")
    return _page(page.unsubscribed(found.language(request.headers), _choices(found)), position=position)


def _choices(found: Found) -> str:
    return found.link("p", PREFERENCES)


async def _opt_out(database: Database, log: Log, found: Found, topic: str, source: str) -> int | None:
    """Once: who is out already stays out without another report."""
    async with database.connection() as conn:
        vetoes = await consent_store.open_vetoes(conn, found.workspace, found.profile)  # before the record: the
        person = await store.recipient(conn, found.workspace, found.row)  # fold moves one into the other
        now = await accounts.now(conn, found.workspace)
    consent = holder.consent_of(person[2]) if person else found.consent
    if (found.channel, topic) in vetoes or state(consent, found.channel, topic) == OPTED_OUT:
        await outlast(database, found.workspace, [found.profile], found.channel)
        return None
    said = found.said(source=source) | {"topic": topic or None}
    item = of_customer(found.profile, "unsubscribed", now, said, new_id())
    veto = Veto(found.profile, item.id, found.channel, topic)
    return await accept(database, log, found.workspace, [item], [veto])


# clicks, opens, view -------------------------------------------------------------------------------------------------


@get("/c/{token:str}", status_code=302, opt=_OPEN_TO_ALL)
async def click(token: str, request: Request[Any, Any, Any], touches: Touches) -> Response[None]:
    """Leads to a link of the message and nowhere else: the target is looked up, never taken from the address."""
    taken = await touches.take(token, CLICK, CLICKED, _visitor(request))
    headers = {"Location": ascii_url(taken.url or ""), **_unkept(taken.position)}
    return Response(None, status_code=302, headers=headers)


@get("/t/{token:str}", status_code=204, opt=_OPEN_TO_ALL)
async def trap(token: str, request: Request[Any, Any, Any], touches: Touches) -> Response[None]:
    """A link that no person sees: who follows it follows all."""
    taken = await touches.take(token, HIDDEN, CLICKED, _visitor(request))
    headers = {"X-Robots-Tag": "noindex, nofollow", **_unkept(taken.position)}
    return Response(None, status_code=204, headers=headers)


@post("/d/{token:str}", status_code=204, opt=_OPEN_TO_ALL)
async def dismissed(token: str, database: Database, config: Config, log: Log, touches: Touches) -> Response[None]:
    """A service worker or app says that a push was put away unread; a fact on the timeline, no state of the message."""
    found, _ = await holder.read(database, config, token, DISMISS)
    position = None
    if touches.is_written(found.message, "dismissed"):
        async with database.connection() as conn:
            now = await accounts.now(conn, found.workspace)
        position = await log.append(found.workspace, [of_customer(found.profile, "dismissed", now, found.said())])
    headers = {"Access-Control-Allow-Origin": "*", **_unkept(position)}
    return Response(None, status_code=204, headers=headers)


@get("/o/{name:str}", opt=_OPEN_TO_ALL)
async def opened(name: str, request: Request[Any, Any, Any], touches: Touches) -> Response[bytes]:
    """A picture of one pixel in a mail was loaded, which says that the mail was opened."""
    if not name.endswith(".gif"):
        raise NotFound("this link is not one of ours")
    token = name.removesuffix(".gif")
    taken = await touches.take(token, OPEN, OPENED, _visitor(request))
    headers = {"Cross-Origin-Resource-Policy": "cross-origin", **_unkept(taken.position)}
    return Response(_PIXEL, media_type="image/gif", headers=headers)


@get("/v/{token:str}", opt=_OPEN_TO_ALL)
async def view(token: str, database: Database, config: Config) -> Response[str]:
    """The message as it was sent, without any power over this origin."""
    _, ticket = await holder.read(database, config, token, VIEW)
    async with database.connection() as conn:
        content = await store.content(conn, ticket.workspace, ticket.message)
    if content is None:
        raise NotFound("this message is no longer kept")
    body = content[1] if is_html(content[1]) else page.plain(content[1])
    headers = {
        "Content-Security-Policy": _MAIL_POLICY,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex, nofollow, noarchive",
    }
    return Response(body, media_type=page.HTML, headers=headers)


def _unkept(position: int | None) -> dict[str, str]:
    """No cache may keep it, for each time is one more; without a position nothing was written."""
    return {"Cache-Control": "no-store"} | ({} if position is None else {"Kizuna-Position": str(position)})


def _visitor(request: Request[Any, Any, Any]) -> Visitor:
    address = request.client.host if request.client else ""
    return Visitor(request.headers.get("user-agent", ""), address, is_head(request))


def _page(body: str, status: int = 200, position: int | None = None) -> Response[str]:
    return Response(body, status_code=status, media_type=page.HTML, headers=page.headers(position))


ROUTES = [unsubscribe_page, unsubscribe, click, trap, dismissed, opened, view]
