"""Until when providers rest, in memory that a sender shares with its porters: nobody goes on asking one that rests."""

from __future__ import annotations

import mmap
import time

PLACES = 4096  # paces beyond share one: then a provider's rest ends a batch of another's early, which goes on at once


class Rests:
    """By the number of a pace, on the monotonic clock, which all processes of a machine share.

    Make it before the processes that are to share it.
    """

    def __init__(self) -> None:
        self._until = memoryview(mmap.mmap(-1, PLACES * 8)).cast("d")

    def put(self, number: int, until: float) -> None:
        self._until[number % PLACES] = until

    def is_over(self, number: int) -> bool:
        return time.monotonic() >= self._until[number % PLACES]
