"""The part of a map that says what customers agreed to, and a row read by it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.consent.choose import Choice
from kizuna.consent.decide import STATES
from kizuna.consent.subjects import ANY, Subjects
from kizuna.consent.subjects import CODE as UNKNOWN_CHANNEL
from kizuna.core import clock, exact_json
from kizuna.core.errors import Invalid
from kizuna.core.problems import Problems

FIELDS = ("column", "channel", "topic", "states", "source", "proof", "at")
_PARTS = ("channel", "topic", "source")  # each one text for all rows, or a column


class Consent(Struct, frozen=True):
    """`fixed` are parts that are the same in all rows, `columns` those that stand in the row."""

    column: str
    states: dict[str, str]  # what the column says to a state
    fixed: dict[str, str]
    columns: dict[str, str]  # channel, topic, source, proof, at to the column's name
    subjects: Subjects = ANY

    def names(self) -> set[str]:
        return {self.column, *self.columns.values()}


def read_map(raw: Any, reader: Problems, subjects: Subjects) -> Consent | None:
    said = reader.object(raw, "/consent", FIELDS)
    if not isinstance(said.get("column"), str) or not said["column"]:
        reader.note("/consent/column", "missing", "a text")
    fixed: dict[str, str] = {}
    columns: dict[str, str] = {}
    for part in _PARTS:
        _part(said.get(part), part, fixed, columns, reader)
    if "channel" not in fixed and "channel" not in columns:
        reader.note("/consent/channel", "missing", "a text")
    elif "channel" in fixed and (wrong := subjects.misfit(fixed["channel"])):
        reader.note("/consent/channel", UNKNOWN_CHANNEL, wrong)
    for part in ("proof", "at"):
        if part in said and not (isinstance(said[part], str) and said[part]):
            reader.note(f"/consent/{part}", "not_text", "the name of a column")
        elif part in said:
            columns[part] = said[part]
    states = reader.object(said.get("states", {state: state for state in STATES}), "/consent/states")
    for word, state in states.items():
        if state not in STATES:
            reader.note(f"/consent/states/{word}", "invalid", f"one of {', '.join(STATES)}")
    if reader.found:
        return None
    folded = {word.strip().casefold(): state for word, state in states.items()}
    return Consent(said["column"], folded, {"source": "import", **fixed}, columns, subjects)


def _part(raw: Any, part: str, fixed: dict[str, str], columns: dict[str, str], reader: Problems) -> None:
    if isinstance(raw, dict):
        name = reader.object(raw, f"/consent/{part}", ("column",)).get("column")
        if isinstance(name, str) and name:
            columns[part] = name
            return
        reader.note(f"/consent/{part}/column", "missing", "the name of a column")
    elif isinstance(raw, str) and raw:
        fixed[part] = raw
    elif raw not in (None, ""):
        reader.note(f"/consent/{part}", "not_text", "a text, or {column: its name}")


def choice_of(asked: Consent, cells: Mapping[str, Any], zone: str) -> Choice | None:
    """What a row says; None where it says nothing. Raises `Invalid` for what cannot be read. `zone` is that of times
    without an offset."""
    value = cells[asked.column]
    text = ("true" if value else "false") if isinstance(value, bool) else _text(value)
    if not text:
        return None
    if text.casefold() not in asked.states:
        raise Invalid(f"{asked.column}: {text[:60]!r} is no state the map knows", code="unknown_consent")
    said = {part: _text(cells[name]) for part, name in asked.columns.items() if part != "proof"}
    said = {**asked.fixed, **{part: value for part, value in said.items() if value}}
    if "channel" not in said:
        raise Invalid(f"{asked.columns['channel']}: which channel?", code="unknown_consent")
    asked.subjects.check(said["channel"])
    proof = _proof(cells[asked.columns["proof"]]) if "proof" in asked.columns else None
    return Choice(
        channel=said["channel"], state=asked.states[text.casefold()], topic=said.get("topic"),
        source=said["source"], proof=proof, at=_time(said.get("at", ""), zone),
    )  # fmt: skip


def _time(text: str, zone: str) -> str | None:
    if not text:
        return None
    at = clock.read_time(text, zone)
    if at is None:
        raise Invalid(f"{text[:60]!r} is no time", code="invalid_time")
    return clock.show(at)


def _proof(value: Any) -> Any:
    """An object where the cell holds one in JSON, else its text."""
    text = _text(value)
    if isinstance(value, dict):
        return value or None
    try:
        decoded = exact_json.decode_checked(text.encode()) if text.startswith("{") else None
    except (Invalid, UnicodeEncodeError, msgspec.DecodeError):
        decoded = None
    return decoded or ({"text": text} if text else None)


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
