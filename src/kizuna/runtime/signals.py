"""Waiting for signals without polling: a child's end, or the wish to stop."""

from __future__ import annotations

import contextlib
import select
import signal
import socket
from types import FrameType

_WATCHED = (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """While entered, signals wake `wait`; SIGINT, SIGTERM and SIGHUP set `stopping`. Main thread only."""

    stopping = False

    def __enter__(self) -> Signals:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._earlier = {number: signal.signal(number, self._note) for number in _WATCHED}
        self._fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._fd)
        for number, handler in self._earlier.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()

    def wait(self, seconds: float | None) -> None:
        """Until a signal came since the last call, at most `seconds`; None waits for ever."""
        if not self.stopping:
            select.select([self._reader], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            while self._reader.recv(4096):
                pass

    def _note(self, number: int, _: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self.stopping = True
