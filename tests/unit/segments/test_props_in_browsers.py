"""The browser client reads PROPS by itself (`sdk/src/where.ts`): one table holds both readings together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kizuna.segments.props import compile_props

TABLE = Path(__file__).parents[3] / "sdk" / "test" / "where.json"
CASES: list[dict[str, Any]] = json.loads(TABLE.read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: json.dumps(case["where"], ensure_ascii=False))
def test_the_server_says_what_browsers_say(case: dict[str, Any]) -> None:
    assert compile_props(case["where"])(case["properties"]) is case["holds"]
