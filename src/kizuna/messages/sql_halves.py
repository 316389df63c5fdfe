"""SQL of messages that were planned twice for one customer: for two records that were joined before they were sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kizuna.messages.message import UNSAID

# Of records that were joined the living one's own message goes, else the one with the lowest id: exactly one, whoever
# looks, and in whatever order they are claimed.
_SECOND = """
WITH RECURSIVE half (message, living, profile) AS (
    SELECT message, living, living FROM unnest(%(messages)b::bytea[], %(living)b::bytea[]) AS asked (message, living)
    UNION
    SELECT half.message, half.living, p.id FROM half
    JOIN profile p ON p.workspace = %(workspace)s AND p.merged_into = half.profile
)
SELECT DISTINCT half.message FROM half
JOIN message m ON m.workspace = %(workspace)s AND m.id = half.message
JOIN message o ON o.workspace = %(workspace)s AND o.profile = half.profile AND o.id <> m.id
    AND o.purpose = m.purpose AND o.occurrence = m.occurrence AND o.channel = m.channel
WHERE o.state <> ALL(%(unsaid)b::text[]) AND NOT (o.state = 'planned' AND o.reason IS NOT NULL)
    AND (o.profile = half.living OR o.id < m.id)
"""


def second_halves(cursor: Any, workspace: int, living: Mapping[bytes, bytes]) -> set[bytes]:
    """Of messages whose record was joined to another (`living` by message), those that another message of the same
    customer says already."""
    asked = {"messages": list(living), "living": list(living.values()), "unsaid": list(UNSAID)}
    cursor.execute(_SECOND, {"workspace": workspace, **asked})
    return {row[0] for row in cursor.fetchall()}
