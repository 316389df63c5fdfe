"""The whole log as it was, in its order: what PostgreSQL still has of it, and before that what the lake kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from kizuna.core import ids
from kizuna.runtime.lake import inner
from kizuna.runtime.lake.place import folder_of
from kizuna.runtime.lake.query import Lake
from kizuna.runtime.lake.said import Said
from kizuna.runtime.lake.views import quoted

if TYPE_CHECKING:
    from psycopg import Connection

NOTHING = "resume"  # an item that says nothing: it keeps the places of the others in their row
ITEMS, TICK, PUBLISH = 0, 2, 3  # kinds of rows
_AT_ONCE = 2_000

_decode = msgspec.msgpack.Decoder(list[Said]).decode
_decode_one = msgspec.msgpack.Decoder(Said).decode
_encode = msgspec.msgpack.encode


class Row(Struct, frozen=True):
    """A row of the log that was folded. Items that were not applied say nothing."""

    partition: int
    offset: int
    at: int
    root: int  # 0 where only the lake has it
    kind: int
    body: bytes
    items: int


def recorded(
    connection: Connection[Any], lake: Lake, workspace: int, until: int, *, clock: str, profile: bytes | None = None
) -> Iterator[Row]:
    """Rows said before `until`, in the order of (at, partition, offset), facts aside: they are said anew.

    With `profile`, only what was said to it, and the publishes and ticks of its partition. Begins a transaction.
    """
    connection.commit()
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    heads = connection.execute(_HEADS, [workspace]).fetchall()
    if profile is not None:
        heads = [head for head in heads if head[0] == ids.partition_of(profile, len(heads))]
    dropped = {partition: (oldest or applied + 1) for partition, applied, oldest in heads if oldest != 1 and applied}
    parts = [_of_log(connection, workspace, until, [partition for partition, _, _ in heads], profile)]
    if dropped:
        parts.append(_of_lake(connection, lake, workspace, until, dropped, profile, is_test=clock == "test"))
    yield from merge(*parts, key=lambda row: (row.at, row.partition, row.offset))


# what PostgreSQL has --------------------------------------------------------------------------------------------------

_HEADS = """
SELECT h.partition, h.applied, (SELECT min(l."offset") FROM log l
    WHERE l.workspace = h.workspace AND l.partition = h.partition)
FROM log_head h WHERE h.workspace = %s ORDER BY h.partition
"""

_LOG = """
SELECT l.partition, l."offset", l.at, l.root, l.kind, l.body, l.items,
       ARRAY(SELECT d.index FROM duplicate d
             WHERE d.workspace = l.workspace AND d.partition = l.partition AND d."offset" = l."offset")
FROM log l JOIN log_head h ON h.workspace = l.workspace AND h.partition = l.partition
WHERE l.workspace = %(workspace)s AND l.partition = ANY(%(partitions)s::smallint[]) AND l.at < %(until)s
AND l."offset" <= h.applied AND l.kind IN (0, 2, 3)
AND (%(key)s::bytea IS NULL OR l.kind <> 0 OR position(%(key)s::bytea IN l.keys) > 0)
ORDER BY l.at, l.partition, l."offset"
"""


def _of_log(
    connection: Connection[Any], workspace: int, until: int, partitions: Sequence[int], profile: bytes | None
) -> Iterator[Row]:
    key = profile[:8] if profile else None
    asked = {"workspace": workspace, "partitions": list(partitions), "until": until, "key": key}
    with connection.cursor(name="recorded") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(_LOG, asked, binary=True)
        for partition, offset, at, root, kind, body, items, left_out in cursor:
            if kind == ITEMS and (left_out or profile is not None):
                body = _without(body, left_out, profile)
                if body is None:
                    continue
            yield Row(partition, offset, at, root, kind, body, items)


def _without(body: bytes, left_out: Iterable[int], profile: bytes | None) -> bytes | None:
    items, skipped = _decode(body), set(left_out)
    kept = [
        item if index not in skipped and profile in (None, item.profile) else replace(item, type=NOTHING)
        for index, item in enumerate(items)
    ]
    if profile is not None:  # places are kept, others are not made known
        kept = [item if item.profile == profile else replace(item, profile=profile) for item in kept]
    return None if all(item.type == NOTHING for item in kept) else _encode(kept)


# what the lake has ---------------------------------------------------------------------------------------------------

_LAKE = """
SELECT partition, "offset", "index", logged_at, profile, id, type, event, timestamp, properties, context, user_id,
       anonymous_id, received_at, flags, caused_by, 0 AS kind, NULL::BLOB AS body
FROM said WHERE type <> 'fact' AND logged_at < $until AND {of_profile}
"""
_INNER = """
UNION ALL BY NAME
SELECT partition, "offset", "index", logged_at, profile, kind, body FROM read_parquet([{files}])
WHERE logged_at < $until AND (kind = 3 OR {of_profile})
"""
_ORDERED = """
WITH dropped AS (SELECT unnest($partitions::INTEGER[]) AS partition, unnest($offsets::BIGINT[]) AS "before")
SELECT s.* FROM ({both}) s JOIN dropped d ON d.partition = s.partition AND s."offset" < d."before"
ORDER BY s.logged_at, s.partition, s."offset", s."index"
"""


def _of_lake(
    connection: Connection[Any],
    lake: Lake,
    workspace: int,
    until: int,
    dropped: dict[int, int],
    profile: bytes | None,
    *,
    is_test: bool,
) -> Iterator[Row]:
    files = inner.files(folder_of(lake.place, workspace))
    of_profile = "true" if profile is None else "profile = $profile"
    both = _LAKE + (_INNER.replace("{files}", ", ".join(quoted(file) for file in files)) if files else "")
    sql = _ORDERED.replace("{both}", both).replace("{of_profile}", of_profile)
    asked: dict[str, Any] = {"until": until, "partitions": list(dropped), "offsets": list(dropped.values())}
    if profile is not None:
        asked["profile"] = ids.show("prf", profile)
    times: dict[int, int] = {}
    for row in _rows_of(lake.stream(connection, workspace, sql, asked)):
        if is_test and row.at > times.get(row.partition, row.at):  # a test clock says its new time before all else
            yield Row(row.partition, row.offset - 1, row.at, 0, TICK, b"", 0)
        times[row.partition] = row.at
        yield row


def _rows_of(lines: Iterable[tuple[Any, ...]]) -> Iterator[Row]:
    """Lines of one row lie together; places without a line were duplicates, and say nothing."""
    place: tuple[int, int] | None = None
    items: list[Said] = []
    at = 0
    for line in lines:
        partition, offset, index, logged_at, who, *said, kind, body = line
        if items and (partition, offset) != place:
            yield _row(place, at, items)
            items = []
        if kind == PUBLISH:
            yield Row(partition, offset, logged_at, 0, PUBLISH, body, 0)
            continue
        place, at = (partition, offset), logged_at
        item = _decode_one(body) if body is not None else _item(ids.read("prf", who), *said)
        items += [replace(item, type=NOTHING)] * (index - len(items))
        items.append(item)
    if items:
        yield _row(place, at, items)


def _row(place: tuple[int, int] | None, at: int, items: list[Said]) -> Row:
    assert place is not None  # noqa: S101  # there are items
    return Row(*place, at, 0, ITEMS, _encode(items), len(items))


def _item(
    profile: bytes, name: str, kind: str, event: str, timestamp: int, properties: str, context: str | None,
    user_id: str | None, anonymous_id: str | None, received_at: int, flags: int, caused_by: str | None,
) -> Said:  # fmt: skip
    return Said(
        profile, name, kind, event, timestamp, properties.encode(), (context or "").encode(), user_id or "",
        anonymous_id or "", received_at, flags, caused_by or "",
    )  # fmt: skip
