"""Everybody who has an address: what is said of it holds for all of them, however many and however it is written."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from kizuna.core import phone
from kizuna.profiles import store

STEP = 500  # profiles that are looked up, or written, at once


async def everybody(conn: AsyncConnection[Any], workspace: int, kind: str, value: str) -> list[bytes]:
    """As `store.by_trait`, of all. A phone number is given as E.164 writes it, and found however it was written."""
    if kind == "phone":
        return await _by_phone(conn, workspace, value)
    people: list[bytes] = []
    while page := await store.by_trait(conn, workspace, kind, value, STEP, people[-1] if people else b""):
        people += page
    return people


async def _by_phone(conn: AsyncConnection[Any], workspace: int, number: str) -> list[bytes]:
    people: list[bytes] = []
    last = b""
    while page := await store.by_phone_end(conn, workspace, number[-phone.SHORTEST :], STEP, last):
        people += [profile for profile, traits in page if phone.may_be(traits, number)]
        last = page[-1][0]
    return people
