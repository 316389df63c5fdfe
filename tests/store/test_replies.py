"""A reply on real PostgreSQL, with nobody to fold it: what its own transaction wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from kizuna.consent import store as consent_store
from kizuna.events.log import Log
from kizuna.messages import take_replies
from kizuna.messages.take_replies import take_reply
from kizuna.profiles import everybody
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


@pytest.mark.parametrize(
    ("traits", "number"),
    [
        ({"phone": "090-1234-5678", "country": "JP"}, ADA),
        ({"phone": "０９０－１２３４－５６７８"}, ADA),
        ({"phone": "+81 90 1234 5678"}, ADA),
        ({"phone": "(415) 555-2671"}, "+14155552671"),
        ({"phone": "415.555.2671", "country": "US"}, "+14155552671"),
    ],
)
def test_stop_finds_a_number_as_somebody_wrote_it(
    traits: dict[str, str], number: str, database_url: str, connection: psycopg.Connection[Any]
) -> None:
    workspace = make_workspace(connection)
    ada = put_profile(connection, workspace, "ada", **traits)
    stop = Act(state="replied", id="1", address=number, text="STOP")
    assert heard(database_url, workspace, [stop], ada)[1] == {("sms", "")}


def test_stop_is_of_nobody_whose_number_only_ends_alike(database_url: str, connection: psycopg.Connection[Any]) -> None:
    workspace = make_workspace(connection)
    ada = put_profile(connection, workspace, "ada", phone="+1 415 555 2671")
    numbers = ("+819015552671", "+814155552671", "+4155552671")
    stops = [Act(state="replied", id=number, address=number, text="STOP") for number in numbers]
    assert heard(database_url, workspace, stops, ada) == ([None, None, None], set())


def test_stop_reaches_all_who_have_the_number_step_by_step(
    database_url: str, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(everybody, "STEP", 4)
    monkeypatch.setattr(take_replies, "STEP", 4)
    workspace = make_workspace(connection)
    for number in range(30):
        put_profile(connection, workspace, f"at home {number}", phone=ADA)
        gone = put_profile(connection, workspace, f"written to {number}")
        plan(connection, workspace, gone, channel="sms", address=ADA, state="sent")
    stop = Act(state="replied", id="1", address=ADA, text="STOP")
    ((position,), _) = heard(database_url, workspace, [stop], b"")
    vetoed = connection.execute("SELECT count(DISTINCT profile) FROM veto WHERE workspace = %s", [workspace]).fetchone()
    assert (position is not None, vetoed) == (True, (60,))
    assert heard(database_url, workspace, [stop], b"")[0] == [None]  # told once
