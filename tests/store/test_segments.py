"""Memberships as rows: the last change of a batch stands, and each workspace sees its own."""

from __future__ import annotations

import asyncio
from typing import Any

from kizuna.runtime.database import Database
from kizuna.segments import store
from kizuna.segments.section import MembershipChanged

ADA, GRACE = bytes(15) + b"a", bytes(15) + b"g"


def members(url: str, workspace: int, segment: str, after: bytes = b"", limit: int = 10) -> list[tuple[bytes, int]]:
    async def ask() -> list[tuple[bytes, int]]:
        database = Database(url, largest=1)
        await database.open()
        try:
            async with database.connection() as conn:
                rows = await store.members(conn, workspace, segment, after, limit)
                return [(bytes(profile), at) for profile, at, _ in rows]
        finally:
            await database.close()

    return asyncio.run(ask())


def write(connection: Any, workspace: int, *changes: MembershipChanged) -> None:
    with connection.cursor() as cursor:
        store.write_memberships(cursor, workspace, list(changes))
    connection.commit()


def test_the_last_change_of_a_batch_stands(connection: Any, database_url: str) -> None:
    write(
        connection, 1,
        MembershipChanged(ADA, "vip", True, 5), MembershipChanged(ADA, "vip", False, 6),
        MembershipChanged(GRACE, "vip", True, 5), MembershipChanged(GRACE, "vip", False, 6),
        MembershipChanged(GRACE, "vip", True, 7),
    )  # fmt: skip
    assert members(database_url, 1, "vip") == [(GRACE, 7)]


def test_leaving_removes_only_that_row(connection: Any, database_url: str) -> None:
    write(connection, 1, *(MembershipChanged(who, name, True, 5) for who in (ADA, GRACE) for name in ("vip", "new")))
    write(connection, 2, MembershipChanged(ADA, "vip", True, 9))
    write(connection, 1, MembershipChanged(ADA, "vip", False, 6))
    assert members(database_url, 1, "vip") == [(GRACE, 5)]
    assert members(database_url, 1, "new") == [(ADA, 5), (GRACE, 5)]
    assert members(database_url, 2, "vip") == [(ADA, 9)]


def test_members_come_in_pages(connection: Any, database_url: str) -> None:
    write(connection, 1, MembershipChanged(ADA, "vip", True, 5), MembershipChanged(GRACE, "vip", True, 6))
    assert members(database_url, 1, "vip", limit=1) == [(ADA, 5)]
    assert members(database_url, 1, "vip", after=ADA) == [(GRACE, 6)]
