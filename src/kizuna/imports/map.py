"""The map of an import: which column becomes what."""

from __future__ import annotations

import codecs
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.consent.subjects import ANY, Subjects
from kizuna.core import clock, ids
from kizuna.core.errors import Invalid, Unprocessable
from kizuna.core.problems import Problems, escape
from kizuna.imports.consent import Consent, read_map

KINDS = ("events", "profiles")
TYPES = ("text", "number", "boolean", "date", "time", "json")
WORDS = {"events": ("userId", "anonymousId", "event", "timestamp", "messageId"),
         "profiles": ("userId", "anonymousId", "timestamp", "messageId")}  # fmt: skip
OBJECTS = {"events": "properties", "profiles": "traits"}
CONTEXT = {"timezone": ("context", "timezone"), "locale": ("context", "locale")}
ENCODINGS = (
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp932", "shift_jis", "euc_jp", "iso8859-1", "cp1252",
    "iso8859-15", "iso8859-2", "cp1250", "cp1251", "koi8-r", "gb18030", "big5", "euc_kr",
)  # fmt: skip
FIELDS = ("kind", "columns", "constants", "consent", "backfill", "encoding", "delimiter", "header")
COLUMN_FIELDS = ("to", "type", "format", "zone", "decimal")

_canonical = msgspec.json.Encoder(decimal_format="number", order="sorted")  # however it was written


class Column(Struct, frozen=True):
    """One column and where its values go; `type` empty: as they are."""

    name: str
    path: tuple[str, ...]
    type: str = ""
    format: str = ""  # of dates and times: iso, unix, unix_ms or as strptime has it
    zone: str = ""  # of times without an offset; empty: the workspace's
    decimal: str = "."


class Map(Struct, frozen=True):
    kind: str
    columns: tuple[Column, ...]
    constants: tuple[tuple[tuple[str, ...], Any], ...]
    consent: Consent | None
    backfill: bool  # recorded and counted, starts nothing
    encoding: str  # empty: found out
    delimiter: str  # empty: found out
    header: tuple[str, ...]  # of a file without one
    mark: bytes  # of all that it says

    def names(self) -> set[str]:
        """The columns a file must have."""
        return {each.name for each in self.columns} | (self.consent.names() if self.consent else set())


def parse(raw: Any, subjects: Subjects = ANY) -> Map:
    """Raises `Unprocessable` with everything that is wrong; consent may be about these `subjects`."""
    reader = _Reader()
    document = reader.object(raw, "", FIELDS)
    kind = document.get("kind")
    if kind not in KINDS:
        reader.note("/kind", "invalid", f"one of {', '.join(KINDS)}")
        kind = "events"
    columns = reader.object(document.get("columns"), "/columns")
    found = tuple(
        column
        for name, said in columns.items()
        for each in (said if isinstance(said, list) else [said])
        if (column := reader.column(name, each, kind))
    )
    constants = reader.object(document.get("constants", {}), "/constants")
    fixed = tuple((reader.path(to, f"/constants/{to}", kind), value) for to, value in constants.items())
    reader.complete(kind, [each.path for each in found] + [path for path, _ in fixed])
    made = Map(
        kind=kind,
        columns=found,
        constants=fixed,
        consent=read_map(document["consent"], reader, subjects) if document.get("consent") is not None else None,
        backfill=reader.boolean(document.get("backfill", True), "/backfill"),
        encoding=reader.encoding(document.get("encoding", "")),
        delimiter=reader.delimiter(document.get("delimiter", "")),
        header=reader.texts(document.get("header", []), "/header"),
        mark=ids.derive("map", _canonical.encode(document)) if not reader.found else b"",
    )
    if reader.found:
        first = reader.found[0]
        raise Unprocessable(f"the map: {first.pointer}: {first.message}", code="invalid_map", errors=reader.found)
    return made


class _Reader(Problems):
    """Reads the parts of a map."""

    def boolean(self, raw: Any, pointer: str) -> bool:
        if not isinstance(raw, bool):
            self.note(pointer, "not_a_boolean", "true or false")
        return raw is True

    def texts(self, raw: Any, pointer: str) -> tuple[str, ...]:
        if not isinstance(raw, list) or not all(isinstance(each, str) for each in raw):
            self.note(pointer, "not_a_list", "a list of column names")
            return ()
        if len(set(raw)) < len(raw):
            self.note(pointer, "twice", "every column has a name of its own")
        return tuple(raw)

    def column(self, name: str, raw: Any, kind: str) -> Column | None:
        pointer = f"/columns/{escape(name)}"
        said = {"to": raw} if isinstance(raw, str) else self.object(raw, pointer, COLUMN_FIELDS)
        if not isinstance(said.get("to"), str):
            self.note(f"{pointer}/to", "missing", "say where it goes, such as userId or properties.total")
            return None
        path = self.path(said["to"], pointer, kind)
        words = {key: said.get(key, "") for key in ("type", "format", "zone")}
        for key, value in words.items():
            if not isinstance(value, str):
                self.note(f"{pointer}/{key}", "not_text", "a text")
                words[key] = ""
        if words["type"] not in ("", *TYPES):
            self.note(f"{pointer}/type", "unknown_type", f"one of {', '.join(TYPES)}")
        if words["zone"]:
            try:
                clock.zone_info(words["zone"])
            except Invalid as error:
                self.note(f"{pointer}/zone", error.code, str(error))
        decimal = said.get("decimal", ".")
        if decimal not in (".", ","):
            self.note(f"{pointer}/decimal", "invalid", "a point or a comma")
        kind_of = "time" if path == ("timestamp",) else words["type"]
        return Column(name, path, kind_of, words["format"], words["zone"], str(decimal))

    def path(self, to: str, pointer: str, kind: str) -> tuple[str, ...]:
        if to in WORDS[kind]:
            return (to,)
        if to in CONTEXT:
            return CONTEXT[to]
        parts = tuple(to.split("."))
        if len(parts) > 1 and parts[0] == OBJECTS[kind] and all(parts) and len(parts) <= 8:
            return parts
        known = ", ".join([*WORDS[kind], f"{OBJECTS[kind]}.<name>", *CONTEXT])
        self.note(pointer, "unknown_field", f"{to!r} is nothing that {kind} have; these are: {known}")
        return ()

    def complete(self, kind: str, paths: list[tuple[str, ...]]) -> None:
        if len(set(paths)) < len(paths):
            self.note("/columns", "twice", "two columns go to one place")
        if any(one != other and other[: len(one)] == one for one in paths if one for other in paths):
            self.note("/columns", "twice", "one column goes inside where another one goes")
        if not {("userId",), ("anonymousId",)} & set(paths):
            alone = "of a list of addresses alone, the address may be both: [traits.email, anonymousId]"
            self.note("/columns", "no_identity", f"name the column of the userId or the anonymousId; {alone}")
        if kind == "events" and ("event",) not in paths:
            self.note("/constants", "no_event", "say the event's name: a column, or `event` in constants")

    def encoding(self, raw: Any) -> str:
        try:
            name = codecs.lookup(raw).name if raw else ""
        except (LookupError, TypeError, ValueError):
            name = "?"
        if name and name not in {codecs.lookup(each).name for each in ENCODINGS}:
            self.note("/encoding", "unknown_encoding", f"one of {', '.join(ENCODINGS)}")
        return name

    def delimiter(self, raw: Any) -> str:
        word = "\t" if raw == "tab" else raw
        if not isinstance(word, str) or len(word) > 1 or (word and (word in '"\r\n' or word.isalnum())):
            self.note("/delimiter", "invalid", "one sign such as ; or `tab`")
            return ""
        return word
