"""A request's body as bytes: size counted after decompression, so that a small bomb stays small."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Any

from kizuna.core.errors import Invalid

_GZIP, _DEFLATE = 31, 15
MOST_MEMBERS = 1000  # of one gzip body; empty ones cost time and come to nothing


async def read_body(stream: AsyncIterator[bytes], encoding: str, limit: int, promised: str = "") -> bytes:
    """Read and decompress; raises `Invalid` with code `too_large` past `limit` bytes.

    `promised` is the request's Content-Length: what cannot be taken is not waited for.
    """
    if promised.isdecimal() and int(promised[:19]) > limit:
        raise _too_large(limit)
    coding = encoding.strip().lower()
    if coding in ("", "identity"):
        unpack = None
    elif coding in ("gzip", "x-gzip", "deflate"):
        unpack = zlib.decompressobj(_GZIP if "gzip" in coding else _DEFLATE)
    else:
        raise Invalid(f"Content-Encoding {encoding!r} is not known: send gzip or nothing", code="invalid_encoding")
    parts: list[bytes] = []
    size = packed = members = 0
    async for chunk in stream:
        packed += len(chunk)
        if packed > limit:  # also when less comes of it
            raise _too_large(limit)
        while chunk:
            if unpack is None:
                plain, chunk = chunk, b""
            else:
                members += unpack.eof
                if members > MOST_MEMBERS:
                    raise Invalid("the gzip body has too many parts: compress it in one", code="invalid_gzip")
                plain, chunk, unpack = _unpack(unpack, chunk, limit + 1 - size)
            size += len(plain)
            if size > limit:
                raise _too_large(limit)
            parts.append(plain)
    if unpack is not None and not unpack.eof and size:
        raise Invalid("the gzip body ends too early: send it again", code="invalid_gzip")
    return b"".join(parts)


def _too_large(limit: int) -> Invalid:
    return Invalid(f"the body is over {limit} bytes: send less at once", code="too_large")


def _unpack(unpack: Any, chunk: bytes, room: int) -> tuple[bytes, bytes, Any]:
    """Some plain bytes, what is still packed, and the object to go on with; gzip may have several members."""
    try:
        if unpack.eof:
            unpack = zlib.decompressobj(_GZIP)
        plain = unpack.decompress(chunk, max(1, room))
    except zlib.error as error:
        raise Invalid(f"the body cannot be decompressed: {error}", code="invalid_gzip") from None
    return plain, unpack.unused_data or unpack.unconsumed_tail, unpack
