"""What is wrong with a journey, all of it at once: each place by its JSON pointer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

from msgspec import Struct

from kizuna.core.clock import Duration, duration
from kizuna.core.errors import FieldError, Invalid
from kizuna.segments import rule
from kizuna.segments.props import PropsCheck, compile_props

T = TypeVar("T")


class Ruled(Struct, frozen=True):
    """A segment rule as written, and the key under which the segments slice keeps its answer."""

    raw: dict[str, Any]
    key: str


class Problems:
    """Reads parts of a document; where one cannot be read, notes why and gives a stand-in."""

    def __init__(self) -> None:
        self.found: list[FieldError] = []

    def note(self, pointer: str, code: str, message: str) -> None:
        self.found.append(FieldError(pointer, code, message))

    def guard(self, pointer: str, read: Callable[[], T], otherwise: T) -> T:
        """What `read` gives; if it refuses, its reasons are noted."""
        try:
            return read()
        except Invalid as error:
            if error.errors and all(each.pointer.startswith(pointer) for each in error.errors):
                self.found.extend(error.errors)
            else:
                self.note(pointer, error.code, str(error))
            return otherwise

    def object(self, raw: Any, pointer: str, known: Iterable[str] = ()) -> dict[str, Any]:
        """A JSON object with no keys but the `known` (none given: any)."""
        if not isinstance(raw, dict):
            self.note(pointer, "not_an_object", "write an object here")
            return {}
        allowed = frozenset(known)
        for key in raw:
            if not isinstance(key, str) or (allowed and key not in allowed):
                words = ", ".join(sorted(allowed))
                self.note(f"{pointer}/{escape(key)}", "unknown_field", f"{key!r} is not known here; these are: {words}")
        return raw

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


def escape(key: object) -> str:
    """One segment of a JSON pointer (RFC 6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")
