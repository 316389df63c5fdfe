"""Backpressure: when the engine is too far behind, clients are told to wait; nothing is dropped."""

from __future__ import annotations

import time

from kizuna.core.errors import TooMany
from kizuna.events import store
from kizuna.runtime.database import Database

LOOK_EVERY = 0.5  # seconds


class Pressure:
    """Knows, at most half a second late, how many items of a workspace wait to be folded."""

    def __init__(self, database: Database, most: int) -> None:
        self.database = database
        self.most = most
        self._behind: dict[int, tuple[float, int]] = {}

    async def check(self, workspace: int) -> None:
        """Raises `TooMany` with seconds to wait while more than `most` items are behind."""
        looked, behind = self._behind.get(workspace, (0.0, 0))
        now = time.monotonic()
        if now - looked >= LOOK_EVERY:
            self._behind[workspace] = (now, behind)  # one look at a time
            async with self.database.connection() as conn:
                behind = await store.items_behind(conn, workspace)
            self._behind[workspace] = (time.monotonic(), behind)
        if behind > self.most:
            seconds = min(300, max(1, (behind - self.most) // 5_000))
            raise TooMany(f"{behind} events wait to be folded; try again in {seconds} s", retry_after=seconds)
