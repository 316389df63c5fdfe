"""Replays the year day by day: a day's events are sent, then the clock moves over them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from itertools import groupby
from typing import Any

import httpx

from kizuna.core import clock
from kizuna.core.errors import Unavailable
from kizuna.demo import definitions
from kizuna.demo.shop import ZONE, Invoice, Year, encode, identify

BATCH = 400  # events a request
PATIENCE = 120.0  # seconds in which a Kizuna that is being restarted answers again
PAUSE = 0.1
PASSING = frozenset((429, 502, 503, 504))
IN_PROGRESS = b"idempotency_in_progress"  # what a server that died had begun

Day = tuple[date, list[Invoice]]


class Shop:
    """The demo workspace, reached as any client would. Every call may be repeated: said twice, it is done once."""

    def __init__(self, url: str, write_key: str, api_key: str) -> None:
        self.api = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {api_key}"}, timeout=120, trust_env=False
        )
        self.ingest = httpx.Client(base_url=url, auth=(write_key, ""), timeout=60, trust_env=False)

    def close(self) -> None:
        self.api.close()
        self.ingest.close()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = _until_answered(self.api, method, path, json=body, headers=headers)
        if answer.is_error:
            raise Unavailable(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        return answer.json() if answer.content else None

    def track(self, events: list[dict[str, Any]]) -> None:
        for start in range(0, len(events), BATCH):
            body = encode({"batch": events[start : start + BATCH]})
            kind = {"Content-Type": "application/json"}
            answer = _until_answered(self.ingest, "POST", "/v1/batch", content=body, headers=kind)
            if answer.is_error or answer.json().get("results"):
                raise Unavailable(f"the tracking API answered {answer.status_code}: {answer.text[:500]}")

    def publish(self) -> None:
        """Publish what the marketer made; the same definitions again change nothing."""
        for name, body in definitions.TEMPLATES.items():
            self.call("PUT", f"/api/v1/templates/{name}", body)
        for name, body in definitions.SEGMENTS.items():
            self.call("PUT", f"/api/v1/segments/{name}", body)
        for name, body in definitions.JOURNEYS.items():
            self.call("PUT", f"/api/v1/journeys/{name}", body)
            self.call("POST", f"/api/v1/journeys/{name}/publish", {})
        for name, body in definitions.CAMPAIGNS.items():
            self.call("PUT", f"/api/v1/campaigns/{name}", body)

    def now(self) -> int:
        found = clock.read_time(self.call("GET", "/api/v1/clock")["now"])
        assert found is not None  # noqa: S101  # our own format
        return found

    def move_clock(self, to: int) -> None:
        self.call("POST", "/api/v1/clock", {"to": clock.show(to)})


def _until_answered(client: httpx.Client, method: str, path: str, **request: Any) -> httpx.Response:
    """Ask again while Kizuna is away or busy."""
    last = time.monotonic() + PATIENCE
    while True:
        try:
            answer = client.request(method, path, **request)
            if not _is_passing(answer) or time.monotonic() > last:
                return answer
        except httpx.TransportError as error:
            if time.monotonic() > last:
                raise Unavailable(f"{method} {client.base_url}{path} is not answered: {error}") from None
        time.sleep(PAUSE)


def _is_passing(answer: httpx.Response) -> bool:
    return answer.status_code in PASSING or (answer.status_code == 409 and IN_PROGRESS in answer.content)


def replay(shop: Shop, year: Year, progress: Callable[[date, int, int], None]) -> None:
    """Send what the clock has not passed; a replay that was cut off goes on where the clock stands.

    The last day that the clock did pass is done again: its launch may be missing, and nothing counts twice.
    """
    now = shop.now()
    known: set[str] = set()
    days = list(_days(year))
    for number, (day, invoices) in enumerate(days):
        end = clock.from_local(datetime.combine(day + timedelta(days=1), time_of_day()), ZONE)
        events: list[dict[str, Any]] = []
        for invoice in invoices:
            if not invoice.is_refund and invoice.customer not in known:
                known.add(invoice.customer)
                events.append(identify(invoice))
            events.append(invoice.event())
        if end < now:
            continue
        shop.track(events)
        shop.move_clock(end)
        if (day + timedelta(days=1)).day == 1:
            month = (day + timedelta(days=1)).strftime("%Y-%m")
            shop.call("POST", "/api/v1/campaigns/monthly/launch", {}, **{"Idempotency-Key": f"monthly-{month}"})
        progress(day, number + 1, len(days))


def _days(year: Year) -> Iterator[Day]:
    """Every day from the first order to the last, also those on which the shop was closed."""
    by_day = {day: list(group) for day, group in groupby(year.invoices, key=lambda invoice: invoice.at.date())}
    day, last = min(by_day), max(by_day)
    while day <= last:
        yield day, by_day.get(day, [])
        day += timedelta(days=1)
