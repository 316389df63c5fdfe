"""SQL of copies for seeds, on a sync connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection


def bodies(connection: Connection[Any], workspace: int, kind: str, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What rules of a kind under these names."""
    found = connection.execute(
        """SELECT name, body FROM definition
           WHERE workspace = %s AND kind = %s AND name = ANY(%s::text[]) AND retired IS NULL""",
        [workspace, kind, list(names)],
    )
    return dict(found.fetchall())


def records(
    connection: Connection[Any], workspace: int, profiles: Sequence[bytes]
) -> list[tuple[bytes, dict[str, Any], bytes | None]]:
    """(id, traits, profiles section) of those that live, by id."""
    found = connection.execute(
        """SELECT id, traits, profiles FROM profile
           WHERE workspace = %s AND id = ANY(%s::bytea[]) AND merged_into IS NULL ORDER BY id""",
        [workspace, list(profiles)],
    )
    return [(bytes(row[0]), row[1], row[2]) for row in found.fetchall()]
