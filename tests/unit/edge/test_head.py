from __future__ import annotations

from typing import Any

from litestar import Request

from kizuna.edge.head import is_head, note_head


def test_a_request_for_the_head_alone_is_told_apart() -> None:
    scope: dict[str, Any] = {"type": "http"}
    assert not is_head(Request(scope))  # type: ignore[arg-type]
    note_head(scope)
    assert is_head(Request(scope))  # type: ignore[arg-type]
