from __future__ import annotations

import gzip

from kizuna.feeds import Piece
from kizuna.feeds.entry import Entry
from kizuna.feeds.packing import name_of, packed


def test_a_piece_is_the_same_bytes_whenever_it_is_packed() -> None:
    piece = Piece(7, [Entry("evt_0-1-0", b"a", b'{"a":1}'), Entry("evt_0-1-1", b"b", b'{"b":2}')])
    assert name_of(piece) == "0000000007.jsonl.gz"
    assert packed(piece) == packed(piece)
    assert gzip.decompress(packed(piece)) == b'{"a":1}\n{"b":2}\n'
