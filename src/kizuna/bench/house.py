"""A Kizuna of its own for a bench row: fresh data folder, real processes, gone afterwards."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct
from rich.console import Console

from kizuna.accounts import workspaces
from kizuna.config import Config
from kizuna.core.errors import Unavailable
from kizuna.runtime import folder
from kizuna.runtime.database import Database
from kizuna.supervisor import started

CACHED_RECORDS = 40_000  # of all workers together: a fifth of the profiles of `pipeline`
WORKERS = 2
POSTGRES_MEMORY = 128  # megabytes; the peer's tables lie in the same server


class House(Struct):
    """A running Kizuna with one live workspace."""

    url: str
    database_url: str
    data: Path
    write_key: str
    api_key: str

    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {self.api_key}"}, timeout=300, trust_env=False
        )

    def call(self, method: str, path: str, body: Any = None) -> Any:
        with self.client() as client:
            answer = client.request(method, path, json=body)
        if answer.is_error:
            raise Unavailable(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        return answer.json()


@contextmanager
def house(screen: Console) -> Iterator[House]:
    with tempfile.TemporaryDirectory(prefix="kizuna-bench-") as place:
        data = Path(place) / "data"
        screen.print("starting a Kizuna for the bench ...")
        own = Config(
            data=data, lake_url=str(data / "lake"), port=0, workers=WORKERS, postgres_memory=POSTGRES_MEMORY,
            cached_records=CACHED_RECORDS // WORKERS,
        )  # fmt: skip
        with started(own) as found:
            made = asyncio.run(_workspace(found.database_url))
            yield House(found.url, found.database_url, data, made["write_key"], made["api_key"])


async def _workspace(database_url: str) -> dict[str, str]:
    database = Database(database_url, name="kizuna bench")
    await database.open()
    try:
        return await workspaces.create(database, "bench", zone="Asia/Tokyo", currency="JPY")
    finally:
        await database.close()


def megabytes_of(data: Path, program: str) -> float:
    """What the processes of a program (`work`, `send`) of a Kizuna weigh together: PSS, so that what they share counts
    once."""
    running = folder.read(data)
    if running is None:
        return 0.0
    parents: dict[int, int] = {}
    kilobytes: dict[int, int] = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may end meanwhile
            if f"\0{program}\0".encode() in (place / "cmdline").read_bytes():
                rollup = (place / "smaps_rollup").read_text()
                parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
                kilobytes[int(place.name)] = int(rollup.partition("\nPss:")[2].split()[0])
    ours = {each for each, parent in parents.items() if parent == running.pid}
    ours |= {each for each, parent in parents.items() if parent in ours}
    return sum(kilobytes[each] for each in ours) / 1024


def fsync_quantiles(place: Path, tries: int = 200) -> tuple[float, float]:
    """Median and 99th percentile, in milliseconds, of a write with fdatasync: no commit can be faster."""
    taken: list[float] = []
    path = place / "fsync-probe"
    with path.open("wb") as file:
        for _ in range(tries):
            began = time.perf_counter()
            file.write(b"\0" * 8192)
            file.flush()
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    path.unlink()
    return quantile(taken, 0.5), quantile(taken, 0.99)


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
