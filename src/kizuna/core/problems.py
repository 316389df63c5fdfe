"""What is wrong with a document, all of it at once: each place by its JSON pointer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from kizuna.core.errors import FieldError, Invalid

T = TypeVar("T")


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


def escape(key: object) -> str:
    """One segment of a JSON pointer (RFC 6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")
