"""Why, or why not: the chain of facts that led to a membership, a run or a message, and what each rule sees now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from kizuna.core import clock, ids
from kizuna.insight import store
from kizuna.insight.ask import Asker
from kizuna.segments.rule import parse
from kizuna.segments.sql import compile_sql

LONGEST_CHAIN = 12  # causes of causes
_COMBINING = ("all", "any", "not")

_ABOUT = """
SELECT id, event, timestamp, properties, caused_by FROM events
WHERE profile = $profile AND event LIKE $events AND json_extract_string(properties, $field) = $name
ORDER BY timestamp DESC, arrival DESC LIMIT 20
"""
_CAUSES = """
SELECT id, event, timestamp, properties, caused_by FROM events WHERE profile = $profile AND id IN (SELECT unnest($ids))
"""
_ASKED = {
    "segment": ("segment_%", "$.segment"),
    "journey": ("journey_%", "$.journey"),
    "message": ("message_%", "$.message"),
}

Link = dict[str, Any]  # {at, rule, seen, version, outcome}


async def why(asker: Asker, profile: bytes, kind: str, name: str) -> dict[str, Any]:
    """`{answer, chain}`, newest first; for a segment each part of its rule follows with what it sees now."""
    facts = await _facts(asker, profile, kind, name)
    chain = [_link(*fact) for fact in facts]
    if kind == "segment":
        chain += await _parts(asker, profile, name)
    return {"answer": _answer(kind, facts), "chain": chain}


async def _facts(asker: Asker, profile: bytes, kind: str, name: str) -> list[tuple[Any, ...]]:
    """Facts about it, and what caused them, newest first."""
    events, field = _ASKED[kind]
    person = ids.show("prf", profile)
    about = {"profile": person, "events": events, "field": field, "name": name}
    found = await asker.lake.query(asker.database, asker.workspace.id, _ABOUT, about)
    known = {row[0]: row for row in found}
    wanted = {row[4] for row in found if row[4]} - known.keys()
    for _ in range(LONGEST_CHAIN):
        if not wanted:
            break
        asked = {"profile": person, "ids": sorted(wanted)}
        causes = await asker.lake.query(asker.database, asker.workspace.id, _CAUSES, asked)
        known.update({row[0]: row for row in causes})
        wanted = {row[4] for row in causes if row[4]} - known.keys()
    return sorted(known.values(), key=lambda row: row[2], reverse=True)


def _link(_: str, event: str, at: int, properties: str, caused_by: str | None) -> Link:
    said = msgspec.json.decode(properties or "{}")
    return {
        "at": clock.show(at),
        "rule": event,
        "seen": said,
        "version": said.get("version"),
        "outcome": said.get("reason") or event,
        "caused_by": caused_by or None,
    }


def _answer(kind: str, facts: list[tuple[Any, ...]]) -> str:
    """The newest word about it."""
    for _, event, _, properties, _ in facts:
        if not event.startswith(f"{kind}_"):
            continue
        reason = msgspec.json.decode(properties or "{}").get("reason")
        return f"{event}: {reason}" if reason else event
    return {"segment": "never a member", "journey": "never entered", "message": "no such message"}[kind]


async def _parts(asker: Asker, profile: bytes, name: str) -> list[Link]:
    """Each part of the segment's rule and whether it holds now, by the second reading."""
    async with asker.database.connection() as conn:
        found = await store.segment_rule(conn, asker.workspace.id, name)
    if found is None:
        return []
    version, where = found
    parts = list(_leaves(where))
    questions = [
        (f"SELECT count(*) FROM ({compile_sql(parse(part), asker.now, asker.workspace.zone)}) WHERE profile = $profile",  # noqa: S608
         {"profile": ids.show("prf", profile)})
        for part in parts
    ]  # fmt: skip
    answers = await asker.lake.query_all(asker.database, asker.workspace.id, questions)
    return [
        {"at": clock.show(asker.now), "rule": part, "seen": bool(rows[0][0]), "version": version,
         "outcome": "holds" if rows[0][0] else "does not hold"}
        for part, rows in zip(parts, answers, strict=True)
    ]  # fmt: skip


def _leaves(where: Any) -> Iterator[Any]:
    """The parts of a rule that ask something themselves."""
    for form in _COMBINING:
        if form in where:
            inner = where[form]
            for part in inner if isinstance(inner, list) else [inner]:
                yield from _leaves(part)
            return
    yield where
