"""Parquet."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from kizuna.core.errors import Invalid
from kizuna.imports.formats import Row, open_source
from kizuna.imports.look import look
from kizuna.imports.map import parse

MAP = parse({"kind": "profiles", "columns": {"id": "userId"}})


def test_rows_come_in_their_order_with_their_types(tmp_path: Path) -> None:
    path = tmp_path / "a [1]'*.parquet"
    plain = tmp_path / "plain.parquet"
    duckdb.sql(
        "COPY (SELECT i AS id, CAST(i AS DECIMAL(9, 2)) AS total, TIMESTAMP '2026-01-01' AS at, {'a': [i]} AS deep"
        f" FROM range(60000) t(i)) TO '{plain}' (FORMAT parquet, ROW_GROUP_SIZE 7000)"
    )
    plain.rename(path)
    source = open_source(look(path), MAP)
    rows = list(source.rows())
    assert source.done() == path.stat().st_size
    source.close()
    assert all(isinstance(row, Row) and row.cells["id"] == index for index, row in enumerate(rows))
    first = rows[7]
    assert isinstance(first, Row)
    assert first.cells == {"id": 7, "total": Decimal("7.00"), "at": datetime(2026, 1, 1), "deep": {"a": [7]}}


def test_what_only_begins_like_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1" + b"\xff" * 1000)
    with pytest.raises(Invalid):
        open_source(look(path), MAP)
