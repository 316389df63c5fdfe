"""The file of rejected rows."""

from __future__ import annotations

import csv
from pathlib import Path

from kizuna.core.cell import cell
from kizuna.imports.piece import Reject
from kizuna.imports.rejects import Rejects


def test_no_cell_is_a_formula() -> None:
    for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"):
        assert cell(text) == "'" + text
    assert cell("a=1") == "a=1"
    assert cell(None) == ""
    assert cell({"a": 1}) == '{"a":1}'


def test_what_a_crash_left_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    first = Rejects(path, ["=id", "note"], 0, 1 << 30)
    size = first.add([Reject(2, "code", "=why", ["1", "=cmd()"])])
    first.add([Reject(3, "code", "lost with the crash", ["2", "b"])])
    again = Rejects(path, ["=id", "note"], size, 1 << 30)
    assert again.add([]) == size
    again.add([Reject(3, "code", "said again", ["2", "b"])])
    with path.open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["line", "code", "reason", "'=id", "note"],
            ["2", "code", "'=why", "1", "'=cmd()"],
            ["3", "code", "said again", "2", "b"],
        ]


def test_a_file_over_its_limit_grows_no_more(tmp_path: Path) -> None:
    rejects = Rejects(tmp_path / "r.csv", ["a"], 0, 100)
    for _ in range(50):
        rejects.add([Reject(1, "c", "m" * 20, ["x"])])
    assert (tmp_path / "r.csv").stat().st_size < 200
