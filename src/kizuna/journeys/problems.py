"""What is wrong with a journey: how its parts are read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import Struct

from kizuna.core import problems
from kizuna.core.clock import Duration, duration
from kizuna.segments import rule
from kizuna.segments.props import PropsCheck, compile_props


class Ruled(Struct, frozen=True):
    """A segment rule as written, and the key under which the segments slice keeps its answer."""

    raw: dict[str, Any]
    key: str


class Problems(problems.Problems):
    """With what journeys are made of beside objects: steps, numbers, durations, rules."""

    def items(self, raw: Any, pointer: str, what: str) -> list[Any]:
        if not isinstance(raw, list) or not raw:
            self.note(pointer, "not_a_list", f"write a list with at least one {what}")
            return []
        return raw

    def text(self, raw: Any, pointer: str, what: str) -> str:
        if not isinstance(raw, str) or not raw:
            self.note(pointer, "not_text", f"write {what} as text")
            return ""
        return raw

    def number(self, raw: Any, pointer: str, what: str, low: float, high: float) -> float:
        if isinstance(raw, bool) or not isinstance(raw, (int, float, Decimal)):
            self.note(pointer, "not_a_number", f"write {what} as a number")
            return low
        if not low <= raw <= high:
            self.note(pointer, "out_of_range", f"{what} lies between {low:g} and {high:g}")
            return low
        return float(raw)

    def duration(self, raw: Any, pointer: str) -> Duration:
        return self.guard(pointer, lambda: duration(raw) if isinstance(raw, str) else duration(str(raw)), Duration())

    def rule(self, raw: Any, pointer: str) -> Ruled:
        def read() -> Ruled:
            rule.parse(raw, pointer)
            return Ruled(raw, rule.rule_key(raw))

        return self.guard(pointer, read, Ruled({}, ""))

    def props(self, raw: Any, pointer: str) -> PropsCheck | None:
        return None if raw is None else self.guard(pointer, lambda: compile_props(raw, pointer), None)
