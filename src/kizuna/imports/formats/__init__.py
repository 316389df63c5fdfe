"""Formats of files, one a file of this folder. Rows come in order and bounded; a broken one costs only itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from kizuna.core.errors import Invalid
from kizuna.imports.map import Map

LONGEST = 1 << 20  # characters or bytes of one record


class Row(Struct, gc=False):
    """One record: where it begins, and its cells by column."""

    line: int
    cells: Mapping[str, Any]


class Broken(Struct):
    """One that could not be read, with the beginning of what stands there."""

    line: int
    code: str
    message: str
    raw: str


class Source(Protocol):
    """What a format makes of an open file."""

    columns: list[str]  # empty where rows say their own

    def rows(self) -> Iterator[Row | Broken]: ...

    def done(self) -> int:
        """Bytes of the file that were read."""
        ...

    def close(self) -> None: ...


class Looked(Struct, frozen=True):
    """What is known of a file before it is read."""

    path: Path
    size: int
    format: str  # csv, jsonl, parquet
    digest: bytes  # of its content
    encoding: str


def open_source(looked: Looked, chosen: Map) -> Source:
    """Raises `Invalid` when the file has not the columns that the map names."""
    match looked.format:
        case "parquet":
            from kizuna.imports.formats.parquet import Parquet

            source: Source = Parquet(looked)
        case "jsonl":
            from kizuna.imports.formats.json_lines import JsonLines

            source = JsonLines(looked)
        case _:
            from kizuna.imports.formats.delimited import Delimited

            source = Delimited(looked, chosen.delimiter, chosen.header)
    missing = sorted(chosen.names() - set(source.columns)) if source.columns else []
    if missing:
        source.close()
        there = ", ".join(source.columns[:50])
        raise Invalid(f"the file has no column {', '.join(missing)}; it has {there}", code="no_column")
    return source


def skip_line(file: Any, empty: str | bytes) -> None:
    """The rest of a line that is too long."""
    ends: Any = ("\n", "\r") if isinstance(empty, str) else b"\n"
    while (part := file.readline(1 << 16)) != empty and not part.endswith(ends):
        pass
