"""HTTP/1.1 with a limit on what comes before the body: 16 kB, within 10 s."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LIMIT = 16 * 1024
HEAD_SECONDS = 10.0


class BoundedProtocol(HttpToolsProtocol):
    """httptools itself keeps whatever arrives until a head is complete."""

    _head = 0
    _in_head = True
    _impatience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > HEAD_LIMIT and not self.transport.is_closing():
            self.send_400_response("")

    def on_message_begin(self) -> None:
        if not self._in_head:
            self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_waiting()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > HEAD_LIMIT:
            self._head = size
            raise ValueError("head over the limit")  # the parser stops; send_400_response answers
        self._head = 0
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if self._head > HEAD_LIMIT:
            self.transport.write(_refusal())
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _wait_for_head(self) -> None:
        self._impatience = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def _refusal() -> bytes:
    body = (
        b'{"type":"urn:kizuna:problem:head_too_large","title":"Request Header Fields Too Large","status":431,'
        b'"detail":"the request line and headers are over 16 kB","code":"head_too_large"}'
    )
    head = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/problem+json\r\n"
    return head + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body) + body
