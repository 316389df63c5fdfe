"""Bodies are counted after decompression, also when a small one unpacks to a large one."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import pytest

from kizuna.core.errors import Invalid
from kizuna.events.body import read_body


def read(data: bytes, encoding: str = "", limit: int = 1000, chunk: int = 7) -> bytes:
    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(data), chunk):
            yield data[start : start + chunk]

    return asyncio.run(read_body(stream(), encoding, limit))


def test_plain_gzip_and_deflate() -> None:
    assert read(b"hello") == b"hello"
    assert read(gzip.compress(b"hello"), "gzip") == b"hello"
    assert read(zlib.compress(b"hello"), "deflate") == b"hello"


def test_gzip_with_several_members() -> None:
    assert read(gzip.compress(b"one") + gzip.compress(b"two"), "gzip") == b"onetwo"


def test_a_bomb_stops_at_the_limit() -> None:
    with pytest.raises(Invalid) as raised:
        read(gzip.compress(b"0" * 50_000_000), "gzip", limit=1000, chunk=65_536)
    assert raised.value.code == "too_large"


@pytest.mark.parametrize("data", [b"not gzip at all", gzip.compress(b"x" * 500, mtime=0)[:-9]])
def test_broken_gzip_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        read(data, "gzip")


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(Invalid):
        read(b"x", "br")


def test_a_body_that_promises_too_much_is_not_waited_for() -> None:
    async def stream() -> AsyncIterator[bytes]:
        raise AssertionError("looked at")
        yield b""

    with pytest.raises(Invalid) as raised:
        asyncio.run(read_body(stream(), "", 1000, "1001"))
    assert raised.value.code == "too_large"
    assert asyncio.run(read_body(_nothing(), "", 1000, "1000")) == b""


async def _nothing() -> AsyncIterator[bytes]:
    yield b""
