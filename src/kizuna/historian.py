"""The process that keeps history and watch: writes the log to the lake, fills in what new rules ask of the past, hands
out campaigns, tells feeds and looks after alarms: all that may wait a moment while customers do things."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable

import psycopg
import structlog

from kizuna.alarms import store as alarms
from kizuna.alarms.tell import tell
from kizuna.alarms.watch import watch
from kizuna.campaigns.run import run_next as run_campaigns
from kizuna.config import Config
from kizuna.core.errors import Unavailable
from kizuna.engine import sql_seen
from kizuna.engine import store as engine
from kizuna.engine.program import Programs
from kizuna.feeds.run import tell as tell_feeds
from kizuna.folds import FOLDS
from kizuna.journeys.reweigh import reweigh_all
from kizuna.messages import sql_allowance, sql_told, sql_touch
from kizuna.runtime import archiver
from kizuna.runtime.database import Database, connect
from kizuna.runtime.lake.query import Lake
from kizuna.segments.fill import store
from kizuna.segments.fill.run import run_next

LONGEST_SLEEP = 60.0
WAITING_SLEEP = 0.02  # while a publish waits to be folded
RETRY = 1.0
WATCH_EVERY = 15.0
SWEEP_EVERY = 3600.0
LEARN_EVERY = 600.0  # seconds: as often the splits that learn are given new weights

log = structlog.get_logger()


def main(config: Config) -> None:
    """Archive in the main thread, which is told to stop; the others end with it."""
    os.nice(10)  # live work comes first; history can wait a moment
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy only sorts here: it needs no threads that wait
    jobs = {
        "fill": _fill_on,
        "campaigns": _campaigns_on,
        "watch": _watch_on,
        "learn": _learn_on,
        "feeds": tell_feeds,
        "sweep": _sweep_on,
    }
    for name, job in jobs.items():
        threading.Thread(target=_again, args=[name, job, config], daemon=True, name=name).start()
    archiver.main(config)


def _again(name: str, job: Callable[[Config, threading.Event], None], config: Config) -> None:
    """Run a job that does not end by itself."""
    pause = threading.Event()
    while True:
        try:
            job(config, pause)
        except (psycopg.OperationalError, Unavailable) as error:
            log.warning(f"{name}_restarts", reason=str(error).partition("\n")[0])
        except Exception:
            log.exception(f"{name}_failed")
        pause.wait(RETRY)


def _watch_on(config: Config, pause: threading.Event) -> None:
    with connect(config.database_url, name="kizuna watch", autocommit=True) as connection:
        with connection.cursor() as cursor:
            alarms.watch_alone(cursor)
        while True:
            watch(connection, config)
            sql_touch.forget(connection)
            tell(connection, config.secret, config.public_url or config.url)
            pause.wait(WATCH_EVERY)


def _fill_on(config: Config, pause: threading.Event) -> None:
    url = config.database_url
    with connect(url, name="kizuna fill") as connection, connect(url, autocommit=True) as ear:
        ear.execute("LISTEN kizuna_fill")
        lake, programs = Lake(config), Programs(FOLDS, engine.partitions(connection))
        while True:
            if run_next(connection, lake, programs):
                continue
            waiting = store.is_any_waiting(connection)
            connection.commit()
            if waiting:
                pause.wait(WAITING_SLEEP)
            else:
                next(ear.notifies(timeout=LONGEST_SLEEP, stop_after=1), None)


def _campaigns_on(config: Config, pause: threading.Event) -> None:
    url = config.database_url
    with connect(url, name="kizuna campaigns") as connection, connect(url, autocommit=True) as ear:
        ear.execute("LISTEN kizuna_launch")
        lake, programs = Lake(config), Programs(FOLDS, engine.partitions(connection))
        while True:
            has_moved, next_in = run_campaigns(connection, lake, programs, url)
            if has_moved:
                continue
            if next_in == 0:
                pause.wait(WAITING_SLEEP)
            else:
                next(ear.notifies(timeout=min(next_in or LONGEST_SLEEP, LONGEST_SLEEP), stop_after=1), None)


def _learn_on(config: Config, pause: threading.Event) -> None:
    while True:
        pause.wait(LEARN_EVERY)
        asyncio.run(_learn(config))


async def _learn(config: Config) -> None:
    database = Database(config.database_url, largest=1, name="kizuna learn")
    await database.open()
    try:
        async with database.connection() as conn:
            await reweigh_all(conn)
    finally:
        await database.close()


def _sweep_on(config: Config, pause: threading.Event) -> None:
    """Forget what nobody reads any more, in steps that hold up nobody."""
    while True:
        with connect(config.database_url, name="kizuna sweep", autocommit=True) as connection:
            for forget in (sql_seen.forget, sql_told.forget, sql_allowance.forget):
                while forget(connection):
                    pass
        pause.wait(SWEEP_EVERY)
