"""A process that is told to stop, and one that sleeps until something happens."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from types import FrameType
from typing import Any

from psycopg import Connection


class Stopping:
    """While entered, SIGTERM and SIGINT set `is_set` and end every wait. Main thread only."""

    is_set = False

    def __enter__(self) -> Stopping:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._earlier = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)

    def wait(self, seconds: float) -> None:
        """At most `seconds`, less when told to stop."""
        if not self.is_set:
            select.select([self._reader], [], [], seconds)

    def wait_for(self, ear: Connection[Any], seconds: float) -> list[str]:
        """Until a notification comes on a listening connection, at most `seconds`; what all that came say."""
        if not self.is_set:
            select.select([self._reader, ear.fileno()], [], [], seconds)
        return [heard.payload for heard in ear.notifies(timeout=0)]

    def _note(self, _: int, __: FrameType | None) -> None:
        self.is_set = True
        with contextlib.suppress(OSError):
            os.write(self._writer, b".")
