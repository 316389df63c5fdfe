"""HTTP/1.1 with a limit on what comes before the body: 16 kB, within 10 s. What is no request is refused in kind."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kizuna.edge.headers import ALWAYS

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
        """Before there is a request, no route and no middleware can answer."""
        if self._head > HEAD_LIMIT:
            said = _refusal(431, "head_too_large", "the request line and headers are over 16 kB")
        else:
            said = _refusal(400, "invalid_http", "this is no HTTP/1.1 request")
        self.transport.write(said)
        self.transport.close()

    def _wait_for_head(self) -> None:
        self._impatience = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def _refusal(status: int, code: str, detail: str) -> bytes:
    """A whole answer: a problem document with the headers that every other answer has."""
    title = HTTPStatus(status).phrase
    said = {"type": f"urn:kizuna:problem:{code}", "title": title, "status": status, "detail": detail, "code": code}
    body = msgspec.json.encode(said)
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
        *ALWAYS,
    ]
    lines = [b"HTTP/1.1 %d %s" % (status, title.encode()), *(name + b": " + value for name, value in headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
