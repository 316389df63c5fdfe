"""The circuit breaker of a lane: after failures it rests, longer each time, and then asks with one message. Pure."""

from __future__ import annotations

from msgspec import Struct

from kizuna.providers import Outcome, Unavailable

FIRST_SECONDS, MOST_SECONDS = 1.0, 60.0
MOST_ASKED = 900  # seconds of a Retry-After that are obeyed: messages past their time must come to their end


class Breaker(Struct, frozen=True):
    """Closed without failures, open until `rests_until` (a monotonic clock's), and half open after it."""

    failures: int = 0  # in a row
    rests_until: float = 0.0

    def is_open(self, now: float) -> bool:
        return now < self.rests_until

    @property
    def is_probing(self) -> bool:
        """Whether only one message may be tried, should it not be open."""
        return self.failures > 0

    def after(self, outcome: Outcome, now: float, *, spread: float = 1.0, longest: float = MOST_SECONDS) -> Breaker:
        """What an outcome makes of it. `spread`, from 0 to 1, keeps senders from coming back all at once.

        What was under way when it opened changes nothing any more.
        """
        if self.is_open(now):
            return self
        if not isinstance(outcome, Unavailable) or outcome.of_one:
            return Breaker()
        rest = min(FIRST_SECONDS * 2.0 ** min(self.failures, 30), longest)
        rest = max(FIRST_SECONDS, rest * (0.5 + spread / 2))
        asked = float(min(outcome.retry_after or 0, MOST_ASKED)) if longest >= MOST_SECONDS else 0.0
        return Breaker(self.failures + 1, now + max(rest, asked))
