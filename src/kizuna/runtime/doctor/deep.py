"""Questions that look into records and items; what these mean is told by the layers above."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from psycopg.sql import SQL, Identifier

from kizuna.runtime.doctor import Finding, Patient, Question
from kizuna.runtime.lake.said import Said

RECORDS = 500
ROWS = 200

_decode = msgspec.msgpack.Decoder(list[Said]).decode


def questions(
    decoders: Mapping[str, Callable[[bytes], Any]],
    is_waiting: Callable[[Mapping[str, Any]], bool],
    is_once: Callable[[Said], bool],
    key_of: Callable[[str], bytes],
) -> list[Question]:
    """`decoders` by column; `is_waiting`: no timer of the record fires; `key_of` a messageId, as `seen` has it."""
    return [
        Question(
            name="records_unreadable",
            invariant=2,
            ask=lambda patient: _unreadable(patient, decoders),
            advice="records cannot be read by this version: did a newer one run on this database?",
        ),
        Question(
            name="timers_forgotten",
            invariant=6,
            ask=lambda patient: _forgotten(patient, decoders, is_waiting),
            advice="records ask to be woken, and their row has no alarm or a later one",
        ),
        Question(
            name="events_unseen",
            invariant=1,
            ask=lambda patient: _unseen(patient, is_once, key_of),
            advice="events were folded and are not kept as seen, or were folded twice",
        ),
    ]


def _records(patient: Patient, names: list[str]) -> Iterator[tuple[Any, ...]]:
    """Some records, from random places of the table."""
    statement = SQL(
        """SELECT p.workspace, p.id, CASE WHEN EXISTS (
                   SELECT FROM alarm a WHERE a.workspace = p.workspace AND a.partition = p.partition
                   AND a.at = p.wake_at AND a.profile = p.id) THEN p.wake_at ELSE 0 END, {}
           FROM profile p TABLESAMPLE SYSTEM ({}) WHERE NOT EXISTS (
               SELECT FROM parked k WHERE k.workspace = p.workspace AND k.profile = p.id) LIMIT {}"""
    )
    row = patient.connection.execute("SELECT reltuples FROM pg_class WHERE oid = 'profile'::regclass").fetchone()
    share = min(100.0, 100 * 20 * RECORDS / max(row[0] if row else 0, 1))
    columns = SQL(", ").join(SQL("p.{}").format(Identifier(name)) for name in names)
    yield from patient.connection.execute(statement.format(columns, share, RECORDS))


def _unreadable(patient: Patient, decoders: Mapping[str, Any]) -> Iterator[Finding]:
    for workspace, profile, _, *bodies in _records(patient, list(decoders)):
        if _read(decoders, bodies) is None:
            yield Finding(workspace, f"prf_{profile.hex()}")


def _forgotten(
    patient: Patient, decoders: Mapping[str, Any], is_waiting: Callable[[Mapping[str, Any]], bool]
) -> Iterator[Finding]:
    for workspace, profile, alarm, *bodies in _records(patient, list(decoders)):
        found = _read(decoders, bodies)
        if found is None or is_waiting(found):
            continue
        earliest = min((part.wake_at for part in found.values() if part.wake_at), default=0)
        if earliest and (not alarm or alarm > earliest):
            yield Finding(workspace, f"prf_{profile.hex()}")


def _read(decoders: Mapping[str, Any], bodies: list[bytes | None]) -> dict[str, Any] | None:
    """The sections a record has; None when one cannot be read."""
    try:
        pairs = zip(decoders.items(), bodies, strict=True)
        return {name: decode(body) for (name, decode), body in pairs if body is not None}
    except (msgspec.MsgspecError, ValueError):
        return None


_NEWEST = """
SELECT l.workspace, l.body,
       ARRAY(SELECT d.index FROM duplicate d
             WHERE d.workspace = l.workspace AND d.partition = l.partition AND d."offset" = l."offset"),
       ARRAY(SELECT k.index FROM parked k
             WHERE k.workspace = l.workspace AND k.partition = l.partition AND k."offset" = l."offset")
FROM (SELECT * FROM log_head WHERE applied > 0 ORDER BY random() LIMIT 20) h CROSS JOIN LATERAL (
    SELECT * FROM log l WHERE l.workspace = h.workspace AND l.partition = h.partition AND l."offset" <= h.applied
    AND l.kind = 0 AND octet_length(l.body) < 1000000 ORDER BY l."offset" DESC LIMIT %s
) l
"""


def _unseen(patient: Patient, is_once: Callable[[Said], bool], key_of: Callable[[str], bytes]) -> Iterator[Finding]:
    folded: dict[int, list[bytes]] = {}
    for workspace, body, duplicates, parked in patient.connection.execute(_NEWEST, [ROWS // 20]):
        for index, item in enumerate(_decode(body)):
            if is_once(item) and index not in duplicates and index not in parked:
                folded.setdefault(workspace, []).append(key_of(item.id))
    for workspace, keys in folded.items():
        row = patient.connection.execute(
            "SELECT count(*) FROM seen WHERE workspace = %s AND id = ANY(%s::bytea[])", [workspace, keys]
        ).fetchone()
        missing = len(keys) - (row[0] if row else 0)  # one folded twice is there once
        if missing:
            yield Finding(workspace, count=missing)
