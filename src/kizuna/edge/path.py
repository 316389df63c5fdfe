"""Paths as they were sent: an encoded slash belongs to its segment, a NUL belongs nowhere."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from kizuna.core.errors import Invalid

# UTF-8 cannot decode to a lone surrogate, so no path a client sends can hold this by itself.
_SLASH = "\udc2f"


def hide_encoded_slashes(scope: HTTPScope) -> None:
    """Before routing: the path is decoded anew, segment by segment."""
    raw = scope["raw_path"]
    if b"%2F" in raw or b"%2f" in raw:
        segments = raw.partition(b"?")[0].decode("ascii", "replace").split("/")
        scope["path"] = "/".join(unquote(segment).replace("/", _SLASH) for segment in segments)


def holds_nul(scope: Scope) -> bool:
    """PostgreSQL text has no NUL, and no honest client sends one."""
    return "\x00" in scope["path"] or b"%00" in scope["query_string"]


class CleanPath(ASGIMiddleware):
    """After routing: parameters and path get their slashes back."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if holds_nul(scope):
            raise Invalid("the address holds a NUL character; remove it", code="invalid_text")
        if _SLASH in scope["path"]:
            scope["path"] = scope["path"].replace(_SLASH, "/")
            parameters: dict[str, Any] = scope["path_params"]
            scope["path_params"] = {
                name: value.replace(_SLASH, "/") if isinstance(value, str) else value
                for name, value in parameters.items()  # a new one: the router keeps and shares its own
            }
        await next_app(scope, receive, send)
