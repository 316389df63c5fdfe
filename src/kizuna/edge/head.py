"""Requests for the head of an answer alone: routed as GET, and told apart where it matters who looks."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from litestar import Request

_KEY = "kizuna.head"


def note_head(scope: MutableMapping[str, Any]) -> None:
    scope[_KEY] = True


def is_head(request: Request[Any, Any, Any]) -> bool:
    return bool(dict[str, Any](request.scope).get(_KEY))
