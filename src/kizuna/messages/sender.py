"""The sender process: delivers what is due, as soon as it is planned."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterable
from itertools import groupby
from typing import Any, Protocol

import psycopg
import structlog
from psycopg import Connection

from kizuna.channels import IN_PAGE
from kizuna.config import Config
from kizuna.core import errors
from kizuna.engine.slice import Workspace
from kizuna.fetches.ask import Asker
from kizuna.messages import sql_rest, sql_sending, sql_shelf
from kizuna.messages.breaker import MOST_SECONDS
from kizuna.messages.deliver import deliver_local, deliver_remote, recover, tidy
from kizuna.messages.desk import Desk
from kizuna.messages.fetching import Fetching
from kizuna.messages.pace import Pace
from kizuna.messages.porter import NOBODY, Order, Porter, Porters
from kizuna.messages.tray import gather
from kizuna.providers import HandsToPeople, Outcome, Unavailable, all_providers
from kizuna.providers.http import Outside
from kizuna.runtime.database import connect
from kizuna.runtime.stopping import Stopping

LOCAL_BATCH = 500
BETWEEN_TURNS = 0.01  # seconds from the begin of one to that of the next while messages come: a turn of few costs as
# much as one of many. Whatever comes after a rest does not wait.
BETWEEN_SMALL = 0.005  # the same after a turn of few: then nothing is so busy that a wait would save much
SMALL = 20  # messages
LANE_THREADS = 4  # of one workspace's provider
URGENT_THREADS, URGENT_BATCH = 2, 10  # beside them, for transactional messages
LANE_BATCH = 50  # messages a thread hands over at a time: a crash leaves at most the two multiplied, 200, `unknown`
LANE_BATCH_SECONDS = 0.25  # of a provider's rate: what one thread may hold
LANE_SECONDS = 1.0  # that a thread should take for what it holds: half of those after which the rest is handed back
LANE_IDLE = 30.0  # seconds after which a thread with nothing to do ends, and its connection with it
LANE_REST = 1.0  # seconds a lane waits after its provider did not answer, where the clock only moves when told
LONGEST_SLEEP = 1.0  # for what falls due by the clock, and a lost notification
RETRY = 0.5
RECOVER_EVERY = 5.0

log = structlog.get_logger()


def main(config: Config) -> None:
    """Send until told to stop."""
    gc.freeze()  # what was imported stays: it need not be looked through, and porters go on sharing its pages
    gc.set_threshold(50_000, 20, 20)
    with Stopping() as stopping:
        while not stopping.is_set:
            try:
                with Porters(config, config.sender_processes - 1) as porters:
                    Sender(config, stopping, porters).work()
            except (psycopg.OperationalError, errors.Unavailable) as error:
                log.warning("sender_restarts", reason=str(error).partition("\n")[0])
                stopping.wait(RETRY)


class Ending(Protocol):
    """Says when to stop, and sleeps until something happens."""

    @property
    def is_set(self) -> bool: ...

    def wait_for(self, ear: Connection[Any], seconds: float) -> object: ...


class Sender:
    """One connection to deliver with, one to hear what is planned, and a lane of threads for each remote provider."""

    def __init__(self, config: Config, stopping: Ending, porters: Porters = NOBODY) -> None:
        self.config = config
        self.stopping = stopping
        self.porters = porters
        self.lanes: dict[tuple[int, str, bool], Lane] = {}
        self.paces: dict[tuple[int, str], Pace] = {}

    def work(self) -> None:
        url = self.config.database_url
        with sql_sending.connected(url) as connection, connect(url, autocommit=True) as ear:
            ear.execute("LISTEN kizuna_send")
            config = self.config
            outside = Outside(config.allow_private_targets)
            fetching = Fetching(url, Asker(config.allow_private_targets))
            desk = Desk.of(connection, config.links_base, config.secret, outside, fetching)
            recovered_at = 0.0
            try:
                while not self.stopping.is_set:
                    self.porters.check()
                    began = time.monotonic()
                    if began - recovered_at > RECOVER_EVERY:
                        recovered_at = began
                        recover(connection, desk)
                        tidy(connection)
                        sql_shelf.sweep(connection)
                        connection.execute("DISCARD PLANS")  # those made while a table was young
                    taken = self.turn(connection, desk)
                    if taken < LOCAL_BATCH:
                        if taken:
                            time.sleep(max(0.0, began + pause_of(taken) - time.monotonic()))
                        self.stopping.wait_for(ear, LONGEST_SLEEP)
            finally:
                for lane in self.lanes.values():
                    lane.close()
                self.lanes.clear()
                fetching.close()
                outside.close()
                for provider in all_providers().values():
                    provider.close()

    def turn(self, connection: Connection[Any], desk: Desk) -> int:
        """Once over what is due everywhere; says how many messages it took itself, at most, for one workspace."""
        with connection.cursor(binary=True) as cursor:
            due = sql_sending.due(cursor)
        most = 0
        for workspace, group in groupby(due, key=lambda found: found.workspace):
            try:
                most = max(most, self._turn_of(connection, desk, workspace, group))
            except (psycopg.OperationalError, errors.Unavailable):
                raise
            except Exception:  # a tenant is a wall: the others go on, and this one is tried again
                log.exception("workspace_failed", workspace=workspace.id)
        return most

    def _turn_of(
        self, connection: Connection[Any], desk: Desk, workspace: Workspace, group: Iterable[sql_sending.Due]
    ) -> int:
        """Of one workspace: what is local is delivered, lanes are told to look."""
        most = 0
        local: list[sql_sending.Due] = []
        for each in group:
            if each.carrier is not None and _hands_to_people(each.carrier):
                most = max(most, gather(connection, desk, each, LOCAL_BATCH))
            elif each.carrier is None or _is_local(each.carrier):
                local.append(each)
            else:
                self.lane(each, desk).start(float(each.carrier.get("rate") or 0), self.pace(each))
        if not local:
            return most
        lanes = [(each.channel, each.is_urgent) for each in local]
        shelves = {
            each.channel: each.carrier["name"]
            for each in local
            if each.carrier is not None and each.carrier["kind"] == IN_PAGE
        }
        return max(most, deliver_local(connection, desk, workspace, lanes, local[0].now, LOCAL_BATCH, shelves))

    def lane(self, due: sql_sending.Due, desk: Desk) -> Lane:
        key = due.workspace.id, due.channel, due.is_urgent
        if key not in self.lanes:
            self.lanes[key] = Lane(
                self.config.database_url, desk, due.workspace, due.channel, self.porters, is_urgent=due.is_urgent
            )
        return self.lanes[key]

    def pace(self, due: sql_sending.Due) -> Pace:
        """That of all providers that are set to be in one `lane`; else of the provider alone."""
        named = due.carrier.get("lane") if due.carrier is not None else None
        key = due.workspace.id, f"lane {named}" if named else due.channel
        if key not in self.paces:
            longest = LANE_REST if due.workspace.clock == "test" else MOST_SECONDS
            self.paces[key] = Pace(self.porters.rests, len(self.paces), longest, key[1])
        return self.paces[key]


def pause_of(taken: int) -> float:
    """Seconds from the begin of a turn that took so many messages to that of the next."""
    return BETWEEN_SMALL if taken < SMALL else BETWEEN_TURNS


def fitting(taken: int, seconds: float, most: int) -> int:
    """Messages to take at a time, after some took so long: what is worded and then handed back was work for nothing."""
    return max(1, min(most, int(taken * LANE_SECONDS / max(seconds, 0.001))))


def _is_local(carrier: dict[str, Any]) -> bool:
    provider = all_providers().get(carrier["kind"])
    return provider is not None and provider.is_local


def _hands_to_people(carrier: dict[str, Any]) -> bool:
    return isinstance(all_providers().get(carrier["kind"]), HandsToPeople)


def _nothing() -> None:
    """A probe calls for nobody."""


class Lane:
    """The threads of one provider, for transactional messages or for all others; a dead one blocks only its own."""

    def __init__(
        self,
        url: str,
        desk: Desk,
        workspace: Workspace,
        channel: str,
        porters: Porters = NOBODY,
        *,
        is_urgent: bool = False,
    ) -> None:
        self.url, self.desk, self.workspace, self.channel, self.is_urgent = url, desk, workspace, channel, is_urgent
        self.porters = porters
        self.most_threads, self.batch = (URGENT_THREADS, URGENT_BATCH) if is_urgent else (LANE_THREADS, LANE_BATCH)
        self.threads: set[threading.Thread] = set()
        self.stopped = threading.Event()
        self.pace = Pace(porters.rests, name=channel)
        self.rate = 0.0
        self.is_busy = False  # there was more than one thread could take
        self.fitting = self.batch  # messages that one thread carries in time
        self._hands = threading.Condition()  # guards what follows
        self._idle = 0
        self._calls = 0

    def start(self, rate: float, pace: Pace) -> None:
        """Something is due: one more thread looks, if there is one that does nothing."""
        self.rate, self.pace = rate, pace
        if pace.is_open:
            self._call()

    def _call(self) -> None:
        with self._hands:
            self._calls += 1  # who is about to rest looks again
            if self._idle:
                self._hands.notify()
            elif len(self.threads) < self.most_threads and not self.stopped.is_set():
                thread = threading.Thread(target=self._work, name=f"lane-{self.workspace.id}-{self.channel}")
                self.threads.add(thread)
                thread.start()

    def _work(self) -> None:
        try:
            with sql_sending.connected(self.url) as connection:
                calls = -1
                while self._is_called(calls):
                    calls = self._calls
                    self._drain(connection)
        except (psycopg.OperationalError, errors.Unavailable) as error:
            log.warning("lane_restarts", reason=str(error).partition("\n")[0])
        except Exception:
            log.exception("lane_failed", workspace=self.workspace.id, channel=self.channel)
            self._heed(Unavailable("the lane failed"))
        finally:
            with self._hands:
                self.threads.discard(threading.current_thread())

    def _is_called(self, heard: int) -> bool:
        """Wait for a call after the one that was heard; False: it is time to end."""
        with self._hands:
            self._idle += 1
            self._hands.wait_for(lambda: self._calls != heard or self.stopped.is_set(), LANE_IDLE)
            self._idle -= 1
            return self._calls != heard and not self.stopped.is_set()

    def _drain(self, connection: Connection[Any]) -> None:
        """Deliver until nothing is due."""
        while not self.stopped.is_set() and self.pace.is_open:
            probe, is_probe = self.pace.probe, self.pace.breaker.is_probing
            if is_probe and not probe.acquire(blocking=False):
                return  # another thread asks
            try:
                if not self._deliver(connection, is_probe):
                    return
            finally:
                if is_probe:
                    probe.release()

    def _deliver(self, connection: Connection[Any], is_probe: bool) -> bool:
        """Some messages; after a failure one, which asks for all whether the provider is back. False: no more."""
        if not self._take_turn():
            return False
        porter = self.porters.take() if self.is_busy and not is_probe else None
        limit, began = 1 if is_probe else self._limit(), time.monotonic()
        outcome = self._by(porter, limit) if porter is not None else self._ourselves(connection, limit, is_probe)
        if outcome is None:
            self.is_busy = False
            return False
        self.fitting = fitting(limit, time.monotonic() - began, self.batch)
        self._note(connection, outcome, self._heed(outcome))
        return True

    def _by(self, porter: Porter, limit: int) -> Outcome | None:
        order = Order(
            self.workspace,
            self.channel,
            limit,
            is_urgent=self.is_urgent,
            is_paced=self.rate > 0,
            pace=self.pace.number,
        )
        with self.porters.at_work(porter):
            return porter.deliver(order, more=self._call_more, pace=self._take_turn)

    def _ourselves(self, connection: Connection[Any], limit: int, is_probe: bool) -> Outcome | None:
        with connection.cursor(binary=True) as cursor:
            now = sql_sending.now(cursor, self.workspace.id)
        return deliver_remote(
            connection,
            self.desk,
            self.workspace,
            self.channel,
            now,
            limit=limit,
            is_urgent=self.is_urgent,
            more=_nothing if is_probe else self._call_more,
            pace=self._take_turn,
        )

    def _call_more(self) -> None:
        self.is_busy = True
        self._call()

    def _heed(self, outcome: Outcome) -> float:
        rests = self.pace.heed(outcome)
        if isinstance(outcome, Unavailable) and not outcome.of_one:
            log.warning("provider_unavailable", channel=self.channel, reason=outcome.reason, rests=round(rests, 1))
        return rests

    def _note(self, connection: Connection[Any], outcome: Outcome, rests: float) -> None:
        """Write down that the provider rests, or that it answers again, for those who look from outside."""
        pace = self.pace
        if isinstance(outcome, Unavailable) and not outcome.of_one:
            pace.is_noted = True
            failures = max(1, pace.breaker.failures)
            sql_rest.put(connection, self.workspace.id, pace.name, failures, outcome.reason, rests)
        elif pace.is_noted:
            pace.is_noted = False
            sql_rest.drop(connection, self.workspace.id, pace.name)

    def _limit(self) -> int:
        return self.fitting if self.rate <= 0 else max(1, min(self.fitting, int(self.rate * LANE_BATCH_SECONDS)))

    def _take_turn(self) -> bool:
        return self.pace.take(self.rate, self.stopped, is_urgent=self.is_urgent)

    def close(self) -> None:
        """Let what is in flight come to its end."""
        with self._hands:
            self.stopped.set()
            self._hands.notify_all()
            threads = list(self.threads)
        for thread in threads:
            thread.join()
