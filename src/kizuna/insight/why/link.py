"""A link of a chain of reasons."""

from __future__ import annotations

from typing import Any

Link = dict[str, Any]  # {at, rule, seen, version, outcome}, and of facts `caused_by`
