"""A write sent twice under one Idempotency-Key is done once; the second gets the first one's answer."""

from __future__ import annotations

import contextlib
import time
from hashlib import sha256
from typing import Any

import msgspec
import psycopg
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from kizuna.accounts import store
from kizuna.accounts.store import Answer
from kizuna.core.clock import DAY, MINUTE
from kizuna.core.errors import Conflict, Invalid
from kizuna.edge.identify import Door
from kizuna.edge.request import StrictRequest

KEPT = DAY
ABANDONED = MINUTE  # a request that began and left no answer: its server died
LARGEST = 1024 * 1024
_WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Idempotency(ASGIMiddleware):
    """Only where a caller is known: the key belongs to a workspace."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, door: Door) -> None:
        self._door = door
        self._swept = time.monotonic()

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        key = next((value for name, value in scope["headers"] if name == b"idempotency-key"), None)
        if (
            key is None
            or scope["type"] != "http"
            or scope["method"] not in _WRITES
            or not takes_caller(scope["route_handler"])
            or scope["route_handler"].opt.get("streams")  # too large to keep; its content is its key
        ):
            await next_app(scope, receive, send)
            return
        request = StrictRequest(scope, receive, send)  # type: ignore[arg-type]
        caller = await self._door.caller(request)
        name = _read_key(key)
        query = scope["query_string"]
        asked = _hash(scope["method"].encode(), scope["path"].encode(), query, await request.body())
        earlier = await self._begin(caller.workspace.id, name, asked)
        if earlier is not None:
            await _replay(earlier, asked, send)
            return
        await self._do(caller.workspace.id, name, asked, scope, receive, send, next_app)

    async def _begin(self, workspace: int, key: str, asked: bytes) -> Answer | None:
        async with self._door.database.connection() as conn:
            if time.monotonic() - self._swept > 3600:
                self._swept = time.monotonic()
                await store.delete_old_answers(conn, KEPT)
            return await store.begin_answer(conn, workspace, key, asked, KEPT, ABANDONED)

    async def _do(
        self, workspace: int, key: str, asked: bytes, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp
    ) -> None:
        """The answer is kept before it is sent; a refusal changed nothing, so its key may be used again."""
        messages: list[Message] = []

        async def hold(message: Message) -> None:
            messages.append(message)

        answer: Answer | None = None
        try:
            await next_app(scope, receive, hold)
            answer = _answer(asked, messages, scope["route_handler"].opt.get("shown_once", ()))
        finally:
            # Without a database what was answered still is the answer; the key is free again once it is abandoned.
            with contextlib.suppress(psycopg.OperationalError):
                async with self._door.database.connection() as conn:
                    if answer is None:
                        await store.drop_answer(conn, workspace, key)
                    else:
                        await store.keep_answer(conn, workspace, key, answer)
        for message in messages:
            await send(message)


def takes_caller(handler: Any) -> bool:
    return "caller" in handler.parsed_fn_signature.parameters


def _read_key(raw: bytes) -> str:
    key = raw.decode("latin-1").strip()
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise Invalid("an Idempotency-Key has 1 to 255 printable characters", code="invalid_idempotency_key")
    return key


def _hash(*parts: bytes) -> bytes:
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def _answer(asked: bytes, messages: list[Message], shown_once: tuple[str, ...]) -> Answer | None:
    """What to keep of a success; None for a refusal or an answer too large to keep."""
    status, position, body = 500, None, b""
    for message in messages:
        if message["type"] == "http.response.start":
            status = message["status"]
            found = [value for name, value in message["headers"] if name.lower() == b"kizuna-position"]
            position = found[0].decode("latin-1") if found else None
        elif message["type"] == "http.response.body":
            body += message.get("body", b"")
    if status >= 300 or len(body) > LARGEST:
        return None
    if shown_once:  # a secret is kept nowhere: the second answer is without it
        value = msgspec.json.decode(body)
        body = msgspec.json.encode({name: None if name in shown_once else inner for name, inner in value.items()})
    return Answer(asked, status, position, body)


async def _replay(earlier: Answer, asked: bytes, send: Send) -> None:
    if earlier.request != asked:
        message = "this Idempotency-Key came with another request before; use a new key for a new request"
        raise Conflict(message, code="idempotency_conflict")
    if not earlier.status:
        raise Conflict("the first request with this Idempotency-Key is still at work", code="idempotency_in_progress")
    headers = [(b"idempotency-replayed", b"true"), (b"content-length", str(len(earlier.body)).encode())]
    if earlier.body:
        headers.append((b"content-type", b"application/json"))
    if earlier.position:
        headers.append((b"kizuna-position", earlier.position.encode("latin-1")))
    await send({"type": "http.response.start", "status": earlier.status, "headers": headers})
    await send({"type": "http.response.body", "body": earlier.body, "more_body": False})
