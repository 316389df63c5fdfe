"""What those who hand over to one provider share: its rate, and its circuit breaker. What is urgent has the turn."""

from __future__ import annotations

import random
import threading
import time

from kizuna.messages.breaker import MOST_SECONDS, Breaker
from kizuna.messages.rests import Rests
from kizuna.providers import Outcome, Unavailable

LOOK = 0.25  # seconds after which who waits for a turn looks whether all is to end


class Pace:
    """Safe for several threads at once. Turns are on a monotonic clock. `rests` tells other processes, by `number`."""

    def __init__(self, rests: Rests, number: int = 0, longest_rest: float = MOST_SECONDS, name: str = "") -> None:
        self.rests, self.number = rests, number
        self.longest_rest = longest_rest
        self.name = name  # under which it is written down that the provider rests
        self.is_noted = True  # somebody before us may have written it
        self.breaker = Breaker()
        self.probe = threading.Lock()  # whoever has it asks whether the provider is back
        self._turn = threading.Condition()  # guards what follows
        self._next_at = 0.0
        self._urgent = 0  # of those who wait

    @property
    def is_open(self) -> bool:
        """Whether the provider may be asked now."""
        return not self.breaker.is_open(time.monotonic())

    def take(self, rate: float, stopped: threading.Event, *, is_urgent: bool) -> bool:
        """Wait for a turn, of which there are `rate` a second (0: as many as are asked for); False: do not go on."""
        if rate > 0:
            self._wait(rate, stopped, is_urgent)
        return self.is_open and not stopped.is_set()

    def _wait(self, rate: float, stopped: threading.Event, is_urgent: bool) -> None:
        with self._turn:
            self._urgent += is_urgent
            while not stopped.is_set():
                left = self._next_at - time.monotonic()
                if left <= 0 and (is_urgent or not self._urgent):
                    self._next_at = time.monotonic() + 1 / rate
                    break
                self._turn.wait(min(left, LOOK) if left > 0 else LOOK)
            self._urgent -= is_urgent
            self._turn.notify_all()

    def heed(self, outcome: Outcome) -> float:
        """What an outcome means for all that comes; the seconds for which the provider rests."""
        with self._turn:
            now = time.monotonic()
            self.breaker = self.breaker.after(outcome, now, spread=random.random(), longest=self.longest_rest)  # noqa: S311
            self.rests.put(self.number, self.breaker.rests_until)
            return max(0.0, self.breaker.rests_until - now) if isinstance(outcome, Unavailable) else 0.0
