"""A reply on real PostgreSQL, with nobody to fold it: what its own transaction wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg

from kizuna.consent import store as consent_store
from kizuna.events.log import Log
from kizuna.messages.take_replies import take_reply
from kizuna.providers.report import Act
from kizuna.runtime.database import Database
from kizuna.testing.mail import plan, put_profile
from kizuna.testing.tenant import make_workspace

ADA = "+819012345678"


def heard(database_url: str, workspace: int, replies: Sequence[Act], profile: bytes) -> tuple[list[Any], Any]:
    """The positions, and the opt-outs that every claim sees already."""

    async def run() -> tuple[list[Any], Any]:
        database = Database(database_url)
        await database.open()
        try:
            log = Log(database)
            told = await asyncio.gather(*(take_reply(database, log, workspace, "text", each) for each in replies))
            async with database.connection() as conn:
                return told, await consent_store.open_vetoes(conn, workspace, profile)
        finally:
            await database.close()

    return asyncio.run(run())


def test_stop_is_in_force_from_the_commit_on(database_url: str, connection: psycopg.Connection[Any]) -> None:
    workspace = make_workspace(connection)
    ada = put_profile(connection, workspace, "ada", phone="+81 90-1234-5678")
    plan(connection, workspace, ada, channel="sms", topic="news", address=ADA, state="sent")
    stop = Act(state="replied", id="1", address=ADA, text="停止")
    positions, vetoes = heard(database_url, workspace, [stop, stop, stop], ada)
    assert sum(each is not None for each in positions) == 1  # told three times at once
    assert vetoes == {("sms", "")}


def test_a_reply_of_nobody_is_dropped(database_url: str, connection: psycopg.Connection[Any]) -> None:
    workspace = make_workspace(connection)
    ada = put_profile(connection, workspace, "ada", phone=ADA)
    plan(connection, workspace, ada, channel="sms", address="+14155550100")  # planned: nobody was written to
    replies = [Act(state="replied", id=number, address=number, text="STOP") for number in ("+14155550100", "Shop", "")]
    assert heard(database_url, workspace, replies, ada) == ([None, None, None], set())
