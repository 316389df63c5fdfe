"""Looking at a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from kizuna.core.errors import Invalid
from kizuna.imports.look import look

NAMES = "氏名,都道府県,備考\n山田太郎,東京都,よろしくお願いします\n佐藤花子,大阪府,ﾊﾝｶｸ\n"


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (NAMES.encode(), "utf-8"),
        (NAMES.encode("utf-8-sig"), "utf-8-sig"),
        (NAMES.encode("cp932"), "cp932"),
        (NAMES.encode("utf-16"), "utf-16"),
        ("id,name\n1,Ada\n".encode("utf-16-le"), "utf-16-le"),
        ("id,name\n1,Ada\n".encode("utf-16-be"), "utf-16-be"),
        (b"id,name\n1,Ada\n", "utf-8"),
        (b"id,name\n" + b"1,Ada\n" * 500_000 + NAMES.encode("cp932"), "cp932"),  # only far in it is seen
        (NAMES.encode() * 20 + b"x,\xff\xfe,y\n" + NAMES.encode() * 20, "utf-8"),  # some bytes are broken
        (b"", "utf-8"),
    ],
)
def test_the_encoding_is_found_out(tmp_path: Path, raw: bytes, encoding: str) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(raw)
    assert look(file).encoding == encoding


def test_accents_are_not_taken_for_japanese(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("name\nJosé Müller\nÅsa Öberg\nFrançois Lefèvre\n".encode("cp1252"))
    with pytest.raises(Invalid):
        look(file)
    assert look(file, encoding="cp1252").encoding == "cp1252"


def test_the_format_and_the_digest(tmp_path: Path) -> None:
    one, other = tmp_path / "a.jsonl", tmp_path / "upload"
    one.write_bytes(b'{"a": 1}\n')
    other.write_bytes(b'{"a": 1}\n')
    assert (look(one).format, look(other).format, look(one, "x.csv").format) == ("jsonl", "jsonl", "csv")
    assert look(one).digest == look(other).digest
    other.write_bytes(b"PAR1 and so on")
    assert look(other, "x.csv").format == "parquet"
