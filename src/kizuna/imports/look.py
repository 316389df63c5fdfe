"""Look at a file before it is read: its format, its content's digest, and in which encoding it is written."""

from __future__ import annotations

import codecs
import re
from hashlib import blake2b
from pathlib import Path

from kizuna.core.errors import Invalid, NotFound
from kizuna.imports.formats import Looked

PIECE = 1 << 20
BOMS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
SUFFIXES = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet",
    ".pq": "parquet",
}  # fmt: skip
_WIDE = re.compile(r"[^\x00-\x7f\uff61-\uff9f]+")


def look(path: Path, name: str = "", encoding: str = "") -> Looked:
    """Reads it once; `name` says the format where the path does not. Raises `Invalid` when the encoding is unclear."""
    try:
        with path.open("rb") as file:
            head = file.read(PIECE)
            form = format_of(name or path.name, head)
            digest = blake2b(digest_size=16)
            decoder = codecs.getincrementaldecoder("utf-8")() if form == "csv" and not encoding else None
            broken = b""
            piece = head
            while piece:
                digest.update(piece)
                if decoder is not None:
                    try:
                        decoder.decode(piece)
                    except UnicodeDecodeError as error:
                        decoder, broken = None, piece[max(0, error.start - 1000) :]
                piece = file.read(PIECE)
            size = file.tell()
    except (FileNotFoundError, IsADirectoryError):
        raise NotFound(f"there is no file {path}") from None
    except PermissionError:
        raise Invalid(f"{path} may not be read", code="not_readable") from None
    if form == "csv" and not encoding:
        encoding = guess_encoding(head, broken)
    return Looked(path, size, form, digest.digest(), encoding or "utf-8")


def format_of(name: str, head: bytes) -> str:
    """By its first bytes where they are clear, else by its name."""
    if head.startswith(b"PAR1"):
        return "parquet"
    found = SUFFIXES.get(Path(name).suffix.lower())
    if found:
        return found
    return "jsonl" if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b'{"') else "csv"


def guess_encoding(head: bytes, broken: bytes) -> str:
    """`broken` is text from where UTF-8 first fails, empty when it never does."""
    for mark, name in BOMS:
        if head.startswith(mark):
            return name
    sample = head[:4096]
    if len(sample) > 8 and sample.count(b"\0") * 3 > len(sample):
        return "utf-16-le" if sample[1::2].count(b"\0") > sample[::2].count(b"\0") else "utf-16-be"
    if not broken:
        return "utf-8"
    text = broken.decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    sound = sum(not sign.isascii() for sign in text) - bad
    if sound > 3 * bad:
        return "utf-8"  # with some rows that are not
    if is_japanese(broken):
        return "cp932"
    raise Invalid("the file is not UTF-8: say its `encoding` in the map, such as cp1252 or cp932", code="encoding")


def is_japanese(raw: bytes) -> bool:
    """Whether it reads as CP932, where Japanese stands in runs; accents misread as it stand alone."""
    try:
        text = raw[: len(raw) - 1].decode("cp932", errors="strict")
    except UnicodeDecodeError as error:
        if error.start < len(raw) - 4:
            return False
        text = raw[: error.start].decode("cp932")
    runs = [len(run) for run in _WIDE.findall(text)]
    return bool(runs) and 2 * sum(run for run in runs if run > 1) > sum(runs)
