"""What mail providers post about mails, one file each: a decoded body to results. Pure, and never raises."""

from __future__ import annotations

from typing import Any

MOST_RESULTS = 1_000


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[dict[str, Any]]:
    found = value if isinstance(value, list) else []
    return [each for each in found[:MOST_RESULTS] if isinstance(each, dict)]


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""
