"""A launch of fifty thousand while processes are killed without warning: nobody is lost, nobody is written to twice."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import Connection

from kizuna.accounts import workspaces
from kizuna.core import ids
from kizuna.engine.moment import Item
from kizuna.profiles.section import Profile
from kizuna.runtime.database import Database, connect
from kizuna.testing.killing import Killable
from kizuna.testing.shop import Shop

MEMBERS = 50_000
PATIENCE = 240.0

# Whom to kill, and after how many members were handed out. The archive process is the one that hands out.
BLOWS = [("archive", 1), ("work", 10_000), ("archive", 16_000), ("send", 22_000), ("postgres", 28_000), ("up", 36_000)]


def test_fifty_thousand_are_reached_once_each_whatever_is_killed(tmp_path: Path) -> None:
    with Killable(tmp_path / "data", "--workers", "2") as up:
        shop = Shop(up.url, asyncio.run(make_workspace(up.database_url)))
        workspace = int(shop.made["id"].removeprefix("wsp_"))
        shop.template("hello", "Hello")
        shop.segment("all", {"trait": "email", "exists": True})
        shop.get("/api/v1/segments/all")
        with connect(up.database_url) as connection:
            people = put_members(connection, workspace, "all")
        shop.ask("PUT", "/api/v1/campaigns/sale", {"segment": "all", "send": {"channel": "email", "template": "hello"}})
        answer = shop.ask("POST", "/api/v1/campaigns/sale/launch", expect=202)
        assert answer["members"] == MEMBERS
        for victim, handed in BLOWS:
            until(up, lambda row, least=handed: row[0] >= least, workspace)
            assert up.kill(victim) > 0
        until(up, lambda row: row == (MEMBERS, "handed", MEMBERS), workspace)
        shown = shop.get("/api/v1/campaigns/sale")
        assert (shown["state"], shown["planned"], shown["sent"], shown["skipped"], shown["waiting"]) == (
            "finished", MEMBERS, MEMBERS, {}, 0,
        )  # fmt: skip
        with connect(up.database_url) as connection:
            outbox = [row[0] for row in connection.execute("SELECT item ->> 'profile' FROM outbox").fetchall()]
            assert len(outbox) == MEMBERS
            assert set(outbox) == {ids.show("prf", each) for each in people}
            assert launch_items(connection, workspace) == sorted(people)
            assert connection.execute("SELECT count(*) FROM launch_member").fetchone() == (0,)
            assert connection.execute("SELECT count(*) FROM parked").fetchone() == (0,)
        shop.http.close()


async def make_workspace(url: str) -> dict[str, str]:
    database = Database(url, name="test")
    await database.open()
    try:
        return await workspaces.create(database, "large", clock="test", start="2026-03-02T10:00:00Z")
    finally:
        await database.close()


def put_members(connection: Connection[Any], workspace: int, segment: str) -> list[bytes]:
    """Customers with an address and their membership, as the fold leaves them."""
    people = [ids.profile_id(workspace, "user", f"u{number}") for number in range(MEMBERS)]
    partitions: Any = connection.execute("SELECT partitions FROM installation").fetchone()
    with connection.cursor() as cursor:
        with cursor.copy(
            "COPY profile (workspace, id, partition, created_at, last_seen_at, traits, profiles) FROM STDIN"
        ) as copy:
            for number, profile in enumerate(people):
                traits = {"email": f"u{number}@example.com"}
                section = msgspec.msgpack.encode(Profile(user_id=f"u{number}", traits=traits))
                partition = ids.partition_of(profile, partitions[0])
                copy.write_row([workspace, profile, partition, 1, 1, msgspec.json.encode(traits).decode(), section])
        with cursor.copy("COPY membership (workspace, segment, profile, entered_at) FROM STDIN") as copy:
            for profile in people:
                copy.write_row([workspace, segment, profile, 1])
    connection.commit()
    return people


def launch_items(connection: Connection[Any], workspace: int) -> list[bytes]:
    """To whom the log says that the campaign reached them."""
    rows = connection.execute("SELECT body FROM log WHERE workspace = %s AND kind = 0 AND items > 0", [workspace])
    items = [item for (body,) in rows.fetchall() for item in msgspec.msgpack.decode(body, type=list[Item])]
    return sorted(item.profile for item in items if item.type == "launch")


def until(up: Killable, is_so: Any, workspace: int) -> None:
    """Looks at (handed, state, members) of the launch until it is so, also while the database comes back."""
    last = time.monotonic() + PATIENCE
    row: Any = None
    while time.monotonic() < last:
        try:
            with psycopg.connect(up.database_url, autocommit=True) as connection:
                question = "SELECT handed, state, members FROM launch WHERE workspace = %s"
                while time.monotonic() < last:
                    row = connection.execute(question, [workspace]).fetchone()
                    if is_so(row):
                        return
                    time.sleep(0.005)
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise AssertionError(f"it never came true: {row}")
