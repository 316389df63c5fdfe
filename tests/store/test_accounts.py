"""The tenants' SQL and verbs against the real database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

from kizuna.accounts import installation, keys, members, store, workspaces
from kizuna.accounts.secrets import token_hash
from kizuna.accounts.store import Answer
from kizuna.core.clock import DAY, HOUR, MINUTE, SECOND
from kizuna.core.errors import Conflict, Invalid, NotFound, NotSignedIn, TooMany
from kizuna.runtime.database import Database

T = TypeVar("T")
PASSWORD = "correct horse battery staple"


@pytest.fixture
def run(database_url: str) -> Iterator[Callable[[Callable[[Database], Awaitable[Any]]], Any]]:
    """Runs a coroutine function over an open database."""

    def run(work: Callable[[Database], Awaitable[T]]) -> T:
        async def inside() -> T:
            database = Database(database_url, name="test")
            await database.open()
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(inside())

    return run


def test_a_workspace_has_a_log_head_for_every_partition(run: Any) -> None:
    async def work(database: Database) -> None:
        made = await workspaces.create(database, "shop", clock="test", start="2026-01-01", zone="Asia/Tokyo")
        found = await workspaces.find(database, "shop")
        assert made["id"] == workspaces.outer_id(found.id)
        assert found == await workspaces.find(database, made["id"])
        async with database.connection() as conn:
            cursor = await conn.execute("SELECT count(*) FROM log_head WHERE workspace = %s", (found.id,))
            assert await cursor.fetchone() == (found.partitions,)
            assert await store.partitions(conn) == found.partitions
            assert await store.now(conn, found.id) == 1_767_193_200 * SECOND  # midnight in Tokyo
            assert len(await store.secret(conn)) == 32

    run(work)


def test_a_test_clock_without_start_begins_now_at_a_whole_second(run: Any) -> None:
    async def work(database: Database) -> None:
        await workspaces.create(database, "still", clock="test")
        await workspaces.create(database, "moving")
        async with database.connection() as conn:
            still = await store.now(conn, (await workspaces.find(database, "still")).id)
            moving = await store.now(conn, (await workspaces.find(database, "moving")).id)
        assert still % SECOND == 0
        assert abs(still - time.time_ns() // 1000) < MINUTE
        assert abs(moving - time.time_ns() // 1000) < MINUTE

    run(work)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""}, {"name": " shop"}, {"name": "a\nb"}, {"name": "wsp_1"}, {"name": "x" * 101}, {"name": "a/b"},
        {"zone": "Mars/Base"}, {"currency": "yen"}, {"clock": "broken"}, {"consent": "maybe"}, {"start": "2026-01-01"},
        {"clock": "test", "start": "soon"},
    ],
)  # fmt: skip
def test_a_workspace_that_cannot_be_is_refused(run: Any, wrong: dict[str, str]) -> None:
    async def work(database: Database) -> None:
        with pytest.raises(Invalid) as refused:
            await workspaces.create(database, **({"name": "shop"} | wrong))
        assert refused.value.errors

    run(work)


def test_a_name_is_taken_once(run: Any) -> None:
    async def work(database: Database) -> None:
        made = await asyncio.gather(*(workspaces.create(database, "shop") for _ in range(4)), return_exceptions=True)
        assert [type(one) for one in made if isinstance(one, Exception)] == [Conflict] * 3
        with pytest.raises(NotFound):
            await workspaces.find(database, "other")

    run(work)


def test_a_key_is_stored_as_a_hash_only(run: Any) -> None:
    async def work(database: Database) -> None:
        made = await workspaces.create(database, "shop")
        assert made["write_key"].startswith("wk_") and made["api_key"].startswith("key_")
        async with database.connection() as conn:
            cursor = await conn.execute("SELECT hash, id, role FROM api_key")
            rows = await cursor.fetchall()
        assert {bytes(row[0]) for row in rows} == {token_hash(made["write_key"]), token_hash(made["api_key"])}
        assert not any(made["api_key"] in str(row) for row in rows)

    run(work)


def test_a_key_ring_knows_whose_key_it_is_until_taken_back(run: Any) -> None:
    async def work(database: Database) -> None:
        made = await workspaces.create(database, "shop")
        workspace = await workspaces.find(database, "shop")
        ring = keys.KeyRing(database)
        caller = await ring.caller(made["write_key"])
        assert (caller.workspace, caller.role, caller.member) == (workspace, "ingest", None)
        new = await keys.create(database, workspace.id, "agent")
        assert (await ring.caller(new["key"])).role == "agent"
        with pytest.raises(NotFound):
            await ring.revoke(workspace.id + 1, new["id"])  # another workspace's key is not there
        await ring.revoke(workspace.id, new["id"])
        for unknown in (new["key"], "key_none", "", "\ud800"):
            with pytest.raises(NotSignedIn):
                await ring.caller(unknown)

    run(work)


async def _owner(database: Database) -> str:
    token = await installation.issue_setup_token(database)
    assert token
    return await members.setup(database, token=token, name="Ada", email="ada@example.com", password=PASSWORD)


def test_only_one_of_two_set_ups_wins(run: Any) -> None:
    async def work(database: Database) -> None:
        token = await installation.issue_setup_token(database)
        both = await asyncio.gather(
            *(
                members.setup(database, token=str(token), name="Ada", email=f"{who}@example.com", password=PASSWORD)
                for who in ("ada", "eve")
            ),
            return_exceptions=True,
        )
        assert [isinstance(one, str) for one in both].count(True) == 1
        async with database.connection() as conn:
            cursor = await conn.execute("SELECT email, password FROM member")
            [(_, password)] = await cursor.fetchall()
        assert password.startswith("$argon2id$")

    run(work)


def test_twenty_attempts_an_hour_for_an_account_wherever_from(run: Any) -> None:
    async def work(database: Database) -> None:
        await _owner(database)

        async def attempt(number: int) -> type[BaseException] | None:
            address = f"2001:db8:{number:x}::1"
            body = {"email": "ada@example.com", "password": "wrong", "address": address, "replaces": None}
            try:
                await members.sign_in(database, **body)
            except (NotSignedIn, TooMany) as error:
                return type(error)

        outcomes = await asyncio.gather(*(attempt(number) for number in range(26)))  # also when they come at once
        assert outcomes.count(NotSignedIn) == members.ATTEMPTS
        assert outcomes.count(TooMany) == 6

    run(work)


def test_twenty_attempts_an_hour_from_an_address_whatever_account(run: Any) -> None:
    async def work(database: Database) -> None:
        async def attempt(number: int) -> int | None:
            async with database.connection() as conn:
                subjects = [f"account:{number}@example.com", "address:2001:db8::/64"]
                return await store.count_attempt(conn, subjects, 20, HOUR)

        assert [await attempt(number) for number in range(20)] == [None] * 20
        wait = await attempt(20)
        assert wait and 3590 <= wait <= 3600
        async with database.connection() as conn:
            await conn.execute("UPDATE sign_in_attempt SET at = at - %s", (HOUR,))
        assert await attempt(21) is None

    run(work)


def test_addresses_of_one_subscriber_count_as_one() -> None:
    assert members._network("2001:db8:1:2:3::4") == members._network("2001:db8:1:2::5") == "2001:db8:1:2::/64"
    assert members._network("::ffff:192.0.2.1") == members._network("192.0.2.1") == "192.0.2.1"
    assert members._network("testclient") == "testclient"


def test_a_stored_answer_is_claimed_once_and_ages(run: Any) -> None:
    async def work(database: Database) -> None:
        async def begin(key: str, request: bytes) -> Answer | None:
            async with database.connection() as conn:
                return await store.begin_answer(conn, 1, key, request, DAY, MINUTE)

        both = await asyncio.gather(begin("k", b"a"), begin("k", b"a"))
        assert sorted(one is None for one in both) == [False, True]
        answer = Answer(b"a", 201, "7", b"{}")
        async with database.connection() as conn:
            await store.keep_answer(conn, 1, "k", answer)
        assert await begin("k", b"b") == answer
        async with database.connection() as conn:
            await conn.execute("UPDATE idempotency SET at = at - %s", (2 * MINUTE,))
        assert await begin("k", b"b") == answer
        async with database.connection() as conn:
            await conn.execute("UPDATE idempotency SET at = at - %s", (DAY,))
        assert await begin("k", b"b") is None  # forgotten after a day
        async with database.connection() as conn:
            await conn.execute("UPDATE idempotency SET at = at - %s", (2 * MINUTE,))
        assert await begin("k", b"c") is None  # the one at work left no answer

    run(work)
