"""The peer of `journeys`: DBOS, a workflow for each customer whose steps are durable one by one, on the same server."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import psycopg

MODULE = "dbos"  # no dependency of ours: whoever wants the ratio installs it beside
STEPS = 10  # of one workflow
THREADS = 8
SECONDS = 10.0


def is_installed() -> bool:
    return find_spec(MODULE) is not None


def steps_per_second(database_url: str) -> float:
    """Durable steps a second over some seconds, after a warm-up."""
    server = database_url.replace("/kizuna?", "/postgres?", 1)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE durable_peer")
    dbos: Any = import_module(MODULE).DBOS
    dbos(
        config={
            "name": "bench",
            "system_database_url": database_url.replace("/kizuna?", "/durable_peer?", 1),
            "log_level": "ERROR",
        }
    )

    @dbos.step()
    def step() -> None:
        """A step that does nothing but be remembered."""

    @dbos.workflow()
    def walk() -> None:
        for _ in range(STEPS):
            step()

    dbos.launch()
    try:
        walk()
        began = time.perf_counter()
        with ThreadPoolExecutor(THREADS) as pool:
            done = sum(pool.map(lambda _: _walk_until(walk, began + SECONDS), range(THREADS)))
        return done * STEPS / (time.perf_counter() - began)
    finally:
        dbos.destroy()


def _walk_until(walk: Any, end: float) -> int:
    done = 0
    while time.perf_counter() < end:
        walk()
        done += 1
    return done
