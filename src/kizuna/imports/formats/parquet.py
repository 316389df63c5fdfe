"""Parquet, read by DuckDB a few thousand rows at a time; a row's line is its number."""

from __future__ import annotations

from collections.abc import Iterator

from kizuna.core.errors import Invalid
from kizuna.imports import store
from kizuna.imports.formats import Broken, Looked, Row
from kizuna.runtime.lake.query import open_duckdb
from kizuna.runtime.lake.views import quoted

AT_ONCE = 2_000


class Parquet:
    def __init__(self, looked: Looked) -> None:
        import duckdb

        self.size = looked.size
        self.read = 0
        self.connection = open_duckdb(None)
        try:
            self.connection.execute("SET threads = 1; SET memory_limit = '128MB'; SET preserve_insertion_order = true")
            self.total = self.connection.execute(store.PARQUET_ROWS.format(file=quoted(looked.path))).fetchall()[0][0]
            self.cursor = self.connection.execute(store.PARQUET.format(file=quoted(looked.path)))
        except duckdb.Error as error:
            self.connection.close()
            raise Invalid(f"the file is no Parquet that can be read: {str(error)[:200]}", code="invalid_file") from None
        self.columns = [str(column[0]) for column in self.cursor.description or ()]

    def rows(self) -> Iterator[Row | Broken]:
        import duckdb

        try:
            while found := self.cursor.fetchmany(AT_ONCE):
                for cells in found:
                    self.read += 1
                    yield Row(self.read, dict(zip(self.columns, cells, strict=True)))
        except duckdb.Error as error:
            raise Invalid(f"the file breaks off at row {self.read}: {str(error)[:200]}", code="invalid_file") from None

    def done(self) -> int:
        return self.size * self.read // self.total if self.total else self.size

    def close(self) -> None:
        self.connection.close()
