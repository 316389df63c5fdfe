"""A piece as a file: gzipped lines of JSON under a name that says its place in the row."""

from __future__ import annotations

import gzip

from kizuna.feeds import Piece

LEVEL = 6


def name_of(piece: Piece) -> str:
    return f"{piece.number:010}.jsonl.gz"


def packed(piece: Piece) -> bytes:
    """The same bytes whenever it is packed."""
    return gzip.compress(b"".join([entry.body + b"\n" for entry in piece.entries]), LEVEL, mtime=0)
