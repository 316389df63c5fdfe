"""HTTP of letters: batches for the printing house, and what comes of them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.params import Parameter
from litestar.response import Stream
from msgspec import Struct
from psycopg import Connection

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.core import clock, ids
from kizuna.core.errors import Invalid, NotFound
from kizuna.core.iri import ascii_url
from kizuna.engine.slice import Workspace
from kizuna.events.log import Log
from kizuna.letters import answer, close, sheets, store
from kizuna.letters import post as posting
from kizuna.letters.batch import Batch
from kizuna.messages import page
from kizuna.messages import store as messages
from kizuna.messages.actor import CLICKED, actor_of
from kizuna.messages.desk import Desk
from kizuna.messages.report import of_customer
from kizuna.messages.tray import Trays
from kizuna.paper import code as codes
from kizuna.runtime.database import Database

MOST_RETURNED = 1_000
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)」』。、]")


@get("/api/v1/letters/batches")
async def list_batches(
    caller: Caller, trays: Trays, limit: Annotated[int, Parameter(ge=1, le=1000)] = 100, cursor: str = ""
) -> dict[str, Any]:
    """Closed ones, newest first, and how many letters wait in the open one. What is due closes now."""
    before = int(cursor) if cursor.isdecimal() and len(cursor) <= 9 else 1 << 30

    def look(connection: Connection[Any], desk: Desk) -> tuple[int, list[Batch]]:
        close.close_due(connection, desk, caller.workspace)
        with connection.cursor() as rows:
            waiting = store.waiting(rows, caller.workspace.id)
            return sum(map(len, waiting.values())), store.batches(rows, caller.workspace.id, before, limit)

    waiting, found = await trays.work(look)
    next_cursor = str(found[-1].number) if len(found) == limit else None
    return {"open": {"letters": waiting}, "items": [_shown(each) for each in found], "next_cursor": next_cursor}


def _shown(batch: Batch) -> dict[str, Any]:
    return {
        "number": batch.number, "state": batch.state, "provider": batch.provider, "letters": batch.letters,
        "parts": batch.parts, "returned": batch.returned, "redeemed": batch.redeemed,
        "closed_at": clock.show(batch.closed_at),
        "posted_at": None if batch.posted_at is None else clock.show(batch.posted_at),
    }  # fmt: skip


@post("/api/v1/letters/batches", status_code=201, opt={"right": "act"})
async def close_batches(caller: Caller, trays: Trays) -> dict[str, Any]:
    """Close what is gathered, whatever its time; nothing gathered is no error."""

    def do(connection: Connection[Any], desk: Desk) -> list[Batch]:
        made = close.close_due(connection, desk, caller.workspace, by_hand=True)
        with connection.cursor() as rows:
            return [each for number in made if (each := store.batch(rows, caller.workspace.id, number))]

    return {"items": [_shown(each) for each in await trays.work(do)]}


@get("/api/v1/letters/batches/{number:int}/letters.pdf", media_type="application/pdf")
async def print_batch(number: int, caller: Caller, trays: Trays, part: int = 1) -> Response[bytes]:
    """The pages of a part, each letter on pages of its own; the same whenever it is asked for."""
    made = await trays.work(
        lambda connection, _: sheets.pdf(connection, caller.workspace.id, number, part, lambda c: _url(trays, c))
    )
    return Response(made, media_type="application/pdf", headers=_file(f"letters-{number}-{part}.pdf"))


@get("/api/v1/letters/batches/{number:int}/letters.csv", media_type="text/csv")
async def table_of_batch(number: int, caller: Caller, trays: Trays) -> Stream:
    """All receivers of a batch with their texts and codes."""
    pieces = trays.pieces(lambda connection: _table(connection, caller.workspace, number, trays))
    first = await anext(pieces)

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return Stream(whole(), media_type="text/csv", headers=_file(f"letters-{number}.csv"))


def _table(connection: Connection[Any], workspace: Workspace, number: int, trays: Trays) -> Iterator[bytes]:
    return sheets.table(connection, workspace.id, number, lambda code: _url(trays, code))


def _url(trays: Trays, code: str) -> str:
    return f"{trays.base}/q/{code}"


def _file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}


class Posted(Struct, forbid_unknown_fields=True):
    at: str | None = None  # an RFC 3339 time; None: now


@post("/api/v1/letters/batches/{number:int}/posted", status_code=200, opt={"right": "act"})
async def mark_posted(number: int, caller: Caller, trays: Trays, data: Posted | None = None) -> Response[Any]:
    """Its letters are sent. Said again, it changes nothing."""
    at = None
    if data is not None and data.at is not None and (at := clock.read_time(data.at)) is None:
        raise Invalid(f"{data.at!r} is no time", code="invalid_time")
    batch, position = await trays.work(
        lambda connection, desk: posting.post(connection, desk, caller.workspace, number, at)
    )
    return Response(_shown(batch), headers=_position(position))


class Returned(Struct, forbid_unknown_fields=True):
    codes: list[str]
    reason: str = "returned"


@post("/api/v1/letters/returned", status_code=200, opt={"right": "act"})
async def mark_returned(data: Returned, caller: Caller, trays: Trays) -> Response[Any]:
    """The post brought them back: hard bounces. `unknown` are codes that name no posted letter."""
    if len(data.codes) > MOST_RETURNED:
        raise Invalid(f"at most {MOST_RETURNED} codes at once", code="too_many_codes")
    taken, unknown, position = await trays.work(
        lambda connection, desk: answer.come_back(connection, desk, caller.workspace, data.codes, data.reason)
    )
    return Response({"taken": taken, "unknown": unknown}, headers=_position(position))


class Redeemed(Struct, forbid_unknown_fields=True):
    properties: dict[str, Any] = {}  # msgspec copies it


@post("/api/v1/letters/codes/{code:str}/redeem", status_code=200, opt={"right": "act"})
async def redeem_code(code: str, caller: Caller, trays: Trays, data: Redeemed | None = None) -> Response[Any]:
    """Somebody shows the letter: `Letter Code Redeemed` on its profile, once."""
    properties = data.properties if data else {}
    letter, position = await trays.work(
        lambda connection, desk: answer.redeem(connection, desk, caller.workspace, code, properties)
    )
    shown = {"message": ids.show("msg", letter.message), "profile": ids.show("prf", letter.profile), **letter.about()}
    return Response(shown, headers=_position(position))


def _position(position: int | None) -> dict[str, str]:
    return {} if position is None else {"Kizuna-Position": str(position)}


@get("/q/{token:str}", status_code=302, opt={"public": True})
async def follow(token: str, request: Request[Any, Any, Any], database: Database, log: Log) -> Response[Any]:
    """The QR code of a letter: leads to the first link of its text, or shows the code to be shown in a shop."""
    known = codes.read(token)
    async with database.connection() as conn:
        letter = await store.by_code(conn, known) if known else None
        content = await messages.content(conn, letter.workspace, letter.message) if letter else None
        now = await accounts.now(conn, letter.workspace) if letter else 0
    if known is None or letter is None or content is None:
        raise NotFound("this code is not one of ours")
    found = _LINK.search(content[1])
    headers = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow, noarchive"}
    if letter.posted_at is not None:
        actor = actor_of(CLICKED, request.headers.get("user-agent", ""))
        said = {"message": ids.show("msg", letter.message), "channel": store.CHANNEL, "actor": actor}
        said |= {"url": found[0]} if found else {}
        item = of_customer(letter.profile, "clicked", now, said | letter.about())
        headers["Kizuna-Position"] = str(await log.append(letter.workspace, [item]))
    if found:
        return Response(None, status_code=302, headers={**headers, "Location": ascii_url(found[0])})
    language = page.language(request.headers.get("accept-language", ""), "")
    return Response(page.code(language, codes.show(known)), status_code=200, media_type=page.HTML, headers=headers)


ROUTES = [
    list_batches, close_batches, print_batch, table_of_batch, mark_posted, mark_returned, redeem_code, follow
]  # fmt: skip
