"""The worker process: owns partitions, folds what comes, and lets time pass when nothing does."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from typing import Any

import psycopg
import structlog
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from kizuna.config import Config
from kizuna.core.errors import Unavailable
from kizuna.engine import store, word
from kizuna.engine.append import TICK, Row, append_rows
from kizuna.engine.engine import Engine
from kizuna.engine.state import FencedError
from kizuna.folds import new_engine
from kizuna.runtime.database import connect
from kizuna.runtime.stopping import Stopping

LONGEST_SLEEP = 5.0  # seconds; a lost notification costs no more
RETRY = 0.5
COLLECT_EVERY = 900.0  # seconds; for what a library may leave behind

log = structlog.get_logger()


def main(config: Config, partitions: str | None = None) -> None:
    """Fold until told to stop; `partitions` such as `0-31` are waited for, else all free ones are taken."""
    with Stopping() as stopping:
        worker = Worker(config, partitions, stopping)
        while not stopping.is_set:
            try:
                worker.work()
            except (psycopg.OperationalError, Unavailable, FencedError) as error:
                log.warning("worker_restarts", reason=str(error).partition("\n")[0])
                stopping.wait(RETRY)


class Worker:
    """One engine on two connections: one to fold with, one to hear what is appended."""

    def __init__(self, config: Config, wanted: str | None, stopping: Stopping) -> None:
        self.config = config
        self.wanted = wanted
        self.stopping = stopping

    def work(self) -> None:
        url = self.config.database_url
        with connect(url, name="kizuna work") as connection, connect(url, autocommit=True) as ear:
            ear.execute(SQL("LISTEN {}").format(Identifier(word.CHANNEL)))
            engine = new_engine(connection, cached=self.config.cached_records)
            self.own(connection, engine)
            gc.collect()
            gc.freeze()
            gc.disable()  # a fold makes no cycles, and looking for them among cached records took a tenth of its time
            collected_at = time.monotonic()
            while not self.stopping.is_set:
                self.hear(ear, engine, seconds=0.0)
                if not engine.run(connection):
                    self.rest(connection, ear, engine)
                if time.monotonic() - collected_at > COLLECT_EVERY:
                    gc.collect()
                    collected_at = time.monotonic()

    def own(self, connection: Connection[Any], engine: Engine) -> None:
        """Take partitions; those asked for by name are waited for, as their last owner may still be ending."""
        wanted = parse_partitions(self.wanted, engine.programs.partitions)
        held: list[int] = []
        while not self.stopping.is_set:
            held += [p for p in wanted if p not in held and store.take_partition(connection, p)]
            connection.commit()
            if len(held) == len(wanted) or (self.wanted is None and held):
                break
            self.stopping.wait(RETRY)
        engine.own(connection, held)
        log.info("worker_owns", partitions=len(held))

    def rest(self, connection: Connection[Any], ear: Connection[Any], engine: Engine) -> None:
        """Sleep until something is appended or a timer is due; then say what time it is."""
        now = time.time_ns() // 1000
        wakes = engine.next_wakes(connection)
        due = [key for key, at in wakes.items() if at <= now]
        if due:
            tick(connection, due, engine)
            return
        earliest = min(wakes.values(), default=0)
        seconds = min(LONGEST_SLEEP, (earliest - now) / 1e6) if earliest else LONGEST_SLEEP
        self.hear(ear, engine, max(0.0, seconds))

    def hear(self, ear: Connection[Any], engine: Engine, seconds: float) -> None:
        """Wait for a word of new rows, and tell the engine for what somebody waits."""
        engine.waited_for |= word.read(self.stopping.wait_for(ear, seconds))


def tick(connection: Connection[Any], due: Sequence[tuple[int, int]], engine: Engine) -> None:
    """Append a tick where a timer is due and nothing else arrives: time enters through the log alone."""
    for workspace in sorted({workspace for workspace, _ in due}):
        rows = [Row(partition, TICK, 0, b"", b"") for owner, partition in due if owner == workspace]
        for statement in append_rows(workspace, rows):
            connection.execute(*statement)
        connection.commit()
        engine.stale.update(partition for owner, partition in due if owner == workspace)


def parse_partitions(text: str | None, count: int) -> list[int]:
    """`0-31`, `5` or nothing, which is all."""
    if not text:
        return list(range(count))
    first, _, last = text.partition("-")
    return list(range(int(first), min(int(last or first), count - 1) + 1))
