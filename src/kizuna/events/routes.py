"""HTTP of the log: the tracking API, what was rejected, the test clock, the catalogue."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

import msgspec
import structlog
from litestar import Request, Response, get, post
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from litestar.types import HTTPScope, Receive, Send
from msgspec import Struct

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.core import clock
from kizuna.core.errors import Invalid, KizunaError, NotAllowed, NotSignedIn, TooMany, Unavailable, Unprocessable
from kizuna.edge.request import BODY_SECONDS
from kizuna.events import store, test_clock
from kizuna.events.body import read_body
from kizuna.events.ingest import Ingest, settings_of
from kizuna.events.replay import replay
from kizuna.events.wires.segment import PATHS
from kizuna.runtime.database import Database

Limit = Annotated[int, Parameter(ge=1, le=1000)]
_ROW = re.compile(r"\d{1,18}\Z", re.ASCII)

logger = structlog.get_logger()
_ADDRESSES = {f"{prefix}/{word}": word for prefix in ("/v1", "") for word in PATHS}


class Answer(Struct, frozen=True):
    """What goes back; the body is JSON."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


async def track(request: Request[Any, Any, Any], ingest: Ingest) -> Response[Any]:
    """The Segment HTTP tracking API; answers after the commit."""
    if request.method == "OPTIONS":
        return _preflight(request)
    word = request.url.path.rstrip("/").rpartition("/")[2]
    return _response(await _take(word, request.headers, request.stream(), ingest))


async def _take(word: str, headers: Mapping[str, str], chunks: AsyncIterator[bytes], ingest: Ingest) -> Answer:
    """Take a request; answers after the commit."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            promised = headers.get("content-length", "")
            body = await read_body(chunks, headers.get("content-encoding", ""), ingest.max_body, promised)
        key = headers.get("idempotency-key", "")
        taken = await ingest.take(word, body, headers.get("authorization", ""), key)
    except TimeoutError:
        return _refuse_slow(headers)
    except KizunaError as error:
        return _refuse_error(headers, error)
    answer: dict[str, Any] = {"success": True}
    if taken.refused:
        answer["results"] = [{"index": r.index, "code": r.code, "message": r.message} for r in taken.refused]
    return Answer(200, answer, {**_cors(headers), "Kizuna-Position": str(taken.position)})


async def metrics(request: Request[Any, Any, Any]) -> Response[Any]:
    """Browser metrics: taken and let go."""
    if request.method == "OPTIONS":
        return _preflight(request)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for _ in request.stream():
                pass
    except TimeoutError:
        return _response(_refuse_slow(request.headers))
    return Response({"success": True}, status_code=200, headers=_cors(request.headers))


async def settings(request: Request[Any, Any, Any], write_key: str, ingest: Ingest) -> Response[Any]:
    """What browser and mobile clients ask for before they start."""
    if request.method == "OPTIONS":
        return _preflight(request)
    try:
        await ingest.keys.caller(write_key)
    except NotSignedIn as error:
        return _response(_refuse_error(request.headers, error))
    return Response(
        settings_of(write_key, request.headers.get("host", "")), status_code=200, headers=_cors(request.headers)
    )


class ShortWay:
    """Takes what the router would bring to the same place: routing costs more than a request of one event."""

    def __init__(self, ingest: Ingest) -> None:
        self.ingest = ingest

    def leads_from(self, scope: HTTPScope) -> bool:
        """Whether the request is one of these; preflights, queries and unclean paths are left to the router."""
        return scope["path"] in _ADDRESSES and scope["method"] == "POST" and not scope["query_string"]

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            headers.setdefault(
                name.decode("latin-1"), value.decode("latin-1")
            )  # of two the first, as the router has it
        try:
            answer = await _take(_ADDRESSES[scope["path"]], headers, _chunks(receive), self.ingest)
        except ConnectionResetError:
            return
        body = msgspec.json.encode(answer.body)
        said = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
        said += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": answer.status, "headers": said})
        await send({"type": "http.response.body", "body": body, "more_body": False})


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    """The body as it arrives; raises when the client goes away before its end, and so hears no answer."""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionResetError
        if body := message.get("body"):
            yield body
        if not message.get("more_body"):
            return


_PUBLIC = {"public": True, "ingest": True}
TRACKING = [
    HTTPRouteHandler(
        list(_ADDRESSES),
        http_method=[HttpMethod.POST, HttpMethod.OPTIONS],
        opt=_PUBLIC,
        status_code=200,
        request_max_body_size=None,  # counted after decompression by `read_body`
        name="tracking",
    )(track),
    HTTPRouteHandler(
        ["/v1/m", "/m"],
        http_method=[HttpMethod.POST, HttpMethod.OPTIONS],
        opt=_PUBLIC,
        status_code=200,
    )(metrics),
    HTTPRouteHandler(
        ["/v1/projects/{write_key:str}/settings", "/projects/{write_key:str}/settings"],
        http_method=[HttpMethod.GET, HttpMethod.OPTIONS],
        opt=_PUBLIC,
        status_code=200,
    )(settings),
]


@get("/api/v1/rejected")
async def rejected(caller: Caller, database: Database, limit: Limit = 100, cursor: str | None = None) -> dict[str, Any]:
    """Events we could not take, newest first, each with its reason and body."""
    before = int(cursor) if cursor and _ROW.match(cursor) else 1 << 62
    async with database.connection() as conn:
        rows = await store.rejected(conn, caller.workspace.id, before, limit)
    items = [
        {
            "id": str(row_id), "at": clock.show(at), "code": code, "message": message,
            "source": source.partition(":")[0], "body": _readable(bytes(body)),
        }
        for row_id, at, code, message, source, body in rows
    ]  # fmt: skip
    return {"items": items, "next_cursor": items[-1]["id"] if len(items) == limit else None}


class Replay(Struct, forbid_unknown_fields=True):
    """Which refused events to take again: those named, those of a code, else all; `cursor` goes on where one ended."""

    ids: list[str] | None = None
    code: str | None = None
    cursor: str | None = None
    limit: int = 1000


@post("/api/v1/rejected/replay", status_code=200)
async def replay_rejected(
    caller: Caller, ingest: Ingest, data: Replay | None = None
) -> Response[dict[str, int | str | None]]:
    """Take refused events again, as when a limit was raised; ids make it exact."""
    asked = data or Replay()
    wrong = [row for row in [*(asked.ids or []), *([asked.cursor] if asked.cursor else [])] if not _ROW.match(row)]
    if wrong or not 1 <= asked.limit <= 1000:
        raise Invalid("`ids` and `cursor` are ids of refused events, `limit` is 1 to 1000", code="invalid_replay")
    only = None if asked.ids is None else [int(row) for row in asked.ids]
    done = await replay(ingest, caller.workspace, only, asked.code, int(asked.cursor or 0), asked.limit)
    answer = {
        "replayed": done.taken,
        "refused": done.refused,
        "next_cursor": str(done.last) if done.last else None,
    }
    return Response(answer, headers={"Kizuna-Position": str(done.position)} if done.position else {})


class Advance(Struct, forbid_unknown_fields=True):
    """How far a test clock moves: by a duration, or to an instant."""

    advance: str | None = None
    to: str | None = None


@get("/api/v1/clock")
async def read_clock(caller: Caller, database: Database) -> dict[str, str]:
    """The workspace's now."""
    async with database.connection() as conn:
        return {"now": clock.show(await accounts.now(conn, caller.workspace.id))}


@post("/api/v1/clock", status_code=200)
async def move_clock(caller: Caller, database: Database, data: Advance) -> Response[dict[str, str]]:
    """Move a test clock and answer when all on the way is settled."""
    async with database.connection() as conn:
        now = await accounts.now(conn, caller.workspace.id)
    try:
        to = _target(data, now, caller.workspace.zone)
        position = await test_clock.advance(database, caller.workspace, to)
    except Invalid as error:
        raise Unprocessable(str(error), code=error.code) from None
    return Response({"now": clock.show(to)}, headers={"Kizuna-Position": str(position)})


def _target(data: Advance, now: int, zone: str) -> int:
    if (data.advance is None) == (data.to is None):
        raise Invalid("say either `advance`, a duration such as 3d, or `to`, a time", code="invalid_clock")
    if data.advance is not None:
        return clock.after(now, clock.duration(data.advance), zone)
    to = clock.read_time(data.to or "", zone)
    if to is None:
        raise Invalid(f"{data.to!r} is no RFC 3339 time", code="invalid_time")
    return to


def _refuse_error(headers: Mapping[str, str], error: KizunaError) -> Answer:
    match error:
        case NotSignedIn():
            return _refuse(headers, 401, "unknown_write_key", str(error))
        case NotAllowed():
            return _refuse(headers, 401, error.code, str(error))
        case TooMany(retry_after=seconds):
            wait = {"Retry-After": str(seconds), "X-RateLimit-Reset": str(seconds)}
            return _refuse(headers, 429, error.code, str(error), wait)
        case Unavailable(retry_after=seconds):
            return _refuse(headers, 503, error.code, str(error), {"Retry-After": str(seconds)})
        case _:
            return _refuse(headers, 400, error.code, str(error))


def _refuse_slow(headers: Mapping[str, str]) -> Answer:
    """The rest of the body is not waited for."""
    return _refuse(headers, 408, "slow_body", "the body did not arrive in time", {"Connection": "close"})


def _refuse(
    headers: Mapping[str, str], status: int, code: str, message: str, more: Mapping[str, str] | None = None
) -> Answer:
    return Answer(status, {"success": False, "code": code, "message": message}, {**_cors(headers), **(more or {})})


def _cors(headers: Mapping[str, str]) -> dict[str, str]:
    """Browsers send from the shop's own pages; a write key is public and opens nothing else."""
    origin = headers.get("origin")
    if not origin:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, X-Retry-Count",
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Expose-Headers": "Retry-After",
        "Access-Control-Max-Age": "86400",
        "Vary": "Origin",
    }


def _response(answer: Answer) -> Response[Any]:
    return Response(answer.body, status_code=answer.status, headers=answer.headers)


def _preflight(request: Request[Any, Any, Any]) -> Response[Any]:
    return Response(None, status_code=204, headers=_cors(request.headers))


def _readable(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(body).decode()


ROUTES = [*TRACKING, rejected, replay_rejected, read_clock, move_clock]
