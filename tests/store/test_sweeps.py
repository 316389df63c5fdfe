"""What nobody reads any more goes, by the clock of its workspace, a step at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pytest

from kizuna.core.clock import DAY
from kizuna.engine import sql_seen
from kizuna.engine.moment import REMEMBERED
from kizuna.messages import sql_allowance, sql_told
from kizuna.runtime.database import connect
from kizuna.testing.tenant import make_workspace

Connection = psycopg.Connection[Any]
NOW = 1_796_126_400_000_000  # noon of 2026-12-01 in UTC


@pytest.fixture
def sweeper(database_url: str) -> Any:
    with connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def shop(connection: Connection) -> int:
    return make_workspace(connection, now=NOW)


def test_a_message_id_is_forgotten_when_it_may_be_said_again(sweeper: Connection, shop: int) -> None:
    other = make_workspace(sweeper, "other", now=NOW - 60 * DAY)
    limit = NOW - REMEMBERED - sql_seen.UNFOLDED
    put(sweeper, "seen", [(shop, b"old", limit - 1), (shop, b"kept", limit), (other, b"earlier there", limit - 1)])
    assert not sql_seen.forget(sweeper)
    assert left(sweeper, "seen", "id") == [b"earlier there", b"kept"]


def test_what_the_fold_has_in_hand_is_passed_by(connection: Connection, sweeper: Connection, shop: int) -> None:
    put(sweeper, "seen", [(shop, b"a", 1), (shop, b"b", 1)])
    connection.execute("UPDATE seen SET at = %s WHERE id = %s", [NOW, b"a"])
    sql_seen.forget(sweeper)
    connection.commit()
    assert left(sweeper, "seen", "id") == [b"a"]


def test_what_was_told_is_forgotten_after_a_year_and_more(sweeper: Connection, shop: int) -> None:
    put(sweeper, "told", [(shop, b"old", NOW - sql_told.KEPT - 1), (shop, b"kept", NOW - sql_told.KEPT)])
    assert not sql_told.forget(sweeper)
    assert left(sweeper, "told", "id") == [b"kept"]


def test_days_that_are_over_are_not_counted_any_more(sweeper: Connection, shop: int) -> None:
    days = [date(2026, 11, 23), date(2026, 11, 24), date(2026, 12, 1)]
    put(sweeper, "sent_on", [(shop, "mail", day, "", 7) for day in days])
    assert not sql_allowance.forget(sweeper)
    assert left(sweeper, "sent_on", "day") == days[1:]


@pytest.mark.parametrize(("table", "forget"), [("seen", sql_seen.forget), ("told", sql_told.forget)])
def test_much_goes_in_steps(sweeper: Connection, shop: int, table: str, forget: Callable[[Connection], bool]) -> None:
    sweeper.execute(
        f"INSERT INTO {table} SELECT %s, int8send(n), 1 FROM generate_series(1, 10500) n",  # type: ignore[arg-type]
        [shop],
    )
    assert forget(sweeper)
    assert len(left(sweeper, table, "id")) == 500
    assert not forget(sweeper)
    assert left(sweeper, table, "id") == []


def put(connection: Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
    for row in rows:
        places = ", ".join(["%s"] * len(row))
        connection.execute(f"INSERT INTO {table} VALUES ({places})", row)  # type: ignore[arg-type]


def left(connection: Connection, table: str, column: str) -> list[Any]:
    return [row[0] for row in connection.execute(f"SELECT {column} FROM {table} ORDER BY 1").fetchall()]  # type: ignore[arg-type]
