"""`pipeline`: events per second over HTTP until settled, beside a peer that does storage only."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console

from kizuna.bench import workload
from kizuna.bench.house import House
from kizuna.bench.peer import Peer
from kizuna.core.errors import Unavailable
from kizuna.runtime.database import connect

ROUNDS = 5
EVENTS = 100_000  # a round and side
SENDERS = 4


def run(house: House, screen: Console) -> Iterator[str]:
    screen.print("publishing 100 segments and 5 journeys, making 200,000 profiles on both sides ...")
    prepare(house)
    everyone = list(workload.people())
    send(house, workload.requests(everyone))
    peer = Peer(house.database_url)
    peer.fill(everyone)
    peer.rest()
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(ROUNDS + 1):
        events = workload.Crowd(number).events(EVENTS)
        bodies = workload.requests(events)
        first = EVENTS / send(house, bodies)
        second = EVENTS / peer.take(bodies)
        screen.print(f"round {number}: {first:,.0f} events/s, peer {second:,.0f}, ratio {first / second:.2f}")
        if number:  # the first round warms both
            ours.append(first)
            theirs.append(second)
    ratio = median(one / other for one, other in zip(ours, theirs, strict=True))
    size, messages = figures(house)
    yield f"{median(ours):,.0f} events/s; peer {median(theirs):,.0f}; ratio {ratio:.2f} (median of {ROUNDS})"
    yield f"mean record {size:,.0f} bytes; {messages:,} messages planned; 200,000 profiles, 40,000 records cached"


def prepare(house: House) -> None:
    house.call("PUT", "/api/v1/templates/hello", workload.TEMPLATE)
    for name, body in workload.segments().items():
        house.call("PUT", f"/api/v1/segments/{name}", body)
    for name, body in workload.journeys().items():
        house.call("PUT", f"/api/v1/journeys/{name}", body)
        house.call("POST", f"/api/v1/journeys/{name}/publish", {})


def send(house: House, bodies: list[bytes]) -> float:
    """Seconds from the first request until all that follows from the last is settled."""
    began = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as pool:
        positions = list(pool.map(lambda own: _send(house, own), [bodies[i::SENDERS] for i in range(SENDERS)]))
    last = max(positions)
    with house.client() as client:
        while True:
            answer = client.get("/api/v1/workspace", params={"after": str(last), "wait": "60s"})
            if answer.status_code != 504:
                answer.raise_for_status()
                return time.perf_counter() - began


def _send(house: House, bodies: list[bytes]) -> int:
    """By the plainest client there is: what it costs is taken from the cores that it measures."""
    where = urlsplit(house.url)
    key = b64encode(f"{house.write_key}:".encode()).decode()
    headers = {"Authorization": f"Basic {key}", "Content-Type": "application/json"}
    position = 0
    with closing(HTTPConnection(where.hostname or "", where.port, timeout=120)) as client:
        for body in bodies:
            while True:
                client.request("POST", "/v1/batch", body, headers)
                answer = client.getresponse()
                said = answer.read()
                if answer.status != 429:
                    break
                time.sleep(float(answer.headers["Retry-After"]))
            if answer.status != 200:
                raise Unavailable(f"ingest answered {answer.status}: {said[:300]!r}")
            position = max(position, int(answer.headers["Kizuna-Position"]))
    return position


def figures(house: House) -> tuple[float, int]:
    """Mean bytes of a record's sections and traits, and the messages planned."""
    with connect(house.database_url, name="kizuna bench") as connection:
        sections = ("profiles", "consent", "segments", "journeys", "campaigns", "messages", "traits")
        size = " + ".join(f"coalesce(pg_column_size({name}), 0)" for name in sections)
        row: Any = connection.execute(f"SELECT avg({size})::float8 FROM profile").fetchone()  # type: ignore[arg-type]  # noqa: S608
        messages: Any = connection.execute("SELECT count(*) FROM message").fetchone()
    return row[0], messages[0]
