"""A closed gate before which a child waits, its modules loaded, until its parent opens it."""

from __future__ import annotations

import os

VARIABLE = "KIZUNA_GATE"


class Gate:
    """The parent's side. Children inherit the reading end of a pipe; to open is to close the writing end."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()
        self.is_open = False

    def environment(self) -> dict[str, str]:
        return {} if self.is_open else {VARIABLE: str(self.reader)}

    def open(self) -> None:
        if not self.is_open:
            self.is_open = True
            os.close(self._writer)
            os.close(self.reader)


def wait() -> None:
    """The child's side: until the gate is open, if there is one."""
    reader = os.environ.pop(VARIABLE, "")
    if reader:
        with os.fdopen(int(reader), "rb") as gate:
            gate.read()
