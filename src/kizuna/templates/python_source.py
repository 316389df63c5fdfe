"""Python source that grows downward; what users wrote stands in it as constants only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LONGEST = 150_000  # characters; read by Python in a tenth of a second


class TooMuch(Exception):
    """A template that is not worth compiling."""


class Source:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.left = LONGEST
        self.depth = 0
        self.objects: dict[str, Any] = {}  # what the source names and cannot spell
        self._names = 0

    def line(self, text: str) -> None:
        """Raises `TooMuch`."""
        self.left -= len(text) + self.depth
        if self.left < 0:
            raise TooMuch
        self.lines.append(" " * self.depth + text)

    def name(self, kind: str) -> str:
        """A name that nothing else has; `kind` is a letter or two."""
        self._names += 1
        return f"{kind}{self._names}"

    def made(self, code: str, kind: str = "v") -> str:
        """The name of what the code answers."""
        name = self.name(kind)
        self.line(f"{name} = {code}")
        return name

    def object(self, value: Any) -> str:
        name = self.name("k")
        self.objects[name] = value
        return name

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        self.line(f"{head}:")
        self.depth += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.line("pass")
        self.depth -= 1

    @contextmanager
    def aside(self) -> Iterator[list[str]]:
        """Lines that are put in later, when it is known what must stand around them."""
        lines, self.lines = self.lines, []
        aside: list[str] = []
        yield aside
        aside += self.lines
        self.lines = lines

    def put_in(self, lines: list[str], deeper: int) -> None:
        self.lines += [" " * deeper + line for line in lines]


def literal(text: str) -> str:
    """A text as it may stand in a source: quoted, in ASCII."""
    return ascii(str(text))
