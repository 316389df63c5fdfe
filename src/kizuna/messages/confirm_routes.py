"""HTTP of double opt-in: the page behind a link that confirms, and the public form that asks for one."""

from __future__ import annotations

import contextlib
import os
from typing import Any

from litestar import Request, Response, get, post

from kizuna.accounts import store as accounts
from kizuna.accounts.keys import KeyRing
from kizuna.channels import address_of, all_channels
from kizuna.config import Config
from kizuna.consent import choose as consenting
from kizuna.consent import store as consent_store
from kizuna.consent.choose import Choice, item_of
from kizuna.consent.standing import OPTED_IN, PENDING
from kizuna.core import exact_json, ids
from kizuna.core.errors import FieldError, Invalid, NotAllowed, NotFound, NotSettled, Unprocessable
from kizuna.edge.limit import Limiter
from kizuna.engine.moment import Item
from kizuna.events import settled
from kizuna.events.log import Log
from kizuna.messages import holder, page, store
from kizuna.messages.confirmation import BLOCKED, DONE, OPEN, OVER, confirmed, worth
from kizuna.messages.foresee import check_templates
from kizuna.messages.holder import Found
from kizuna.messages.links import CONFIRM
from kizuna.messages.message import CONFIRMATION
from kizuna.profiles import store as profiles
from kizuna.runtime.database import Database

_OPEN_TO_ALL = {"public": True}
SECONDS = 2.0  # that a page waits for the answer to be folded; accepted it is before
PER_ADDRESS, PER_WORKSPACE = 10, 600  # sign-ups a minute
LONGEST = 500  # characters of what a form says about itself
CHANNEL = "email"


@get("/y/{token:str}", opt=_OPEN_TO_ALL)
async def confirm_page(
    token: str, request: Request[Any, Any, Any], database: Database, config: Config
) -> Response[str]:
    """Changes nothing, whoever looks: link scanners do."""
    found = await _read(database, config, token)
    return _page(found.language(request.headers), await _worth(database, found))


@post("/y/{token:str}", status_code=200, opt=_OPEN_TO_ALL)
async def confirm(
    token: str, request: Request[Any, Any, Any], database: Database, config: Config, log: Log
) -> Response[str]:
    """A button of our page: the person's own act, and its proof. The second, `channel`, is offered where they confirmed
    a topic and are out of its whole channel."""
    found = await _read(database, config, token)
    language, value = found.language(request.headers), await _worth(database, found)
    button = (await request.form()).get("confirm")
    if (value, button) in ((OPEN, "yes"), (BLOCKED, "channel")):
        proof = {
            "how": "double_opt_in", "page": "confirm", "language": language, "address": found.row["address"],
            "message": ids.show("msg", found.message), "template": found.row["template"],
            "text_version": found.row["template_version"], **await _ip(database, found.workspace, request),
        }  # fmt: skip
        topic = found.topic if button == "yes" else None
        choice = Choice(found.channel, OPTED_IN, topic, source="double_opt_in", proof=proof)
        position = await consenting.choose(database, log, found.workspace, found.profile, choice)
        with contextlib.suppress(NotSettled):
            await settled.wait(database, found.workspace, position, SECONDS)
        return _page(language, await _reached(database, found) if button == "yes" else DONE, position)
    return _page(language, value)


async def _read(database: Database, config: Config, token: str) -> Found:
    found, _ = await holder.read(database, config, token, CONFIRM)
    if found.row["purpose"] != CONFIRMATION:
        raise NotFound("this link is not one of ours")
    return found


async def _reached(database: Database, found: Found) -> str:
    """What a confirmation of the topic led to, whether it is folded yet or not."""
    async with database.connection() as conn:
        raw = await consent_store.section(conn, found.workspace, found.profile)
    return confirmed(holder.consent_of(raw), found.channel, found.topic)


async def _worth(database: Database, found: Found) -> str:
    async with database.connection() as conn:
        vetoes = await consent_store.open_vetoes(conn, found.workspace, found.profile)  # before the record: the
        raw = await consent_store.section(conn, found.workspace, found.profile)  # fold moves one into the other
        now = await accounts.now(conn, found.workspace)
    channel = all_channels().get(found.channel)
    address = address_of(channel, found.traits, found.known.devices) if channel else None
    return worth(
        holder.consent_of(raw), vetoes, found.channel, found.topic, found.row["address"], address, now
    )  # fmt: skip


def _page(language: str, value: str, position: int | None = None) -> Response[str]:
    body = page.confirm(language, value)
    status = 410 if value == OVER else 200
    return Response(body, status_code=status, media_type=page.HTML, headers=page.headers(position))


async def _ip(database: Database, workspace: int, request: Request[Any, Any, Any]) -> dict[str, str]:
    """The address an act came from, where the policy wants it kept."""
    async with database.connection() as conn:
        keeps = (await consent_store.policy(conn, workspace)).get("keep_ip") is True
    return {"ip": request.client.host} if keeps and request.client else {}


# the public form -----------------------------------------------------------------------------------------------------


@post("/f/{write_key:str}", status_code=202, opt=_OPEN_TO_ALL)
async def sign_up(
    write_key: str, request: Request[Any, Any, Any], database: Database, keys: KeyRing, log: Log, signups: Limiter
) -> Response[str]:
    """`email`, `topic` and what the form says of itself (`form`, `text_version`), as JSON or as a form posts them.

    The answer is the same whoever it is: it tells nobody who is a customer. A mail asks for the confirmation.
    """
    signups.take(f"ip {request.client.host if request.client else ''}", PER_ADDRESS)  # before any look-up
    caller = await keys.caller(write_key)
    if caller.role != "ingest":
        raise NotAllowed("a public form carries a write key, nothing more powerful")
    signups.take(f"workspace {caller.workspace.id}", PER_WORKSPACE)
    is_json = "json" in request.headers.get("content-type", "")
    said: Any = await request.json() if is_json else dict(await request.form())
    if not isinstance(said, dict):
        raise Invalid("send an object with `email`", code="invalid_body")
    email, topic = str(said.get("email") or "").strip(), str(said.get("topic") or "")
    about = {word: str(said[word])[:LONGEST] for word in ("form", "text_version") if said.get(word)}
    language = page.language(request.headers.get("accept-language", ""))
    if not all_channels()[CHANNEL].is_valid(email):
        if not is_json and "text/html" in request.headers.get("accept", ""):  # somebody reads the answer
            return Response(page.mistyped(language), status_code=400, media_type=page.HTML, headers=page.headers())
        raise Invalid("this is no address", errors=[FieldError("/email", "invalid", "an address of mail")])
    workspace = caller.workspace.id
    await _check_form(database, workspace, topic)
    proof = {"how": "form", "address": email, **about, **await _ip(database, workspace, request)}
    choice = Choice(CHANNEL, PENDING, topic or None, source="form", proof=proof, confirm=True)
    async with database.connection() as conn:
        now = await accounts.now(conn, workspace)
        people = await profiles.by_trait(conn, workspace, "email", email, 1)
    items = [] if people else [_stranger(workspace, email, now)]
    profile = people[0] if people else items[0].profile
    position = await log.append(workspace, [*items, item_of(profile, choice, now)])
    headers = {**page.headers(position)}
    if is_json:
        return Response('{"state":"asked"}', status_code=202, media_type="application/json", headers=headers)
    return Response(page.asked(language), status_code=202, media_type=page.HTML, headers=headers)


async def _check_form(database: Database, workspace: int, topic: str) -> None:
    async with database.connection() as conn:
        policy = await consent_store.policy(conn, workspace)
        topics = {name for name, *_ in await store.definitions(conn, workspace, "topic")}
        asking = policy.get("double_opt_in")
        if not asking:
            raise Unprocessable("the policy has no `double_opt_in`: name its template first", code="no_double_opt_in")
        await check_templates(conn, workspace, [asking["template"]], "")
    if topic and topic not in topics:
        wrong = FieldError("/topic", "unknown_topic", "one that is declared")
        raise Unprocessable(f"no topic {topic!r}", code="unknown_topic", errors=[wrong])


def _stranger(workspace: int, email: str, now: int) -> Item:
    """Nobody here has this address yet: a profile of its own, that `identify` with this anonymous id joins."""
    name = f"{CHANNEL}:{email.lower()}"
    return Item(
        profile=ids.profile_id(workspace, "anon", name), id=ids.show("evt", os.urandom(ids.ID_BYTES)),
        type="identify", timestamp=now, properties=exact_json.encode({"email": email}), anonymous_id=name,
        received_at=now,
    )  # fmt: skip


ROUTES = [confirm_page, confirm, sign_up]
