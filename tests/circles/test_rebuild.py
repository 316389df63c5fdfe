"""A small shop's months folded again from the log: nothing differs; what is damaged is mended."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kizuna.accounts import workspaces
from kizuna.config import Config, load
from kizuna.core.errors import Conflict
from kizuna.demo.replay import Shop, replay
from kizuna.demo.run import CURRENCY, ZONE
from kizuna.demo.shop import FIRST_DAY
from kizuna.rebuild import Rebuilt, rebuild
from kizuna.runtime.database import Database
from kizuna.supervisor import started
from kizuna.testing.small_shop import small_year

DAMAGE = {
    "differing": [
        "UPDATE profile SET journeys = NULL WHERE id = (SELECT min(id) FROM profile WHERE journeys IS NOT NULL)",
        "DELETE FROM profile WHERE id = (SELECT max(id) FROM profile)",
    ],
    "counters": ["UPDATE counter SET value = value + 1 WHERE name = (SELECT min(name) FROM counter WHERE value > 0)"],
    "memberships": ["DELETE FROM membership WHERE profile = (SELECT min(profile) FROM membership)"],
}


async def make(url: str) -> dict[str, str]:
    database = Database(url, name="test")
    await database.open()
    try:
        return await workspaces.create(
            database, "demo", clock="test", start=f"{FIRST_DAY}T00:00:00Z", zone=ZONE, currency=CURRENCY
        )
    finally:
        await database.close()


def state(connection: psycopg.Connection[Any]) -> dict[str, list[Any]]:
    columns = {"profile": "workspace, id, partition, created_at, last_seen_at, merged_into, traits"}
    return {
        table: connection.execute(f"SELECT {columns.get(table, '*')} FROM {table} ORDER BY 1, 2, 3").fetchall()  # type: ignore[arg-type]
        for table in ("profile", "membership")
    }


def fences(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT sum(batch)::int FROM log_head").fetchone()
    assert row
    return row[0]


def faults(rebuilt: Rebuilt) -> dict[str, int]:
    names = ("differing", "facts_missing", "facts_new", "counters", "memberships")
    return {name: getattr(rebuilt, name) for name in names if getattr(rebuilt, name)}


def test_months_folded_again_are_the_same_and_damage_is_mended(database_url: str, tmp_path: Path) -> None:
    config: Config = load(data=tmp_path / "data", database_url=database_url, port=0)
    with started(config) as running:
        made = asyncio.run(make(database_url))
        shop = Shop(running.url, made["write_key"], made["api_key"])
        shop.publish()
        replay(shop, small_year(), lambda *_: None)
        shop.close()
        with pytest.raises(Conflict, match="stop Kizuna first"):
            rebuild(config)

    [same] = rebuild(config, is_check=True)
    assert same.is_whole
    assert same.records > 30
    assert same.rows > 500
    assert faults(same) == {}, same.line()

    with psycopg.connect(database_url, autocommit=True) as connection:
        before, fenced = state(connection), fences(connection)
        for name, statements in DAMAGE.items():
            for statement in statements:
                assert connection.execute(statement).rowcount  # type: ignore[arg-type]
            assert faults(rebuild(config, is_check=True)[0]).keys() == {name}
            assert faults(rebuild(config)[0]).keys() == {name}
            assert faults(rebuild(config, is_check=True)[0]) == {}
        assert state(connection) == before
        assert fences(connection) == fenced + 64 * len(DAMAGE)  # who still has records in memory cannot commit

        connection.execute('DELETE FROM log WHERE "offset" = 1')
        [refused] = rebuild(config)
        assert not refused.is_whole
        assert "not rebuilt" in refused.line()
