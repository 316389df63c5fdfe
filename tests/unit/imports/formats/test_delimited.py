"""CSV."""

from __future__ import annotations

import csv
import io
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.core.errors import Invalid
from kizuna.imports.formats import Broken, Row, open_source
from kizuna.imports.formats.delimited import sniff
from kizuna.imports.look import look
from kizuna.imports.map import parse

MAP = {"kind": "profiles", "columns": {"id": "userId"}}


def read(path: Path, raw: bytes, **options: Any) -> list[Row | Broken]:
    path.write_bytes(raw)
    chosen = parse({**MAP, **options})
    source = open_source(look(path, encoding=chosen.encoding), chosen)
    try:
        return list(source.rows())
    finally:
        source.close()


def cells(rows: list[Row | Broken]) -> list[Any]:
    return [(row.line, list(row.cells.values())) if isinstance(row, Row) else (row.line, row.code) for row in rows]


def test_quotes_and_breaks_inside_them(tmp_path: Path) -> None:
    raw = b'id,note\r\n1,"a ""b"",\r\nc"\r\n\r\n2,d\n3,e'
    assert cells(read(tmp_path / "a.csv", raw)) == [(2, ["1", 'a "b",\r\nc']), (5, ["2", "d"]), (6, ["3", "e"])]


def test_a_broken_row_costs_only_itself(tmp_path: Path) -> None:
    raw = b'id,note\n1,"never closed\n2,b\n3,"c"\n4,"d"x\n5\n6,e,f\n7,"ok"\n'
    assert cells(read(tmp_path / "a.csv", raw)) == [
        (2, "invalid_csv"), (3, ["2", "b"]), (4, ["3", "c"]), (5, "invalid_csv"), (6, "cells"), (7, "cells"),
        (8, ["7", "ok"]),
    ]  # fmt: skip


def test_a_quote_open_to_the_end_does_not_swallow_the_rest(tmp_path: Path) -> None:
    raw = b'id,note\n1,"open\n' + b"".join(b"%d,x\n" % n for n in range(2, 300_000))
    rows = read(tmp_path / "a.csv", raw)
    assert isinstance(rows[0], Broken) and len(rows) == 299_999


def test_a_line_without_end_costs_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.write(b"id,note\n1,")
        for _ in range(64):
            file.write(b"x" * (1 << 20))
        file.write(b"\n2,ok\n")
    chosen = parse(MAP)
    looked = look(path)
    tracemalloc.start()
    source = open_source(looked, chosen)
    rows = cells(list(source.rows()))
    source.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == [(2, "too_long"), (3, ["2", "ok"])]
    assert peak < 20 << 20


def test_quotes_made_to_be_read_again_and_again_are_refused_in_bounded_time(tmp_path: Path) -> None:
    raw = b"id,note\n" + b'x","\n' * 300_000
    started = time.process_time()
    with pytest.raises(Invalid):
        read(tmp_path / "a.csv", raw, delimiter=",")
    assert time.process_time() - started < 20


def test_bytes_of_another_encoding_stay_to_be_seen(tmp_path: Path) -> None:
    rows = read(tmp_path / "a.csv", "id,note\n1,日本語です\n".encode() + b"2,\xff\n3,\x00\n")
    assert cells(rows)[1:] == [(3, ["2", "\udcff"]), (4, ["3", "\x00"])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_encodings_delimiters_and_headers(tmp_path: Path, encoding: str) -> None:
    raw = "id;氏名\n1;山田、太郎\n".encode(encoding)
    rows = read(tmp_path / "a.csv", raw)
    assert isinstance(rows[0], Row) and rows[0].cells == {"id": "1", "氏名": "山田、太郎"}
    rows = read(tmp_path / "b.csv", b"1\tAda\n", header=["id", "name"], delimiter="tab")
    assert isinstance(rows[0], Row) and rows[0].cells == {"id": "1", "name": "Ada"}


@pytest.mark.parametrize("raw", [b"", b"\n1,2\n", b"id,id\n1,2\n", b"name\nAda\n", b'"id\n1\n'])
def test_a_header_that_cannot_be_is_refused(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(Invalid):
        read(tmp_path / "a.csv", raw)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


@given(st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=2, max_size=8), st.sampled_from(",;\t|"))
@settings(max_examples=60, deadline=None)
def test_what_a_writer_wrote_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["id", "b", "c"], *rows])
    found = read(tmp_path_factory.getbasetemp() / "p.csv", text.getvalue().encode(), encoding="utf-8")
    assert [list(row.cells.values()) for row in found if isinstance(row, Row)] == rows


def test_the_delimiter_is_the_one_that_cuts_evenly() -> None:
    assert sniff("a;b\n1,5;2\n2,5;3\n") == ";"
    assert sniff("a,b,c\n1,2,3\n") == ","
    assert sniff("a\tb\n1\t2\n") == "\t"
    assert sniff("only\none\n") == ","
