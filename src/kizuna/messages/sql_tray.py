"""SQL of trays: what those who carry by hand were told."""

from __future__ import annotations

from typing import Any


def settings(cursor: Any, workspace: int, provider: str) -> dict[str, Any]:
    """Of a provider as they were set last, also where it was taken away since."""
    cursor.execute(
        "SELECT body FROM definition WHERE workspace = %s AND kind = 'provider' AND name = %s AND body IS NOT NULL"
        " ORDER BY introduced DESC LIMIT 1",
        [workspace, provider],
    )
    row = cursor.fetchone()
    return (row[0].get("settings") or {}) if row else {}
