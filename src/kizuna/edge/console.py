"""The console's files, built into the package; every address of its own opens its one page."""

from __future__ import annotations

import gzip
import mimetypes
import secrets
from pathlib import Path
from typing import Any

from litestar import Request, Response

from kizuna.edge.headers import CONSOLE_POLICY

FOLDER = Path(__file__).parent.parent / "console"
NONCE = "__CSP_NONCE__"  # what Vite writes where a style may stand (html.cspNonce)

_FOREVER = "public, max-age=31536000, immutable"
_COMPRESSIBLE = (".js", ".css", ".svg", ".json", ".html", ".webmanifest")
_OURS = (
    "/api/",
    "/v1/",
    "/health/",
    "/metrics",
    "/reports/",
    "/u/",
    "/p/",
    "/c/",
    "/d/",
    "/o/",
    "/t/",
    "/v/",
    "/s/",
    "/y/",
    "/f/",
    "/in-page/",
    "/sdk/",
)
_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Kizuna</title>
<h1>Kizuna is running</h1><p>The console is not built into this installation; the API is at
/api/openapi.json.</p></html>"""


class Console:
    """Reads the folder once; nothing outside it can be asked for."""

    def __init__(self, folder: Path = FOLDER) -> None:
        files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
        self._files = {f"/{path.relative_to(folder).as_posix()}": path for path in files if path.suffix != ".map"}
        index = self._files.pop("/index.html", None)
        self._page = index.read_text("utf-8") if index else _NOT_BUILT
        self._packed: dict[str, bytes] = {}

    def answer(self, request: Request[Any, Any, Any]) -> Response[bytes] | None:
        """A file, or the page for an address of the console; None when neither is meant."""
        path = request.scope["path"]
        if request.method != "GET" or path.startswith(_OURS):
            return None
        if found := self._files.get(path):
            return self._file(path, found, may_pack="gzip" in request.headers.get("accept-encoding", ""))
        if path == "/" or "text/html" in request.headers.get("accept", ""):
            return self._index()
        return None

    def _index(self) -> Response[bytes]:
        nonce = secrets.token_urlsafe(16)
        return Response(
            self._page.replace(NONCE, nonce).encode(),
            media_type="text/html",
            headers={"Content-Security-Policy": CONSOLE_POLICY.format(nonce=nonce), "Cache-Control": "no-store"},
        )

    def _file(self, path: str, file: Path, *, may_pack: bool) -> Response[bytes]:
        headers = {"Cache-Control": _FOREVER if path.startswith("/assets/") else "no-cache", "Vary": "Accept-Encoding"}
        if may_pack and file.suffix in _COMPRESSIBLE:
            body = self._pack(path, file)
            headers["Content-Encoding"] = "gzip"
        else:
            body = file.read_bytes()
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return Response(body, media_type=kind, headers=headers)

    def _pack(self, path: str, file: Path) -> bytes:
        """Packed once, when first asked for."""
        if path not in self._packed:
            self._packed[path] = gzip.compress(file.read_bytes(), 6, mtime=0)
        return self._packed[path]
