"""Redeem a code: once, within its promotion's time, by the customer who was given it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from psycopg import AsyncConnection

from kizuna.core import clock
from kizuna.core.errors import Conflict, NotFound
from kizuna.profiles import store as profiles
from kizuna.promotions import store
from kizuna.promotions.promotion import Promotion, read


async def redeem(
    conn: AsyncConnection[Any],
    workspace: int,
    code: str,
    at: int,
    *,
    promotion: str | None = None,
    profile: bytes | None = None,
    amount: Decimal | None = None,
) -> str:
    """The promotion whose code it was. Raises `NotFound`, or `Conflict` with the reason as its code."""
    found = [row for row in await store.lock_code(conn, workspace, code, promotion) if row[3] is not None]
    if not found:
        raise NotFound(f"no promotion has the code {code!r}", code="no_code")
    if len(found) > 1:
        named = ", ".join(row[0] for row in found)
        raise Conflict(f"say which `promotion` is meant: {named} have this code", code="ambiguous")
    name, state, owner, body = found[0]
    if state == "redeemed":
        raise Conflict("this code was redeemed before", code="code_redeemed")
    _check(read(body or {}), at, amount)
    if owner is not None and profile is not None and await profiles.survivor(conn, workspace, owner) != profile:
        raise Conflict("this code was given to another customer", code="not_owner")
    await store.redeem(conn, workspace, name, code, profile, at)
    return name


def _check(promotion: Promotion, at: int, amount: Decimal | None) -> None:
    if not promotion.is_open(at):
        raise Conflict(f"the promotion is not open at {clock.show(at)}", code="promotion_over")
    if promotion.minimum is not None and (amount is None or amount < promotion.minimum):
        raise Conflict(f"it is for an `amount` of {promotion.minimum} or more", code="below_minimum")
