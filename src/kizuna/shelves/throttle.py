"""How often browsers may come: a bucket for each address and one for each workspace, in this process's memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import ip_address

from kizuna.core.errors import TooMany

ADDRESS_RATE, ADDRESS_BURST = 20.0, 200.0  # requests a second, and at once: a whole office may stand behind one
WORKSPACE_RATE, WORKSPACE_BURST = 2_000.0, 10_000.0
MOST_BUCKETS = 50_000


class Throttle:
    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._buckets: dict[tuple[int, str], tuple[float, float]] = {}  # what is left, and as of when

    def check(self, workspace: int, address: str) -> None:
        """Raises `TooMany`. A private address is a proxy's that does not say for whom it asks: all share it, and only
        the workspace's own limit holds."""
        if _is_public(address):
            self._take(workspace, address, ADDRESS_RATE, ADDRESS_BURST)
        self._take(workspace, "", WORKSPACE_RATE, WORKSPACE_BURST)

    def _take(self, workspace: int, address: str, rate: float, burst: float) -> None:
        now = self._seconds()
        left, since = self._buckets.get((workspace, address), (burst, now))
        left = min(burst, left + (now - since) * rate)
        if left < 1:
            raise TooMany("too many requests from here; wait a moment", retry_after=1)
        if len(self._buckets) >= MOST_BUCKETS:
            self._buckets.clear()
        self._buckets[workspace, address] = left - 1, now


def _is_public(address: str) -> bool:
    try:
        return ip_address(address.partition("%")[0]).is_global
    except ValueError:
        return False
