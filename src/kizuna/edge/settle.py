"""A request with `after=<position>` waits until that write, and all that follows from it, is applied."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request

from kizuna.core.clock import SECOND, duration
from kizuna.core.errors import Invalid
from kizuna.runtime.database import Database

DEFAULT_SECONDS = 5.0
MOST_SECONDS = 60.0


Wait = Callable[[Database, int, int, float], Awaitable[None]]  # workspace, position, seconds


async def settle(request: Request[Any, Any, Any], database: Database, workspace_id: int, wait: Wait) -> None:
    """Raises `NotSettled` when the position is not settled within the request's `wait`."""
    after = request.query_params.get("after") or request.headers.get("kizuna-after")
    if not after:
        return
    position, seconds = read_position(after), read_wait(request.query_params.get("wait"))
    await wait(database, workspace_id, position, seconds)


def read_position(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Invalid("after takes a position as a write answered it in `Kizuna-Position`", code="invalid_position")
    return int(text)


def read_wait(text: str | None) -> float:
    """`5s` to seconds, at most a minute."""
    if not text:
        return DEFAULT_SECONDS
    length = duration(text)
    if length.months:
        raise Invalid("wait takes a duration such as 5s, at most 60s", code="invalid_duration")
    return min(length.exact / SECOND, MOST_SECONDS)
