"""A piece of a file: its rows said as the tracking API would take them, and so checked as it checks them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.consent.choose import Choice, item_of
from kizuna.core import clock, exact_json, ids
from kizuna.core.errors import Invalid
from kizuna.engine.moment import BACKFILL, Item
from kizuna.engine.slice import Workspace
from kizuna.events.wires.segment import Reader
from kizuna.imports.cells import convert
from kizuna.imports.consent import choice_of
from kizuna.imports.formats import Broken, Row
from kizuna.imports.map import Map


class Reject(Struct):
    """A row that is not taken: where it stands, why, and as it came."""

    line: int
    code: str
    message: str
    cells: list[Any]


class Agreed(Struct, frozen=True):
    """What a row says of consent, as item and as it was read."""

    item: Item
    choice: Choice
    row: Row


class Piece(Struct):
    items: list[Item]
    rejected: list[Reject]
    taken: int = 0  # rows that became an event or a profile
    agreed: list[Agreed] = []  # what of it is consent


class Translator:
    """Turns rows into items. Ids come from the file's content and the row's number, so a second run writes the same."""

    def __init__(self, chosen: Map, workspace: Workspace, digest: bytes, max_event: int) -> None:
        self.map = chosen
        self.workspace = workspace
        self.max_event = max_event
        self.digest = digest
        # What a row says of a profile may be said again in other words; an event happened once whatever the map.
        self.seed = [digest] if chosen.kind == "events" else [digest, chosen.mark]
        self.kind = "track" if chosen.kind == "events" else "identify"
        self.integrations = {"Kizuna": {"backfill": chosen.backfill}}

    def piece(self, rows: Sequence[Row | Broken], first: int, now: int) -> Piece:
        """`first` is the number of the first row in the file, counted with those that are broken."""
        made = Piece([], [])
        said: list[tuple[int, Row, Choice | None]] = []
        bodies: list[bytes] = []
        for number, row in enumerate(rows, first):
            if isinstance(row, Broken):
                made.rejected.append(Reject(row.line, row.code, row.message, [_mended(row.raw)]))
                continue
            try:
                bodies.append(self._body(row, number))
                said.append((number, row, self._choice(row)))
            except Invalid as error:
                del bodies[len(said) :]
                made.rejected.append(reject(row, error.code, str(error)))
        self._take(bodies, said, now, made)
        made.rejected.sort(key=lambda each: each.line)
        return made

    def _take(self, bodies: list[bytes], said: list[tuple[int, Row, Choice | None]], now: int, made: Piece) -> None:
        if not bodies:
            return
        reader = Reader(self.workspace.id, now, self.workspace.zone, self.max_event)
        decoded = reader.read("batch", b'{"batch":[' + b",".join(bodies) + b"]}")
        refused = {each.index: each for each in decoded.refused}
        items = iter(decoded.items)
        for index, (number, row, choice) in enumerate(said):
            if index in refused:
                made.rejected.append(reject(row, refused[index].code, refused[index].message))
                continue
            item = next(items)
            made.items.append(item)
            made.taken += 1
            if choice is not None:
                agreed = self._agreed(item, number, row, choice)
                made.items.append(agreed.item)
                made.agreed.append(agreed)

    def _body(self, row: Row, number: int) -> bytes:
        event: dict[str, Any] = {"type": self.kind, "integrations": self.integrations}
        for path, value in self.map.constants:
            _put(event, path, value)
        for column in self.map.columns:
            try:
                value = convert(row.cells[column.name], column, self.workspace.zone)
            except Invalid as error:
                raise Invalid(f"{column.name}: {error}", code=error.code) from None
            if value is not None:
                _put(event, column.path, value)
        for word in ("messageId", "event", "userId", "anonymousId"):
            value = event.get(word)
            if value is not None and not isinstance(value, str):
                event[word] = _name(value, word)
        event.setdefault("messageId", ids.show("imp", ids.derive("import", *self.seed, number)))
        try:
            return exact_json.encode(event)
        except (UnicodeEncodeError, msgspec.MsgspecError, ValueError):
            raise Invalid("a cell is not text of the file's encoding", code="broken_text") from None

    def _choice(self, row: Row) -> Choice | None:
        return choice_of(self.map.consent, row.cells, self.workspace.zone) if self.map.consent else None

    def _agreed(self, item: Item, number: int, row: Row, choice: Choice) -> Agreed:
        """At the row's own time, unless the map names one for the consent."""
        name = ids.show("evt", ids.derive("import consent", self.digest, self.map.mark, number))
        at = choice if choice.at else msgspec.structs.replace(choice, at=clock.show(item.timestamp))
        said = item_of(item.profile, at, item.received_at, name, item.flags & BACKFILL)
        return Agreed(said, choice, row)


def _put(into: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for part in path[:-1]:
        into = into.setdefault(part, {})
    into[path[-1]] = value


def _name(value: Any, word: str) -> str:
    if isinstance(value, bool | dict | list):
        raise Invalid(f"{word} is a text or a number", code="invalid_item")
    whole = not isinstance(value, int) and value == int(value)  # numbers of Parquet and JSON, such as 12346.0
    return str(int(value) if whole else value)


def reject(row: Row, code: str, message: str) -> Reject:
    return Reject(row.line, code, message, list(row.cells.values()))


def _mended(text: str) -> str:
    """Broken bytes as signs that any file can hold."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
