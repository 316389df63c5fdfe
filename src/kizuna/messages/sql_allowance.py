"""SQL of what providers were handed on each local day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from psycopg import Connection

from kizuna.messages.allowance import Key, in_order
from kizuna.messages.sql_sending import NOW

KEPT_DAYS = 7  # what is handed back counts on the day it was taken; no zone is further off


def used(cursor: Any, workspace: int, provider: str, keys: Iterable[Key]) -> dict[Key, int]:
    """What is counted of these, as far as it is committed; nothing is locked."""
    asked = in_order(keys)
    cursor.execute(
        "SELECT day, domain, count FROM sent_on JOIN unnest(%s::date[], %s::text[]) AS asked (day, domain)"
        " USING (day, domain) WHERE workspace = %s AND provider = %s",
        [[day for day, _ in asked], [domain for _, domain in asked], workspace, provider],
    )
    return {(day, domain): counted for day, domain, counted in cursor.fetchall()}


def count(cursor: Any, workspace: int, provider: str, added: Mapping[Key, int]) -> dict[Key, int]:
    """Add to days and domains, also 0 or less than that; what is counted then. The rows stay locked until the
    transaction ends, one after the other in one order, so that of two senders the second sees what the first took."""
    keys = in_order(added)
    cursor.execute(
        "INSERT INTO sent_on (workspace, provider, day, domain, count)"
        " SELECT %(workspace)s, %(provider)s, new.day, new.domain, new.count"
        " FROM unnest(%(days)s::date[], %(domains)s::text[], %(counts)s::bigint[])"
        " WITH ORDINALITY AS new (day, domain, count, place) ORDER BY new.place"
        " ON CONFLICT (workspace, provider, day, domain) DO UPDATE SET count = sent_on.count + excluded.count"
        " RETURNING day, domain, count",
        {
            "workspace": workspace,
            "provider": provider,
            "days": [day for day, _ in keys],
            "domains": [domain for _, domain in keys],
            "counts": [added[key] for key in keys],
        },
    )
    return {(day, domain): counted for day, domain, counted in cursor.fetchall()}


def forget(connection: Connection[Any]) -> bool:
    """Days that are over; no more than a few rows, and so no steps."""
    connection.execute(
        f"DELETE FROM sent_on s USING workspace w WHERE w.id = s.workspace"  # noqa: S608  # our own words
        f" AND s.day < to_timestamp(({NOW}) / 1e6)::date - %s",
        [KEPT_DAYS],
    )
    return False
