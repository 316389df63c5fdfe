"""CSV and its relatives (RFC 4180): quotes, line breaks inside them, any of the usual delimiters and encodings."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO, TextIO

from kizuna.core.errors import Invalid
from kizuna.imports.formats import LONGEST, Broken, Looked, Row, skip_line

DELIMITERS = (",", ";", "\t", "|")
MOST_CELLS = 2_000
MOST_AGAIN = 16 << 20  # characters read a second time because a quote before them never closed


class TooLongError(Exception):
    """A line, or a record of many, beyond what one may hold."""


class Delimited:
    def __init__(self, looked: Looked, delimiter: str = "", header: Sequence[str] = ()) -> None:
        """Without `delimiter` it is found out, without `header` it is the first line."""
        csv.field_size_limit(LONGEST)
        self.raw: BinaryIO = looked.path.open("rb")
        self.delimiter = delimiter or sniff(_head(looked))
        # What is not of the encoding stays to be seen, and costs only its row.
        errors = "surrogateescape" if not looked.encoding.startswith("utf-16") else "replace"
        self.lines = _Lines(io.TextIOWrapper(self.raw, looked.encoding, errors=errors, newline=""))
        self.reader = csv.reader(self.lines, delimiter=self.delimiter, strict=True)
        self.columns = list(header) or self._header()

    def rows(self) -> Iterator[Row | Broken]:
        columns = self.columns
        while True:
            line = self.lines.begin()
            try:
                cells = next(self.reader)
            except StopIteration:
                return
            except TooLongError as error:
                yield Broken(line, "too_long", str(error), self.lines.beginning())
                continue
            except csv.Error as error:
                yield Broken(line, "invalid_csv", str(error), self.lines.beginning())
                self.lines.again()
                continue
            if len(cells) == len(columns):
                yield Row(line, dict(zip(columns, cells, strict=True)))
            elif cells:
                message = f"{len(cells)} cells, where the header has {len(columns)}"
                yield Broken(line, "cells", message, self.lines.beginning())

    def _header(self) -> list[str]:
        self.lines.begin()
        try:
            columns = [name.strip() for name in next(self.reader, [])]
        except (csv.Error, TooLongError) as error:
            self.close()
            raise Invalid(f"the header cannot be read: {error}", code="invalid_file") from None
        named = [name for name in columns if name]
        if not named or len(columns) > MOST_CELLS or len(set(named)) < len(named):
            self.close()
            raise Invalid("the first line must name the columns, each by a name of its own", code="invalid_header")
        return [name or f"column {index}" for index, name in enumerate(columns, 1)]

    def done(self) -> int:
        return self.raw.tell()

    def close(self) -> None:
        self.raw.close()


class _Lines:
    """Lines of bounded length for the csv reader; those of the record under way can be read again."""

    def __init__(self, text: TextIO) -> None:
        self.text = text
        self.number = 0  # of the line given last
        self.record: list[str] = []
        self.length = 0
        self.waiting: deque[str] = deque()
        self.read_again = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def begin(self) -> int:
        """A new record begins; its line."""
        self.record, self.length = [], 0
        return self.number + 1

    def __next__(self) -> str:
        line = self.waiting.popleft() if self.waiting else self.text.readline(LONGEST + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self.record.append(line)
        self.length += len(line)
        if len(line) > LONGEST:
            if not line.endswith(("\n", "\r")):
                skip_line(self.text, "")
            raise TooLongError(f"a line longer than {LONGEST >> 20} Mi characters")
        if self.length > 2 * LONGEST:
            raise csv.Error("a quote is never closed")
        return line

    def beginning(self) -> str:
        return "".join(self.record[:1])[:1000].rstrip("\r\n")

    def again(self) -> None:
        """Only the first line of a broken record is lost: those after it may be sound."""
        rest = self.record[1:]
        self.read_again += sum(map(len, rest))
        if self.read_again > MOST_AGAIN:
            raise Invalid("too many quotes are never closed: is this the delimiter?", code="invalid_file")
        self.number -= len(rest)
        self.waiting.extendleft(reversed(rest))


def sniff(head: str) -> str:
    """The delimiter that cuts the first lines into equally many cells, else the first into the most."""
    best, most = ",", (False, 1)
    for delimiter in DELIMITERS:
        try:
            rows = [row for row in islice(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), 20) if row]
        except csv.Error:
            continue
        steady = len({len(row) for row in rows[: max(1, len(rows) - 1)]}) == 1  # the last may be cut off
        cells = len(rows[0]) if rows else 0
        if cells > 1 and (steady, cells) > most:
            best, most = delimiter, (steady, cells)
    return best


def _head(looked: Looked) -> str:
    with looked.path.open("rb") as file:
        return file.read(1 << 16).decode(looked.encoding, errors="replace")
