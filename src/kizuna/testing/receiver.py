"""A real HTTP server that plays somebody else's API: it answers as it is told, and keeps what it was asked."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

from msgspec import Struct, field

from kizuna.testing.loopback import Loopback

HANGS, HANGS_UP, DRIPS = "hangs", "hangs up", "drips"


class Told(Struct):
    """What it answers: a status, or how it misbehaves."""

    status: int | str = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = b""


class Asked(Struct):
    """A request as it came in; names of headers are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver(Loopback):
    """Use it as a context. `answers` are given in turn, then `told` for ever, or what a `script` says of a request."""

    def __init__(self, told: Told | None = None, script: Callable[[Asked], Told] | None = None) -> None:
        self.told = told or Told()
        self.script = script
        self.answers: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self.asked: list[Asked] = []
        self.arrived = threading.Semaphore(0)
        self.over = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                receiver.answer(self)

            do_GET = do_PUT = do_POST  # noqa: N815  # the library's names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's names
                pass

        super().__init__(Handler)

    def __exit__(self, *_: object) -> None:
        self.over.set()
        super().__exit__()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("content-length") or 0)
        body = handler.rfile.read(length)
        if len(body) < length:  # whoever asked was killed in the middle of it
            handler.close_connection = True
            return
        headers = {name.lower(): value for name, value in handler.headers.items()}
        asked = Asked(handler.command, handler.path, headers, body)
        try:
            told = self.answers.get_nowait()
        except queue.Empty:
            told = self.script(asked) if self.script else self.told
        self.asked.append(asked)
        self.arrived.release()
        match told.status:
            case int(status):
                _say(handler, status, told)
            case "drips":
                while not self.over.wait(0.02):
                    try:
                        handler.wfile.write(b"H")
                    except OSError:
                        break
                handler.close_connection = True
            case _:
                if told.status == HANGS:
                    self.over.wait(30)
                handler.close_connection = True


def _say(handler: BaseHTTPRequestHandler, status: int, told: Told) -> None:
    body = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **told.headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    try:
        handler.wfile.write(body)
    except OSError:
        handler.close_connection = True  # whoever asked had heard enough
