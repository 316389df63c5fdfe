"""All feeds of an installation, each in a thread of its own: one whose target is dead keeps nobody else waiting."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import psycopg
import structlog
from psycopg import Connection

from kizuna.config import Config
from kizuna.core.errors import Unavailable
from kizuna.feeds import Place, all_targets, store
from kizuna.feeds.feed import Feed, held_of, settings_of, written
from kizuna.feeds.follow import Follower, Route
from kizuna.providers import vault
from kizuna.providers.http import Outside
from kizuna.runtime.database import connect

LOCK = 0x6B697A756E62  # one teller an installation
LOG, PUBLISHED = "kizuna_log", "kizuna_fill"  # the channels that tell of new rows, and of new definitions
LONGEST_SLEEP = 30.0  # for a notification that was lost
PAUSE = 0.02  # between looks while the log grows
RETRY = 1.0

Key = tuple[int, str]

log = structlog.get_logger()


def tell(config: Config, pause: threading.Event) -> None:
    """Tell all feeds, for ever; raises when the database does not answer."""
    url = config.database_url
    with connect(url, name="kizuna feeds", autocommit=True) as connection, connect(url, autocommit=True) as ear:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        ear.execute(f"LISTEN {PUBLISHED}")
        tellers = Tellers(config)
        hears_log = False
        try:
            while True:
                tellers.look(connection)
                if bool(tellers.running) != hears_log:  # without feeds the log is nobody's concern here
                    hears_log = not hears_log
                    ear.execute(f"LISTEN {LOG}" if hears_log else f"UNLISTEN {LOG}")
                    continue
                while _heard(ear, pause) == {LOG}:  # nothing was published: nobody need look
                    tellers.wake()
        finally:
            tellers.close()


def _heard(ear: Connection[Any], pause: threading.Event) -> set[str]:
    """The channels that spoke, in a moment in which many may; none when it was silent for long."""
    spoke = {told.channel for told in ear.notifies(timeout=LONGEST_SLEEP, stop_after=1)}
    if spoke:
        pause.wait(PAUSE)
        spoke |= {told.channel for told in ear.notifies(timeout=0)}
    return spoke


class Tellers:
    """The threads that tell, by feed."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.outside = Outside(config.allow_private_targets)
        self.running: dict[Key, Teller] = {}

    def look(self, connection: Connection[Any]) -> None:
        """Start what is new, end what is gone or was published anew, wake all."""
        found = {(each.workspace, each.name): each for each in store.published(connection)}
        for key, teller in list(self.running.items()):
            if key not in found or found[key].body != teller.body:
                self.running.pop(key).close()
        for key, published in found.items():
            if key in self.running:
                continue
            try:
                route = self._route(connection, published)
            except (psycopg.OperationalError, Unavailable):
                raise
            except (
                Exception
            ):  # one that cannot be read, as after a change of the secret, keeps no other from being told
                log.exception("feed_unreadable", workspace=published.workspace, feed=published.name)
                continue
            self.running[key] = Teller(self.config.database_url, published.body, route)
        self.wake()

    def wake(self) -> None:
        """There is something new to tell."""
        for teller in self.running.values():
            teller.wake()

    def _route(self, connection: Connection[Any], published: store.Published) -> Route:
        secrets = vault.secrets_of(store.secret(connection), self.config.secret)
        feed = msgspec.convert(written(published.body), Feed)
        target = all_targets()[feed.to["kind"]]
        settings = settings_of(target, feed.to | held_of(published.body, secrets, published.workspace))
        place = Place(published.workspace, published.name, self.config.data / "exports", self.outside)
        return Route(feed, target, settings, place)

    def close(self) -> None:
        for teller in self.running.values():
            teller.close()
        self.running.clear()
        self.outside.close()


class Teller:
    """One feed's thread. It connects when there is something to look at, and lets go when there is not."""

    def __init__(self, url: str, body: dict[str, Any], route: Route) -> None:
        self.url, self.body, self.route = url, body, route
        self._called = threading.Event()
        self._stopped = threading.Event()
        name = f"feed-{route.place.workspace}-{route.place.name}"
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        self._called.set()

    def _work(self) -> None:
        follower = Follower(self.route)
        while not self._stopped.is_set():
            try:
                with connect(self.url, name="kizuna feed", autocommit=True) as connection:
                    self._tell(connection, follower)
            except (psycopg.OperationalError, Unavailable) as error:
                log.warning("feed_restarts", feed=self.route.place.name, reason=str(error).partition("\n")[0])
            except Exception:
                log.exception("feed_failed", feed=self.route.place.name)
            self._stopped.wait(RETRY)

    def _tell(self, connection: Connection[Any], follower: Follower) -> None:
        while not self._stopped.is_set():
            self._called.clear()
            wait = follower.turn(connection)
            if wait != 0:
                self._called.wait(wait)

    def close(self) -> None:
        """It ends after the piece under way."""
        self._stopped.set()
        self._called.set()
