"""The file of rejected rows: CSV that a spreadsheet may open, since no cell of it is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from kizuna.core.cell import cell
from kizuna.imports.piece import Reject


class Rejects:
    """Grows piece by piece; what a crash left beyond the committed size is cut off."""

    def __init__(self, path: Path, columns: list[str], size: int, most: int) -> None:
        self.path = path
        self.columns = columns
        self.size = size
        self.most = most  # bytes

    def add(self, rejected: Iterable[Reject]) -> int:
        """Append, and say the file's size; past `most` bytes rows are only counted."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        there = self.path.stat().st_size if self.path.exists() else 0
        size = min(self.size, there)
        if size == 0:
            writer.writerow(["line", "code", "reason", *map(cell, self.columns or ["row"])])
        count = 0
        for each in rejected:
            cells = each.cells if self.columns else [each.cells[0] if len(each.cells) == 1 else each.cells]
            writer.writerow([each.line, each.code, cell(each.message), *map(cell, cells)])
            count += 1
        if not count or self.size > self.most:
            return self.size
        with self.path.open("r+b" if there else "wb") as file:
            file.truncate(size)
            file.seek(size)
            file.write(text.getvalue().encode("utf-8", "replace"))
            self.size = file.tell()
        return self.size
