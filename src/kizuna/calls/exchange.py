"""Calls that a call centre makes with its own program: out as CSV, and its outcomes back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from psycopg import Connection

from kizuna.calls import store
from kizuna.calls.conclude import Said, conclude
from kizuna.calls.rule import OPEN
from kizuna.calls.store import Entry
from kizuna.calls.take import end_expired, take
from kizuna.core import clock, ids
from kizuna.core.cell import cell
from kizuna.core.errors import Conflict, Invalid, KizunaError
from kizuna.engine.slice import Workspace
from kizuna.messages import sql_sending
from kizuna.messages.desk import Desk

BOM = "\ufeff"  # by which spreadsheets know UTF-8
COLUMNS = ("id", "list", "priority", "phone", "name", "zone", "subject", "script", "held_until")
MOST_ROWS = 1_000


def hand_out(
    connection: Connection[Any], desk: Desk, workspace: Workspace, who: str, list_: str | None, limit: int, held: int
) -> bytes:
    """Take so many open entries, each as `take` does, as a table; those that may not be called are left out."""
    end_expired(connection, desk, workspace)
    with connection.cursor() as cursor:
        now = sql_sending.now(cursor, workspace.id)
        entries = store.listed(cursor, workspace.id, OPEN, list_, now, limit)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for each in entries:
        try:
            taken = take(connection, desk, workspace, each.message, who, held)
        except Conflict:  # somebody else was quicker, or they may not be called
            continue
        writer.writerow([cell(value) for value in _row(taken, workspace)])
    return (BOM + text.getvalue()).encode()


def _row(entry: Entry, workspace: Workspace) -> tuple[Any, ...]:
    return (
        ids.show("msg", entry.message), entry.list, entry.priority, entry.phone, name_of(entry),
        zone_of(entry, workspace), entry.subject, entry.script, clock.show(entry.taken_until or 0),
    )  # fmt: skip


def name_of(entry: Entry) -> str:
    traits = entry.traits or {}
    whole = traits.get("name") or " ".join(
        str(traits[part]) for part in ("first_name", "firstName", "last_name", "lastName") if traits.get(part)
    )
    return str(whole)


def zone_of(entry: Entry, workspace: Workspace) -> str:
    zone = (entry.traits or {}).get("timezone")
    return zone if isinstance(zone, str) and zone else workspace.zone


def take_back(
    connection: Connection[Any], desk: Desk, workspace: Workspace, who: str, raw: bytes
) -> tuple[int, list[dict[str, Any]], int | None]:
    """How many outcomes were taken, the rows that were not with their reasons, and the last position."""
    taken, problems, position = 0, list[dict[str, Any]](), None
    for line, row in _rows(raw):
        try:
            said = Said(
                outcome=row.get("outcome", ""), note=row.get("note", ""), callback_at=_time(row.get("callback_at", ""))
            )
            message = ids.read("msg", row.get("id", ""))
            _, at = conclude(connection, desk, workspace, message, who, said)
            taken, position = taken + 1, at or position
        except KizunaError as error:
            problems.append({"line": line, "code": error.code, "reason": str(error)})
    return taken, problems, position


def _rows(raw: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("write the file as UTF-8", code="invalid_csv") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        if not {"id", "outcome"} <= set(reader.fieldnames or ()):
            raise Invalid("the first line names the columns, at least `id` and `outcome`", code="invalid_csv")
        for count, row in enumerate(reader, 1):
            if count > MOST_ROWS:
                raise Invalid(f"at most {MOST_ROWS} rows at once; those before were taken", code="too_many_rows")
            said = {key: value for key, value in row.items() if key and isinstance(value, str)}
            yield reader.line_num, {key: value.replace("\x00", "").strip() for key, value in said.items()}
    except csv.Error as error:
        raise Invalid(f"line {reader.line_num}: {error}; rows before it were taken", code="invalid_csv") from None


def _time(text: str) -> int | None:
    if not text:
        return None
    at = clock.read_time(text)
    if at is None:
        raise Invalid(f"{text!r} is no time", code="invalid_time")
    return at
