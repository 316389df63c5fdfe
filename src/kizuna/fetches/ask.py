"""Ask other servers, within the bounds of a request; good answers to a GET are kept for a while."""

from __future__ import annotations

import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from kizuna.fetches.request import MOST_BYTES, MOST_SECONDS, TOTAL_SECONDS, Answer, Request, failed
from kizuna.providers import Ambiguous, Unavailable
from kizuna.providers.http import Answer as Told
from kizuna.providers.http import Call, Outside

KEPT, KEPT_BYTES = 2_000, 64 << 20  # answers, and their bytes together
WAIT_FIRST = 0.1  # seconds before the second try; doubled each time, with jitter
_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))


class Asker:
    """Safe for several threads at once."""

    def __init__(self, allowed: Sequence[str] = (), now: Callable[[], float] = time.monotonic) -> None:
        half = MOST_SECONDS / 2
        self.outside = Outside(allowed, connect_seconds=half, answer_seconds=half, most_bytes=MOST_BYTES + 1)
        self.kept = Kept(now)

    def ask(self, request: Request, authorization: str = "", seconds: float = TOTAL_SECONDS) -> Answer:
        """With its retries, as far as `seconds` last; never raises for what a network may do."""
        until = time.monotonic() + seconds
        headers = dict(request.headers) | ({"authorization": authorization} if authorization else {})
        call = Call(request.url, request.body, headers, request.method)
        answer = failed("there was no time left")
        for attempt in range(request.retries + 1):
            left = until - time.monotonic()
            if left <= 0:
                break
            answer, may_again = self._once(call, request.method == "GET", min(request.seconds, left))
            wait = WAIT_FIRST * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311  # spreads load
            if not may_again or attempt == request.retries or time.monotonic() + wait >= until:
                break
            time.sleep(wait)
        return answer

    def _once(self, call: Call, is_safe: bool, seconds: float) -> tuple[Answer, bool]:
        """The answer, and whether asking again does no harm and may help."""
        match self.outside.ask(call, seconds):
            case Told(status=status, headers=headers, body=body):
                if len(body) > MOST_BYTES:
                    return failed(f"more than {MOST_BYTES >> 20} MB"), False
                return Answer(status, headers.get("content-type", "")[:200], body), status in _AGAIN
            case Unavailable(reason=reason):
                return failed(reason[:200]), True
            case Ambiguous(reason=reason):
                return failed(reason[:200]), is_safe

    def close(self) -> None:
        self.outside.close()


class Kept:
    """Answers by workspace and request, each for its time; the one asked for longest ago goes first."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._answers: OrderedDict[tuple[int, bytes], tuple[Answer, float]] = OrderedDict()
        self.bytes = 0

    def get(self, workspace: int, request: Request) -> Answer | None:
        if not request.cached_seconds:
            return None
        key = workspace, request.key
        with self._lock:
            found = self._answers.get(key)
            if found is None:
                return None
            if found[1] <= self._now():
                self._forget(key)
                return None
            self._answers.move_to_end(key)
            return found[0]

    def put(self, workspace: int, request: Request, answer: Answer) -> None:
        if not request.cached_seconds or not answer.is_ok:
            return
        key = workspace, request.key
        with self._lock:
            self._forget(key)
            self._answers[key] = answer, self._now() + request.cached_seconds
            self.bytes += len(answer.body)
            while len(self._answers) > KEPT or self.bytes > KEPT_BYTES:
                self._forget(next(iter(self._answers)))

    def _forget(self, key: tuple[int, bytes]) -> None:
        found = self._answers.pop(key, None)
        if found is not None:
            self.bytes -= len(found[0].body)
