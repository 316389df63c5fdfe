"""A worker and a sender on threads, for circles in one process."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any

from psycopg import Connection

from kizuna.config import Config
from kizuna.folds import new_engine
from kizuna.messages.sender import Sender
from kizuna.runtime.database import connect

LOOK = 0.02  # seconds


class Bell:
    """Stands in for the signals that end a process."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    @property
    def is_set(self) -> bool:
        return self._rung.is_set()

    def ring(self) -> None:
        self._rung.set()

    def wait(self, seconds: float) -> None:
        self._rung.wait(min(seconds, LOOK))

    def wait_for(self, ear: Connection[Any], seconds: float) -> None:
        if not self.is_set:
            for _ in ear.notifies(timeout=min(seconds, LOOK), stop_after=1):
                pass


class Crew:
    """While entered, everything that is appended is folded and everything planned is sent."""

    def __init__(self, config: Config, *, sends: bool = True) -> None:
        self.config = config
        self.bell = Bell()
        self.failures: list[BaseException] = []
        jobs = [self._work, self._send] if sends else [self._work]
        self.threads = [threading.Thread(target=self._watched, args=(job,), daemon=True) for job in jobs]

    def __enter__(self) -> Crew:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bell.ring()
        for thread in self.threads:
            thread.join(30)
        if self.failures and error is None:
            raise self.failures[0]

    def _watched(self, job: Any) -> None:
        try:
            job()
        except BaseException as failure:  # the thread's edge: said when the crew is left
            self.failures.append(failure)

    def _work(self) -> None:
        with connect(self.config.database_url) as connection, connect(self.config.database_url, autocommit=True) as ear:
            ear.execute("LISTEN kizuna_log")
            engine = new_engine(connection)
            engine.own(connection, range(engine.programs.partitions))
            while not self.bell.is_set:
                if not engine.run(connection):
                    self.bell.wait_for(ear, LOOK)

    def _send(self) -> None:
        Sender(self.config, self.bell).work()
