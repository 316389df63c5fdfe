"""The browser client and its service worker, built into the package, for pages of any origin."""

from __future__ import annotations

import gzip
from hashlib import blake2b
from pathlib import Path
from typing import Any

from litestar import Request, Response

FOLDER = Path(__file__).parent.parent / "sdk"

_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",  # for sites that isolate themselves
    "Cache-Control": "public, max-age=300",  # a new version is everywhere in minutes
    "Vary": "Accept-Encoding",
}


class Sdk:
    """Holds the few files, as they are and packed."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {f"/sdk/{path.name}": _File(path.read_bytes()) for path in sorted(folder.glob("*.js"))}

    def answer(self, request: Request[Any, Any, Any]) -> Response[bytes] | None:
        """One of the files; None for any other address."""
        file = self._files.get(request.scope["path"])
        if file is None or request.method != "GET":
            return None
        headers = {**_HEADERS, "ETag": file.tag}
        if request.headers.get("if-none-match", "").removeprefix("W/") == file.tag:
            return Response(b"", status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.packed, media_type=_KIND, headers={**headers, "Content-Encoding": "gzip"})
        return Response(file.plain, media_type=_KIND, headers=headers)


_KIND = "text/javascript; charset=utf-8"


class _File:
    def __init__(self, plain: bytes) -> None:
        self.plain = plain
        self.packed = gzip.compress(plain, 6, mtime=0)
        self.tag = f'"{blake2b(plain, digest_size=8).hexdigest()}"'
