"""Asks other servers for what messages wait for: on threads of its own, each workspace's by itself.

No transaction is open while the network is waited for. The question is written down before it is asked, so that what
is no GET is asked at most once, and the answer with the end of the wait, so that every later try says the same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import structlog
from msgspec import Struct

from kizuna.core.errors import Invalid, Unavailable
from kizuna.fetches import store
from kizuna.fetches.ask import Asker
from kizuna.fetches.authorize import authorization
from kizuna.fetches.request import TOTAL_SECONDS, Answer, Request, failed
from kizuna.messages import sql_drawing
from kizuna.runtime.database import connect

THREADS = 8  # of a workspace: a server that is slow holds up nobody else's
IN_LINE_SECONDS = 120.0  # that a message waits for its turn; then it is claimed, and asked for, again
ASKING_SECONDS = TOTAL_SECONDS + 20

log = structlog.get_logger()


class Waiting(Struct, frozen=True):
    """A message, what it waits for, and the end of its wait, which names this wait."""

    message: bytes
    request: Request
    until: int


class Fetching:
    """Belongs to the sender process."""

    def __init__(self, url: str, asker: Asker) -> None:
        self.url, self.asker = url, asker
        self.secrets: Sequence[bytes] = ()
        self._threads: dict[int, ThreadPoolExecutor] = {}
        self._lock = threading.Lock()

    def kept(self, workspace: int, request: Request) -> Answer | None:
        """An answer that still stands."""
        return self.asker.kept.get(workspace, request)

    def start(self, workspace: int, waiting: Iterable[Waiting]) -> None:
        """Ask; what may be shared is asked once for all who wait for it."""
        with self._lock:
            threads = self._threads.setdefault(
                workspace, ThreadPoolExecutor(THREADS, thread_name_prefix=f"fetch-{workspace}")
            )
        groups: dict[Any, list[Waiting]] = {}
        for each in waiting:
            groups.setdefault(each.request if each.request.cached_seconds else each.message, []).append(each)
        for group in groups.values():
            threads.submit(self._work, workspace, group)

    def _work(self, workspace: int, group: Sequence[Waiting]) -> None:
        """A thread's edge."""
        try:
            self.fetch(workspace, group)
        except (psycopg.OperationalError, Unavailable) as error:
            log.warning("fetch_put_off", reason=str(error).partition("\n")[0])
        except Exception:
            log.exception("fetch_failed", workspace=workspace)

    def fetch(self, workspace: int, group: Sequence[Waiting]) -> None:
        """One request for all messages of the group that still wait for it."""
        request, until = group[0].request, group[0].until
        with connect(self.url, name="kizuna fetch", autocommit=True) as connection:
            with connection.transaction(), connection.cursor(binary=True) as cursor:
                named = [each.message for each in group]
                messages = sql_drawing.still_waiting(cursor, workspace, named, until, ASKING_SECONDS)
                if not messages:
                    return
                store.note_asked(cursor, workspace, messages, request.key)
                spent = max(_spent(store.recorded(cursor, workspace, messages)).values(), default=0)
                sealed = store.credential(cursor, workspace, request.credential) if request.credential else None
            began = time.monotonic()
            answer = self.asker.kept.get(workspace, request) or self._ask(
                request, sealed, workspace, TOTAL_SECONDS - spent / 1_000_000
            )
            took = int((time.monotonic() - began) * 1_000_000)
            self.asker.kept.put(workspace, request, answer)
            with connection.transaction(), connection.cursor(binary=True) as cursor:
                store.record(cursor, workspace, messages, request.key, answer, took)
                sql_drawing.go_on(cursor, workspace, messages)
                cursor.execute("NOTIFY kizuna_send")

    def _ask(self, request: Request, sealed: Any, workspace: int, seconds: float) -> Answer:
        try:
            return self.asker.ask(request, authorization(request, sealed, self.secrets, workspace), seconds)
        except Invalid as error:
            return failed(str(error))

    def close(self) -> None:
        """What is asked comes to its end; what is in line is not begun."""
        for threads in self._threads.values():
            threads.shutdown(cancel_futures=True)
        self.asker.close()


def _spent(rows: Iterable[store.Recorded]) -> dict[bytes, int]:
    """Microseconds by message."""
    spent: dict[bytes, int] = {}
    for row in rows:
        spent[row.message] = spent.get(row.message, 0) + row.spent
    return spent
