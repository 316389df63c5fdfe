"""`latency`: from an event accepted to its message in the outbox, and through SMTP, at a fixed arrival rate."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
from rich.console import Console

from kizuna.bench import workload
from kizuna.bench.house import House, fsync_quantiles, quantile
from kizuna.bench.sink import sink
from kizuna.core.errors import Unavailable
from kizuna.runtime.database import connect

FEW, MANY = 50, 500  # triggers a second
SECONDS_FEW, SECONDS_MANY = 20, 10
CONNECTIONS = 32
PATIENCE = 0.02  # seconds without a word from the sender, after which a message is looked for all the same
SLOWEST = 10.0  # seconds after the last trigger in which its message must have come
P50_LIMIT, P99_LIMIT = 12.0, 100.0  # milliseconds, beside five times the fsync


def run(house: House, screen: Console) -> Iterator[str]:
    house.call("PUT", "/api/v1/templates/hello", workload.TEMPLATE)
    journey = {
        "entry": {"on": {"event": "Trigger"}, "again": "always"},
        "steps": [{"id": "now", "send": {"channel": "email", "template": "hello", "topic": "news"}}],
    }
    house.call("PUT", "/api/v1/journeys/trigger", journey)
    house.call("POST", "/api/v1/journeys/trigger/publish", {})
    _introduce(house, MANY * SECONDS_MANY)
    for rate, seconds in ((FEW, SECONDS_FEW), (MANY, SECONDS_MANY)):
        screen.print(f"{rate} triggers a second for {seconds} s into the outbox ...")
        yield from _outbox(house, rate, rate * seconds)
    screen.print(f"{MANY} triggers a second for {SECONDS_MANY} s through SMTP ...")
    yield from _smtp(house, MANY, MANY * SECONDS_MANY)


def _introduce(house: House, count: int) -> None:
    people = [
        {"type": "identify", "userId": f"t-{n}", "traits": {"email": _address(n), "name": f"T {n}"}}
        for n in range(count)
    ]
    with httpx.Client(base_url=house.url, auth=(house.write_key, ""), timeout=30, trust_env=False) as client:
        for body in workload.requests(people):
            client.post("/v1/batch", content=body).raise_for_status()
    time.sleep(1)


def _address(number: int) -> str:
    return f"t-{number}@shop.example"


def _outbox(house: House, rate: int, count: int) -> Iterator[str]:
    before = fsync_quantiles(house.data)
    arrived: dict[str, int] = {}
    done = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_watch, house, arrived, done, count)
        accepted = asyncio.run(_trigger(house, rate, count))
        done.wait(SLOWEST)
        done.set()
    yield from _told(f"outbox at {rate}/s", rate, accepted, arrived, before, fsync_quantiles(house.data))


def _smtp(house: House, rate: int, count: int) -> Iterator[str]:
    with sink() as server:
        settings = {"host": "127.0.0.1", "port": server.port, "tls": "none", "from": "Shop <news@shop.example>"}
        house.call("PUT", "/api/v1/providers/mail", {"kind": "smtp", "channel": "email", "settings": settings})
        before = fsync_quantiles(house.data)
        accepted = asyncio.run(_trigger(house, rate, count))
        last = max(accepted.values())
        with house.client() as client:
            while time.time() < last / 1_000_000 + SLOWEST:
                left = client.get("/api/v1/messages", params={"state": "planned", "limit": 1}).json()["items"]
                left += client.get("/api/v1/messages", params={"state": "handed", "limit": 1}).json()["items"]
                if not left:
                    break
                time.sleep(0.2)
        server.close()
        yield from _told(f"smtp at {rate}/s", rate, accepted, server.arrived, before, fsync_quantiles(house.data))


def _told(
    name: str,
    rate: int,
    accepted: dict[str, int],
    arrived: dict[str, int],
    before: tuple[float, float],
    after: tuple[float, float],
) -> Iterator[str]:
    taken = [(arrived[who] - at) / 1000 for who, at in accepted.items() if who in arrived]
    taken = taken[rate:]  # the first second warms up
    p50, p99 = quantile(taken, 0.5), quantile(taken, 0.99)
    fsync50, fsync99 = (before[0] + after[0]) / 2, (before[1] + after[1]) / 2
    yield f"{name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms; {len(accepted) - len(arrived)} of {len(accepted)} missing"
    limits = f"{P50_LIMIT + 5 * fsync50:.1f} ms and {P99_LIMIT + 5 * fsync99:.1f} ms"
    yield f"{name}: limits {limits}, fsync p50 {fsync50:.2f} ms and p99 {fsync99:.2f} ms beside it"


# triggering ----------------------------------------------------------------------------------------------------------


async def _trigger(house: House, rate: int, count: int) -> dict[str, int]:
    """Send at a fixed rate, whatever the answers take; address to the instant of the answer, in microseconds."""
    place = urlsplit(house.url)
    key = base64.b64encode(f"{house.write_key}:".encode()).decode()
    head = f"POST /v1/track HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Basic {key}\r\n"
    opened = [await asyncio.open_connection(place.hostname, place.port) for _ in range(CONNECTIONS)]
    free: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.LifoQueue()
    for pair in opened:
        free.put_nowait(pair)
    accepted: dict[str, int] = {}

    async def one(number: int) -> None:
        body = json.dumps({"event": "Trigger", "userId": f"t-{number}"})
        reader, writer = await free.get()
        kind = "Content-Type: application/json"
        writer.write(f"{head}{kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        accepted[_address(number)] = time.time_ns() // 1000
        if not answer.startswith(b"HTTP/1.1 200"):
            raise Unavailable(f"ingest answered {answer.decode(errors='replace')}")
        length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        free.put_nowait((reader, writer))

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            group.create_task(one(number))
    for _, writer in opened:
        writer.close()
    return accepted


def _watch(house: House, arrived: dict[str, int], done: threading.Event, count: int) -> None:
    """Note when another connection first sees a message: committed, not merely written.

    It looks when the sender says that it committed, or else after `PATIENCE`: asking all the time would take from
    what is measured.
    """
    with (
        connect(house.database_url, name="kizuna bench", autocommit=True) as connection,
        connect(house.database_url, name="kizuna bench", autocommit=True) as ear,
    ):
        senders = {
            row[0]
            for row in connection.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'kizuna send'")
        }
        found = connection.execute("SELECT max(outbox), max(outbox_at) FROM message").fetchone() or (None, None)
        last, at = found[0] or 0, found[1] or 0
        ear.execute("LISTEN kizuna_log")
        while len(arrived) < count and not done.is_set():
            rows = connection.execute(
                "SELECT m.outbox, m.outbox_at, m.address FROM workspace w JOIN message m ON m.workspace = w.id"
                " WHERE m.outbox IS NOT NULL AND m.outbox_at >= %s AND m.outbox > %s ORDER BY m.outbox",
                [at, last],
            ).fetchall()
            seen = time.time_ns() // 1000
            arrived.update((to, seen) for _, _, to in rows)
            if rows:
                last, at, _ = rows[-1]
            until = time.monotonic() + PATIENCE
            while (left := until - time.monotonic()) > 0:
                if any(each.pid in senders for each in ear.notifies(timeout=left, stop_after=1)):
                    break
    done.set()
