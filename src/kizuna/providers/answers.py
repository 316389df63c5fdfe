"""What an HTTP answer, or its absence, says of a delivery: the same for every service."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from kizuna.providers import Ambiguous, Outcome, Unavailable

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 10.0
TIMEOUT = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
LONGEST_PAUSE = 86_400


def lost(error: Exception) -> Outcome:
    """Before the request is on its way nothing was taken over; after that nobody knows."""
    text = f"{type(error).__name__}: {error}"[:500]
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)):
        return Unavailable(text)
    return Ambiguous(text)


def one_line(status: int, said: str) -> str:
    return f"{status} {' '.join(said.split())}".strip()[:500]


def retry_after(headers: Mapping[str, str]) -> int | None:
    """Seconds; a date is left to our own back-off."""
    given = headers.get("retry-after", "").strip()
    return min(int(given), LONGEST_PAUSE) if given.isdecimal() and len(given) < 10 else None
