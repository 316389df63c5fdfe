"""Processes beside the sender's own that deliver for its lanes: an interpreter fills one core and no more."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing import Pipe
from typing import Any, NoReturn

import psycopg
import structlog
from msgspec import Struct

from kizuna.config import Config
from kizuna.core import errors
from kizuna.engine.slice import Workspace
from kizuna.fetches.ask import Asker
from kizuna.messages import sql_sending
from kizuna.messages.deliver import deliver_remote
from kizuna.messages.desk import Desk
from kizuna.messages.fetching import Fetching
from kizuna.messages.rests import Rests
from kizuna.providers import Outcome, all_providers
from kizuna.providers.http import Outside

IDLE_SECONDS = 30.0  # after which a process lets go of its connections
MORE, TURN = "more", "turn"  # what a process says before its outcome: there is more to do; may it carry the next?

log = structlog.get_logger()


class Order(Struct, frozen=True):
    """Some due messages of a lane, to be taken to their end."""

    workspace: Workspace
    channel: str
    limit: int
    is_urgent: bool
    is_paced: bool  # it asks before each but the first
    pace: int  # the number by which it sees whether the provider rests meanwhile


class Failed(Struct, frozen=True):
    """It could not: the database did not answer, or something is wrong with us."""

    reason: str
    is_of_database: bool


class Porters:
    """Some processes, each of which takes one order at a time. Make it before any thread or connection is there.

    They end with the sender: each hears the end of its line, whichever way the sender went, after what it has in hand.
    """

    def __init__(self, config: Config, size: int) -> None:
        self._lock = threading.Lock()
        self.rests = Rests()
        self._all: list[Porter] = []
        for _ in range(size):
            self._all.append(_start(config, self.rests, self._all))
        self._free = list(self._all)
        self.is_whole = True

    def __enter__(self) -> Porters:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until each has come to its end."""
        for porter in self._all:
            porter.line.close()
        for porter in self._all:
            os.waitpid(porter.pid, 0)

    def check(self) -> None:
        """Raises `Unavailable` when one was lost: the sender begins anew, with new ones."""
        if not self.is_whole:
            raise errors.Unavailable("a process of the sender ended")

    def take(self) -> Porter | None:
        """One that has nothing to do, for `at_work`."""
        with self._lock:
            return self._free.pop() if self._free else None

    @contextmanager
    def at_work(self, porter: Porter) -> Iterator[None]:
        """It is free again afterwards, if it is still there."""
        try:
            yield
        finally:
            with self._lock:
                if porter.is_there:
                    self._free.append(porter)
                else:
                    self.is_whole = False


class Porter:
    """One process, as the sender holds it."""

    def __init__(self, pid: int, line: Any) -> None:
        self.pid = pid
        self.line = line
        self.is_there = True

    def deliver(self, order: Order, more: Callable[[], None], pace: Callable[[], bool]) -> Outcome | None:
        """As `deliver_remote`. Raises `Unavailable` when the database, or the process, did not answer."""
        try:
            self.line.send(order)
            while isinstance(said := self.line.recv(), str):
                if said == MORE:
                    more()
                else:
                    self.line.send(pace())
        except (EOFError, OSError):
            self.is_there = False
            raise errors.Unavailable("a process of the sender ended") from None
        if isinstance(said, Failed):
            raise errors.Unavailable(said.reason) if said.is_of_database else RuntimeError(said.reason)
        return said


def _start(config: Config, rests: Rests, others: Sequence[Porter]) -> Porter:
    """A copy of this process, which shares its memory until it writes there."""
    ours, theirs = Pipe()
    pid = os.fork()
    if not pid:
        for each in (ours, *(other.line for other in others)):
            each.close()  # else nobody would hear of the sender's end while another process lives
        _run(config, rests, theirs)
    theirs.close()
    return Porter(pid, ours)


def _run(config: Config, rests: Rests, line: Any) -> NoReturn:
    """In the new process; whatever stops the sender stops us by the end of the line."""
    status = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        _Worker(config, rests, line).work()
        status = 0
    except Exception:
        log.exception("sender_process_failed")
    finally:
        os._exit(status)  # nothing of the sender's own endings is ours


NOBODY = Porters(Config(), 0)  # the sender is alone


class _Worker:
    """Takes orders, with one connection that is opened when the first comes."""

    def __init__(self, config: Config, rests: Rests, line: Any) -> None:
        self.config = config
        self.rests = rests
        self.line = line
        self.held = ExitStack()
        self.desk: Desk | None = None
        self.connection: Any = None

    def work(self) -> None:
        while True:
            if not self.line.poll(IDLE_SECONDS):
                self.let_go()
                continue
            try:
                order = self.line.recv()
            except (EOFError, OSError):
                self.let_go()
                return
            self.line.send(self.carry_out(order))

    def carry_out(self, order: Order) -> Outcome | Failed | None:
        try:
            desk = self.desk or self.open()
            with self.connection.cursor(binary=True) as cursor:
                now = sql_sending.now(cursor, order.workspace.id)
            where = order.workspace, order.channel, now
            pace = self.wait_for_turn if order.is_paced else partial(self.rests.is_over, order.pace)
            return deliver_remote(
                self.connection,
                desk,
                *where,
                limit=order.limit,
                is_urgent=order.is_urgent,
                more=self.say_more,
                pace=pace,
            )
        except (psycopg.OperationalError, errors.Unavailable) as error:
            self.let_go()
            return Failed(str(error).partition("\n")[0], is_of_database=True)
        except Exception as error:
            log.exception("delivery_failed", workspace=order.workspace.id, channel=order.channel)
            self.let_go()
            return Failed(f"{type(error).__name__}: {error}", is_of_database=False)

    def open(self) -> Desk:
        outside = Outside(self.config.allow_private_targets)
        self.held.callback(outside.close)
        self.connection = self.held.enter_context(sql_sending.connected(self.config.database_url))
        fetching = Fetching(self.config.database_url, Asker(self.config.allow_private_targets))
        self.held.callback(fetching.close)
        self.desk = Desk.of(self.connection, self.config.links_base, self.config.secret, outside, fetching)
        return self.desk

    def let_go(self) -> None:
        self.desk = None
        self.held.close()
        for provider in all_providers().values():
            provider.close()

    def say_more(self) -> None:
        self.line.send(MORE)

    def wait_for_turn(self) -> bool:
        self.line.send(TURN)
        return self.line.recv()
