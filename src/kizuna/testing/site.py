"""A shop's own site on an origin of its own: files of a folder, a policy as strict as its pages bear."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kizuna.testing.loopback import Loopback


class Site(Loopback):
    """`folders` by the path where they lie, `answers` in JSON by path, asked each time.

    `changes` are made in every text; `policy` is the Content-Security-Policy of pages."""

    def __init__(
        self,
        folders: Mapping[str, Path],
        changes: Mapping[str, str],
        policy: str,
        answers: Mapping[str, Callable[[], bytes]] | None = None,
    ) -> None:
        self.folders = {start: folder.resolve() for start, folder in folders.items()}
        self.changes = changes
        self.policy = policy
        self.answers = answers or {}
        super().__init__(_handler_of(self))

    def find(self, path: str) -> tuple[str, bytes] | None:
        """Media type and body; None when there is nothing."""
        if path in self.answers:
            return "application/json", self.answers[path]()
        start = max((each for each in self.folders if path.startswith(each)), key=len)
        file = (self.folders[start] / path.removeprefix(start)).resolve()
        file = file / "index.html" if file.is_dir() else file
        if not file.is_file() or not file.is_relative_to(self.folders[start]):
            return None
        text = file.read_text("utf-8")
        for old, new in self.changes.items():
            text = text.replace(old, new)
        return mimetypes.guess_type(file.name)[0] or "application/octet-stream", text.encode()


def _handler_of(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = site.find(urlsplit(self.path).path)
            kind, body = found or ("text/plain", b"")
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if kind == "text/html":
                self.send_header("Content-Security-Policy", site.policy)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name it has there
            """Says nothing."""

    return Handler
