"""Looks at the templates that rule before something is said by them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import AsyncConnection

from kizuna.core.errors import FieldError, Unprocessable
from kizuna.messages.doubts import Wish, doubts
from kizuna.templates import store
from kizuna.templates.legal_check import ruling


async def check_templates(conn: AsyncConnection[Any], workspace: int, names: Iterable[str], pointer: str) -> None:
    """Raises `Unprocessable`, code `unknown_template`, where nothing rules by one of these names."""
    wanted = sorted(set(names))
    found = {name for name, _ in await store.named(conn, workspace, wanted)}
    if absent := [name for name in wanted if name not in found]:
        errors = [FieldError(pointer, "unknown_template", f"publish {name!r} first") for name in absent]
        raise Unprocessable(f"no template {absent[0]!r} in this workspace", code="unknown_template", errors=errors)


async def foreseen(conn: AsyncConnection[Any], workspace: int, wishes: Sequence[Wish]) -> list[str]:
    """As `doubts`, by the templates that rule."""
    return doubts(wishes, await ruling(conn, workspace)) if wishes else []
