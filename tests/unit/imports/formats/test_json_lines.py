"""JSON lines."""

from __future__ import annotations

from pathlib import Path

from kizuna.imports.formats import Broken, Row, open_source
from kizuna.imports.look import look
from kizuna.imports.map import parse

MAP = parse({"kind": "profiles", "columns": {"user.id": "userId"}})


def test_each_line_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"user": {"id": "a"}}\n\n{"user.id": "b", "n": 1.50}\n{broken\n[1]\n{"user": {"id": "\xff"}}\n'
        + b'{"x": ' + b"[" * 100_000 + b"\n" + b'{"x": "' + b"y" * (3 << 20) + b'"}\n{"user": 1}'
    )  # fmt: skip
    source = open_source(look(path), MAP)
    rows = list(source.rows())
    source.close()
    assert [row.cells["user.id"] for row in rows if isinstance(row, Row)] == ["a", "b", None]
    assert [(row.line, row.code) for row in rows if isinstance(row, Broken)] == [
        (4, "invalid_json"), (5, "not_an_object"), (6, "invalid_json"), (7, "invalid_json"), (8, "too_long"),
    ]  # fmt: skip
