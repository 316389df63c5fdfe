"""The sender process: delivers what is due, as soon as it is planned."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import psycopg
import structlog
from psycopg import Connection

from kizuna.config import Config
from kizuna.core import errors
from kizuna.engine.slice import Workspace
from kizuna.messages import store
from kizuna.messages.deliver import Desk, deliver_local, deliver_remote, recover
from kizuna.providers import Unavailable, all_providers
from kizuna.runtime.database import connect
from kizuna.runtime.stopping import Stopping

LOCAL_BATCH = 500
LANE_THREADS = 4  # of one workspace's provider; also the most that a crash can leave `unknown`
LANE_REST = 1.0  # seconds a lane waits after its provider did not answer
LONGEST_SLEEP = 1.0  # for what falls due by the clock, and a lost notification
RETRY = 0.5
RECOVER_EVERY = 5.0

log = structlog.get_logger()


def main(config: Config) -> None:
    """Send until told to stop."""
    with Stopping() as stopping:
        while not stopping.is_set:
            try:
                Sender(config, stopping).work()
            except (psycopg.OperationalError, errors.Unavailable) as error:
                log.warning("sender_restarts", reason=str(error).partition("\n")[0])
                stopping.wait(RETRY)


class Ending(Protocol):
    """Says when to stop, and sleeps until something happens."""

    @property
    def is_set(self) -> bool: ...

    def wait_for(self, ear: Connection[Any], seconds: float) -> None: ...


class Sender:
    """One connection to deliver with, one to hear what is planned, and a lane of threads for each remote provider."""

    def __init__(self, config: Config, stopping: Ending) -> None:
        self.config = config
        self.stopping = stopping
        self.lanes: dict[tuple[int, str], Lane] = {}

    def work(self) -> None:
        url = self.config.database_url
        with connect(url, name="kizuna send") as connection, connect(url, autocommit=True) as ear:
            ear.execute("LISTEN kizuna_send")
            config = self.config
            base = config.public_url or config.url or f"http://{config.host}:{config.port}"
            desk = Desk.of(connection, base, config.secret)
            recovered_at = 0.0
            try:
                while not self.stopping.is_set:
                    if time.monotonic() - recovered_at > RECOVER_EVERY:
                        recovered_at = time.monotonic()
                        recover(connection, desk)
                    if not self.turn(connection, desk):
                        self.stopping.wait_for(ear, LONGEST_SLEEP)
            finally:
                for lane in self.lanes.values():
                    lane.close()
                self.lanes.clear()
                for provider in all_providers().values():
                    provider.close()

    def turn(self, connection: Connection[Any], desk: Desk) -> bool:
        """Once over what is due everywhere; says whether there may be more at once."""
        with connection.transaction(), connection.cursor(binary=True) as cursor:
            due = store.workspaces_with_due(cursor)
        is_more = False
        for workspace, now in due:
            with connection.transaction(), connection.cursor(binary=True) as cursor:
                channels = store.due_channels(cursor, workspace.id, now)
                carriers = store.providers(cursor, workspace.id)
            remote = [c for c in channels if c in carriers and not _is_local(carriers[c])]
            local = [c for c in channels if c not in remote]
            if local:
                is_more |= deliver_local(connection, desk, workspace, local, now, LOCAL_BATCH) == LOCAL_BATCH
            for channel in remote:
                self.lane(workspace, channel, desk).start(float(carriers[channel].get("rate") or 0))
        return is_more

    def lane(self, workspace: Workspace, channel: str, desk: Desk) -> Lane:
        key = workspace.id, channel
        if key not in self.lanes:
            self.lanes[key] = Lane(self.config.database_url, desk, workspace, channel)
        return self.lanes[key]


def _is_local(carrier: dict[str, Any]) -> bool:
    provider = all_providers().get(carrier["kind"])
    return provider is not None and provider.is_local


class Lane:
    """The threads of one provider; a dead one blocks only its own."""

    def __init__(self, url: str, desk: Desk, workspace: Workspace, channel: str) -> None:
        self.url, self.desk, self.workspace, self.channel = url, desk, workspace, channel
        self.threads = ThreadPoolExecutor(LANE_THREADS, thread_name_prefix=f"lane-{workspace.id}-{channel}")
        self.running: list[Future[None]] = []
        self.stopped = threading.Event()
        self.rests_until = 0.0
        self.rate = 0.0
        self._turn = threading.Lock()
        self._next_at = 0.0

    def start(self, rate: float) -> None:
        """Make sure that the threads are at work."""
        self.rate = rate
        if time.monotonic() < self.rests_until:
            return
        self.running = [future for future in self.running if not future.done()]
        while len(self.running) < LANE_THREADS:
            self.running.append(self.threads.submit(self._drain))

    def _drain(self) -> None:
        """Deliver one message after the other until none is due."""
        try:
            with connect(self.url, name="kizuna send") as connection:
                while not self.stopped.is_set() and time.monotonic() >= self.rests_until:
                    self._wait_for_turn()
                    with connection.transaction(), connection.cursor(binary=True) as cursor:
                        now = store.now(cursor, self.workspace.id)
                    outcome = deliver_remote(connection, self.desk, self.workspace, self.channel, now)
                    if outcome is None:
                        return
                    if isinstance(outcome, Unavailable):
                        self.rests_until = time.monotonic() + LANE_REST
                        log.warning("provider_unavailable", channel=self.channel, reason=outcome.reason)
        except (psycopg.OperationalError, errors.Unavailable) as error:
            log.warning("lane_restarts", reason=str(error).partition("\n")[0])
        except Exception:
            log.exception("lane_failed", workspace=self.workspace.id, channel=self.channel)
            self.rests_until = time.monotonic() + LANE_REST

    def _wait_for_turn(self) -> None:
        """At most `rate` messages a second; 0 is no limit."""
        if self.rate <= 0:
            return
        with self._turn:
            turn = max(self._next_at, time.monotonic())
            self._next_at = turn + 1 / self.rate
        self.stopped.wait(max(0.0, turn - time.monotonic()))

    def close(self) -> None:
        """Let what is in flight come to its end."""
        self.stopped.set()
        self.threads.shutdown(wait=True, cancel_futures=True)
