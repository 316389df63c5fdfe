"""Why, or why not: the chain of facts that led to a membership, a run or a message, and what each rule saw."""

from __future__ import annotations

from typing import Any

import msgspec

from kizuna.core import clock, ids
from kizuna.core.errors import NotFound
from kizuna.insight import store
from kizuna.insight.ask import Asker
from kizuna.insight.why.gate import MIGHT_BEGIN, Asked, not_entered
from kizuna.insight.why.link import Link
from kizuna.insight.why.message import UNSENT, refused
from kizuna.insight.why.rule import judged
from kizuna.profiles.past import PastProfiles, Then

LONGEST_CHAIN = 12  # causes of causes

_ABOUT = """
SELECT id, coalesce(nullif(event, ''), type), timestamp, properties, caused_by FROM events
WHERE profile = $profile AND event LIKE $events AND json_extract_string(properties, $field) = $name
ORDER BY timestamp DESC, arrival DESC LIMIT 20
"""
_CAUSES = """
SELECT id, coalesce(nullif(event, ''), type), timestamp, properties, caused_by FROM events
WHERE profile = $profile AND id IN (SELECT unnest($ids))
"""
_ASKED = {
    "segment": ("segment_%", "$.segment"),
    "journey": ("journey_%", "$.journey"),
    "message": ("message_%", "$.message"),
}


async def why(asker: Asker, past: PastProfiles, profile: bytes, kind: str, name: str) -> dict[str, Any]:
    """`{answer, chain}`, newest first; what was refused, never entered or never joined says what forbade it."""
    facts = await _facts(asker, profile, kind, name)
    chain = [_link(*fact) for fact in facts]
    answer = _answer(kind, facts)
    match kind:
        case "segment":
            chain += await _parts(asker, past, profile, name)
        case "message":
            chain = [*await _refused(asker, past, profile, name, facts), *chain]
        case _:
            gate, links = await _gates(asker, past, profile, name, facts)
            if gate and not any(event.startswith("journey_") for _, event, *_ in facts):
                answer = f"{answer}: {gate}"
            chain = [*links, *chain]
    return {"answer": answer, "chain": chain}


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


async def _parts(asker: Asker, past: PastProfiles, profile: bytes, name: str) -> list[Link]:
    """Each part of the segment's rule, what it sees now, and whether it holds."""
    async with asker.database.connection() as conn:
        found = await store.segment_rule(conn, asker.workspace.id, name)
    if found is None:
        raise NotFound(f"no segment {name!r} in this workspace")
    version, where = found
    then = await past.look(asker.workspace, profile, asker.now)
    return judged(then, where, version) if then is not None and where is not None else []


async def _refused(
    asker: Asker, past: PastProfiles, profile: bytes, name: str, facts: list[tuple[Any, ...]]
) -> list[Link]:
    """Of a message that was not sent, the rule that forbade it."""
    async with asker.database.connection() as conn:
        row = await store.ledger(conn, asker.workspace.id, ids.read("msg", name))
        if not facts or row is None or row.state not in UNSENT:  # without facts it is somebody else's
            return []
        kind, about = ("journey", row.journey) if row.journey else ("campaign", row.campaign)
        version = next((version for event, version in map(_told, facts) if event == f"{kind}_entered"), None)
        definition = await store.definition(conn, asker.workspace.id, kind, about or "", version) if about else None
    ended = [at for _, event, at, *_ in facts if event in (f"message_{state}" for state in UNSENT)]
    at = max(ended, default=row.planned_at)
    then = await past.look(asker.workspace, profile, at)
    left = await _left(asker, profile, row.run) if row.reason == "exited" else None
    return [refused(row, at, then, definition, left)] if then is not None else []


async def _left(asker: Asker, profile: bytes, run: str | None) -> Any:
    """What the exit of a run said."""
    asked = {"profile": ids.show("prf", profile), "run": run}
    rows = await asker.lake.query(asker.database, asker.workspace.id, store.LEFT, asked)
    return {"at": clock.show(rows[0][0]), **msgspec.json.decode(rows[0][1])} if rows else None


async def _gates(
    asker: Asker, past: PastProfiles, profile: bytes, name: str, facts: list[tuple[Any, ...]]
) -> tuple[str, list[Link]]:
    """Why the newest event that might have begun a run did not; nothing where it did."""
    async with asker.database.connection() as conn:
        found = await store.ruling(conn, asker.workspace.id, "journey", name)
    if found is None:
        return "not_published", []
    version, status, published_at, body = found
    began = {cause for _, event, _, _, cause in facts if event == "journey_entered"}
    on = body["entry"]["on"]
    event = on.get("event") or next((form for form in ("segment_entered", "segment_left") if form in on), "")
    asked = {"profile": ids.show("prf", profile), "event": event}
    rows = await asker.lake.query(asker.database, asker.workspace.id, MIGHT_BEGIN, asked)

    async def look(at: int) -> Then | None:
        return await past.look(asker.workspace, profile, at)

    question = Asked(
        name=name, version=version, status=status, published_at=published_at, body=body, rows=rows, began=began,
        now=asker.now,
    )  # fmt: skip
    return await not_entered(question, look)


def _told(fact: tuple[Any, ...]) -> tuple[str, int | None]:
    """Its name, and the version of what it is about."""
    return fact[1], msgspec.json.decode(fact[3] or "{}").get("version")
