"""A cell of a CSV that a spreadsheet may open: never a formula."""

from __future__ import annotations

from typing import Any

from kizuna.core import exact_json

FORMULA = ("=", "+", "-", "@", "\t", "\r")
LONGEST_CELL = 32_000  # what a spreadsheet takes


def cell(value: Any) -> str:
    """Text that no program takes for a formula."""
    if isinstance(value, dict | list):
        value = exact_json.encode(value).decode()
    text = "" if value is None else str(value)[:LONGEST_CELL]
    return f"'{text}" if text.startswith(FORMULA) else text
