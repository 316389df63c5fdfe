"""SQL of codes as the sender reserves, commits and gives them back, on a sync cursor in the claim's transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from kizuna.core import ids

# A code is given to a holder: a message, whatever its channel. What was reserved is found again, so that a try after
# a crash says the same; what is free is taken past the locks of others, so that none is given twice and nobody waits.


class Asked(Struct, frozen=True):
    """A message that needs a code; `holder` is the same for all channels of one message."""

    message: bytes
    profile: bytes
    holder: bytes


class Drawn(Struct, frozen=True):
    """Codes by message; who is missing has none. `limited` had as many as a customer may; for the others of
    `missing` none is left, or with `is_contended` others hold the last ones just now."""

    codes: dict[bytes, str]
    limited: frozenset[bytes] = frozenset()
    is_contended: bool = False


def lock_owners(cursor: Any, workspace: int, profiles: Sequence[bytes]) -> None:
    """Two messages of a customer take turns: their codes are counted, and the same holder draws once."""
    keys = {int.from_bytes(ids.derive("promotions", workspace, each)[:8], "big", signed=True) for each in set(profiles)}
    cursor.execute(
        "SELECT count(pg_advisory_xact_lock(key)) FROM (SELECT key FROM unnest(%s::bigint[]) AS k (key)"
        " ORDER BY key OFFSET 0) sorted",
        [sorted(keys)],
    )


def declared(cursor: Any, workspace: int, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Bodies of promotions that rule, by name."""
    cursor.execute(
        "SELECT name, body FROM definition WHERE workspace = %s AND kind = 'promotion' AND retired IS NULL"
        " AND name = ANY(%s::text[])",
        [workspace, list(names)],
    )
    return dict(cursor.fetchall())


def reserve(cursor: Any, workspace: int, promotion: str, asked: Sequence[Asked], per_profile: int) -> Drawn:
    """Codes for messages whose owners are locked."""
    codes = held(cursor, workspace, promotion, asked)
    new = [each for each in asked if each.message not in codes]
    counts = _counts(cursor, workspace, promotion, [each.profile for each in new]) if new else Counter[bytes]()
    wanted: dict[bytes, Asked] = {}
    limited: set[bytes] = set()
    for each in new:
        if each.holder not in wanted and counts[each.profile] >= per_profile:
            limited.add(each.message)
        elif each.holder not in wanted:
            wanted[each.holder] = each
            counts[each.profile] += 1
    drawn = _draw(cursor, workspace, promotion, list(wanted.values())) if wanted else {}
    codes |= {each.message: drawn[each.holder] for each in new if each.holder in drawn}
    is_short = len(drawn) < len(wanted)
    return Drawn(codes, frozenset(limited), is_short and _any_left(cursor, workspace, promotion))


def held(cursor: Any, workspace: int, promotion: str, asked: Sequence[Asked]) -> dict[bytes, str]:
    """What holders have already; the message that asks now is the one that speaks for it."""
    cursor.execute(
        "UPDATE promotion_code c SET message = new.message"
        " FROM unnest(%s::bytea[], %s::bytea[]) AS new (holder, message)"
        " WHERE c.workspace = %s AND c.promotion = %s AND c.holder = new.holder RETURNING c.holder, c.code",
        [[each.holder for each in asked], [each.message for each in asked], workspace, promotion],
    )
    found: Mapping[bytes, str] = dict(cursor.fetchall())
    return {each.message: found[each.holder] for each in asked if each.holder in found}


def _counts(cursor: Any, workspace: int, promotion: str, profiles: Sequence[bytes]) -> Counter[bytes]:
    """Also of what was given to records that are joined by now."""
    cursor.execute(
        "WITH RECURSIVE known (profile, id) AS ("
        "  SELECT each, each FROM unnest(%(profiles)s::bytea[]) AS asked (each)"
        "  UNION SELECT known.profile, p.id FROM known"
        "  JOIN profile p ON p.workspace = %(workspace)s AND p.merged_into = known.id)"
        " SELECT known.profile, count(*) FROM known JOIN promotion_code c ON c.workspace = %(workspace)s"
        " AND c.profile = known.id AND c.promotion = %(promotion)s GROUP BY known.profile",
        {"workspace": workspace, "promotion": promotion, "profiles": list(profiles)},
    )
    return Counter(dict(cursor.fetchall()))


def _draw(cursor: Any, workspace: int, promotion: str, asked: Sequence[Asked]) -> dict[bytes, str]:
    """A free code for each, as far as they go."""
    cursor.execute(
        "WITH free AS MATERIALIZED ("
        "  SELECT code FROM promotion_code WHERE workspace = %(workspace)s AND promotion = %(promotion)s"
        "  AND state = 'free' ORDER BY number LIMIT %(count)s FOR UPDATE SKIP LOCKED),"
        " numbered AS (SELECT code, row_number() OVER () AS nth FROM free)"
        " UPDATE promotion_code c SET state = 'reserved', holder = new.holder, profile = new.profile,"
        "  message = new.message"
        " FROM numbered JOIN unnest(%(holders)s::bytea[], %(profiles)s::bytea[], %(messages)s::bytea[])"
        "  WITH ORDINALITY AS new (holder, profile, message, nth) USING (nth)"
        " WHERE c.workspace = %(workspace)s AND c.promotion = %(promotion)s AND c.code = numbered.code"
        " RETURNING c.holder, c.code",
        {
            "workspace": workspace,
            "promotion": promotion,
            "count": len(asked),
            "holders": [each.holder for each in asked],
            "profiles": [each.profile for each in asked],
            "messages": [each.message for each in asked],
        },
    )
    return dict(cursor.fetchall())


def _any_left(cursor: Any, workspace: int, promotion: str) -> bool:
    cursor.execute(
        "SELECT EXISTS (SELECT FROM promotion_code WHERE workspace = %s AND promotion = %s AND state = 'free')",
        [workspace, promotion],
    )
    return bool(cursor.fetchone()[0])


def commit(cursor: Any, workspace: int, messages: Sequence[bytes]) -> None:
    """They were sent: their codes are given."""
    cursor.execute(
        "UPDATE promotion_code SET state = 'committed'"
        " WHERE workspace = %s AND message = ANY(%s::bytea[]) AND state = 'reserved'",
        [workspace, list(messages)],
    )


def release(cursor: Any, workspace: int, messages: Sequence[bytes]) -> None:
    """They are not sent: others may have their codes."""
    cursor.execute(
        "UPDATE promotion_code SET state = 'free', holder = NULL, profile = NULL, message = NULL"
        " WHERE workspace = %s AND message = ANY(%s::bytea[]) AND state = 'reserved'",
        [workspace, list(messages)],
    )
