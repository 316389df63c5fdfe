"""HTTP of promotions."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from litestar import Response, get, post, put
from litestar.params import Parameter
from msgspec import Struct

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.core import clock, exact_json, ids
from kizuna.core.errors import FieldError, Invalid, NotFound, Unprocessable
from kizuna.engine.append import append_statements
from kizuna.engine.moment import Item
from kizuna.events import store as events
from kizuna.events.publish import publish
from kizuna.profiles.find import find
from kizuna.promotions import store
from kizuna.promotions.codes import Wanted, brought, is_code, made
from kizuna.promotions.promotion import check_name, is_amount, read
from kizuna.promotions.redeem import redeem
from kizuna.runtime.database import Database

Limit = Annotated[int, Parameter(ge=1, le=1000)]
MOST_CODES = 5_000_000  # of a pool


@put("/api/v1/promotions/{name:str}")
async def put_promotion(
    name: str, data: dict[str, Any], caller: Caller, database: Database
) -> Response[dict[str, Any]]:
    """Declare it; its codes stay."""
    check_name(name)
    read(data)
    async with database.connection() as conn:
        _, position = await publish(conn, caller.workspace, "promotion", name, data)
        shown = await _shown(conn, caller.workspace.id, name)
    return Response(shown, headers={"Kizuna-Position": str(position)})


@get("/api/v1/promotions")
async def list_promotions(caller: Caller, database: Database, limit: Limit = 100, cursor: str = "") -> dict[str, Any]:
    """By name."""
    async with database.connection() as conn:
        rows = await store.listed(conn, caller.workspace.id, cursor, limit)
    return {"items": [_promotion(row) for row in rows], "next_cursor": rows[-1][0] if len(rows) == limit else None}


@get("/api/v1/promotions/{name:str}")
async def get_promotion(name: str, caller: Caller, database: Database) -> dict[str, Any]:
    """With `codes`: how many are free, reserved for messages under way, committed to sent ones, and redeemed."""
    async with database.connection() as conn:
        return await _shown(conn, caller.workspace.id, name)


class Codes(Struct, forbid_unknown_fields=True):
    """One of the two."""

    codes: list[str] | None = None
    generate: Wanted | None = None


@post("/api/v1/promotions/{name:str}/codes", status_code=201)
async def add_codes(name: str, data: Codes, caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Add codes to the pool; those it has already are passed by. Codes that were made here are answered, once."""
    if (data.codes is None) == (data.generate is None):
        wrong = FieldError("", "required", "either `codes`, a list, or `generate`, such as {count: 1000, prefix: X-}")
        raise Invalid("which codes?", code="invalid_codes", errors=[wrong])
    codes = brought(data.codes) if data.codes is not None else made(data.generate or Wanted(0))
    async with database.connection() as conn:
        await _shown(conn, caller.workspace.id, name)
        if await store.hold_pool(conn, caller.workspace.id, name) + len(codes) > MOST_CODES:
            raise Unprocessable(f"a promotion has at most {MOST_CODES:,} codes", code="too_large")
        added = await store.add(conn, caller.workspace.id, name, codes)
        position = await events.last_position(conn)
    said: dict[str, Any] = {"added": added, "known": len(codes) - added}
    if data.generate is not None:
        said["codes"] = codes
    return Response(said, status_code=201, headers={"Kizuna-Position": str(position)})


class Redemption(Struct, forbid_unknown_fields=True):
    """`promotion` is needed where two have the same code, `profile` says who redeems it, `amount` of what order."""

    code: str
    promotion: str | None = None
    profile: str | None = None
    amount: Decimal | None = None


@post("/api/v1/promotions/redeem", status_code=200)
async def redeem_code(data: Redemption, caller: Caller, database: Database) -> Response[dict[str, Any]]:
    """Once for each code; a customer who is named hears of it as the event `Coupon Applied`."""
    if not is_code(data.code):
        raise Invalid("this is no code", code="invalid_codes", errors=[FieldError("/code", "invalid_code", "a code")])
    if data.amount is not None and not is_amount(data.amount):
        wrong = FieldError("/amount", "invalid", "an amount of 0 or more")
        raise Invalid("this is no amount of money", code="invalid_amount", errors=[wrong])
    workspace = caller.workspace.id
    async with database.connection() as conn:
        now = await accounts.now(conn, workspace)
        profile = await find(conn, workspace, data.profile) if data.profile is not None else None
        promotion = await redeem(
            conn, workspace, data.code, now, promotion=data.promotion, profile=profile, amount=data.amount
        )
        position = await events.last_position(conn)
        if profile is not None:
            applied = _applied(workspace, profile, promotion, data, now)
            lock, append = append_statements(workspace, [applied], caller.workspace.partitions, None)
            await conn.execute(*lock)
            row = await (await conn.execute(*append)).fetchone()
            position = row[2] if row else position
            await conn.execute("NOTIFY kizuna_log")
    answer = {"promotion": promotion, "code": data.code, "redeemed_at": clock.show(now)}
    return Response(answer, headers={"Kizuna-Position": str(position)})


def _applied(workspace: int, profile: bytes, promotion: str, data: Redemption, at: int) -> Item:
    """The event of Segment's specification; derived from the code, which is redeemed once."""
    said = {"coupon_id": data.code, "coupon_name": promotion} | ({} if data.amount is None else {"amount": data.amount})
    name = ids.show("evt", ids.derive("redeemed", workspace, promotion, data.code))
    return Item(
        profile=profile, id=name, type="track", name="Coupon Applied", timestamp=at,
        properties=exact_json.encode(said), received_at=at,
    )  # fmt: skip


async def _shown(conn: Any, workspace: int, name: str) -> dict[str, Any]:
    row = await store.current(conn, workspace, name)
    if row is None:
        raise NotFound(f"no promotion {name!r} in this workspace")
    return {**_promotion(row), "codes": await store.counts(conn, workspace, name)}


def _promotion(row: store.Row) -> dict[str, Any]:
    name, version, body, published_at = row
    return {"per_profile": 1, **body, "name": name, "version": version, "published_at": clock.show(published_at)}


ROUTES = [put_promotion, list_promotions, get_promotion, add_codes, redeem_code]
