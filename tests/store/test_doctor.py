"""Doctor finds what is overdue, and says when all is well."""

from __future__ import annotations

from typing import Any

import psycopg

from kizuna.runtime.doctor import examine


def broken(url: str) -> dict[str, int]:
    return {check.name: check.found for check in examine(url) if not check.ok}


def test_a_fresh_database_is_well(database_url: str) -> None:
    assert broken(database_url) == {}


def test_an_empty_database_is_behind(empty_database_url: str) -> None:
    assert list(broken(empty_database_url)) == ["schema_current"]


def test_nobody_there() -> None:
    assert list(broken("postgresql://kizuna@/kizuna?host=/nowhere")) == ["database_reachable"]


def test_overdue_things_are_counted(database_url: str, connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        "INSERT INTO workspace (name, clock, zone, currency, consent, created_at)"
        " VALUES ('shop', 'live', 'UTC', 'USD', 'opt_out', 0)"
    )
    connection.execute(
        "INSERT INTO alarm (workspace, partition, at, profile)"
        " VALUES (1, 0, 1, '\\x01'), (1, 0, real_now() + 3600000000, '\\x02')"
    )
    connection.execute(
        'INSERT INTO log_head (workspace, partition, "offset", at, applied)'
        " VALUES (1, 0, 2, 1, 1), (1, 1, 2, real_now(), 1), (1, 2, 2, 1, 2)"
    )
    connection.commit()
    assert broken(database_url) == {"timers_unfired": 1, "log_unread": 1}
