"""`latency`: from an event accepted to its message in the outbox, at a fixed arrival rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
from rich.console import Console

from kizuna.bench import workload
from kizuna.bench.house import House, fsync_quantiles, quantile
from kizuna.runtime.database import connect

RATE = 50  # triggers a second
SECONDS = 20


def run(house: House, screen: Console) -> Iterator[str]:
    house.call("PUT", "/api/v1/templates/hello", workload.TEMPLATE)
    journey = {
        "entry": {"on": {"event": "Trigger"}, "again": "always"},
        "steps": [{"id": "now", "send": {"channel": "email", "template": "hello", "topic": "news"}}],
    }
    house.call("PUT", "/api/v1/journeys/trigger", journey)
    house.call("POST", "/api/v1/journeys/trigger/publish", {})
    screen.print(f"{RATE} triggers a second for {SECONDS} s ...")
    before = fsync_quantiles(house.data)
    arrived: dict[str, int] = {}
    done = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_watch, house, arrived, done)
        accepted = _trigger(house, RATE * SECONDS)
        time.sleep(1)
        done.set()
    after = fsync_quantiles(house.data)
    taken = [(arrived[who] - at) / 1000 for who, at in accepted.items() if who in arrived]
    taken = taken[RATE:]  # the first second warms up
    p50, p99 = quantile(taken, 0.5), quantile(taken, 0.99)
    fsync50, fsync99 = (before[0] + after[0]) / 2, (before[1] + after[1]) / 2
    lost = len(accepted) - len(arrived)
    yield f"p50 {p50:.1f} ms, p99 {p99:.1f} ms at {RATE}/s; {lost} of {len(accepted)} missing"
    yield f"fsync p50 {fsync50:.2f} ms, p99 {fsync99:.2f} ms; 20 ms + 5 fsync p50 = {20 + 5 * fsync50:.1f} ms"


def _trigger(house: House, count: int) -> dict[str, int]:
    """Send at a fixed rate, whatever the answers take; user id to the instant of the answer, in microseconds."""
    accepted: dict[str, int] = {}
    with httpx.Client(base_url=house.url, auth=(house.write_key, ""), timeout=30, trust_env=False) as client:
        people = [
            {"type": "identify", "userId": f"t-{n}", "traits": {"email": f"t-{n}@shop.example", "name": f"T {n}"}}
            for n in range(count)
        ]
        for body in workload.requests(people):
            client.post("/v1/batch", content=body).raise_for_status()
        time.sleep(1)
        began = time.perf_counter()
        for number in range(count):
            time.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            answer = client.post("/v1/track", json={"event": "Trigger", "userId": f"t-{number}"})
            answer.raise_for_status()
            accepted[f"t-{number}@shop.example"] = time.time_ns() // 1000
    return accepted


def _watch(house: House, arrived: dict[str, int], done: threading.Event) -> None:
    """Note when another connection first sees a message: committed, not merely written."""
    last = 0
    with connect(house.database_url, name="kizuna bench", autocommit=True) as connection:
        while not done.wait(0.001):
            for number, to in connection.execute(
                "SELECT id, item ->> 'to' FROM outbox WHERE id > %s ORDER BY id", [last]
            ):
                arrived[to] = time.time_ns() // 1000
                last = number
