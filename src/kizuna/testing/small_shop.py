"""A small part of the demo's year, replayed by a process of its own that says what it is about to ask.

Run as `python -m kizuna.testing.small_shop URL WRITE_KEY API_KEY`, it may be killed and started again at any time.
Further arguments are launches before which it kills itself.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kizuna.core import clock
from kizuna.demo.replay import Shop, replay
from kizuna.demo.shop import Year, read_year

UNTIL = datetime(2011, 4, 3)  # long enough for customers to lapse, and to come back or be written to again
CUSTOMERS = 40
SEED = 1941


def small_year() -> Year:
    """The invoices of some customers, also of a few who order often, from December to April."""
    year = read_year()
    found = [invoice for invoice in year.invoices if invoice.at < UNTIL]
    customers = sorted({invoice.customer for invoice in found})
    chosen = set(random.Random(SEED).sample(customers, CUSTOMERS))  # noqa: S311  # the same ones each time
    return Year([invoice for invoice in found if invoice.customer in chosen], year.rows_read, year.rows_rejected)


class LoudShop(Shop):
    """Says each step of the replay before it asks for it."""

    def __init__(self, url: str, write_key: str, api_key: str, *last: str) -> None:
        super().__init__(url, write_key, api_key)
        self.last = last

    def track(self, events: list[dict[str, Any]]) -> None:
        if events:
            print("track", events[-1]["timestamp"][:10], flush=True)
        super().track(events)

    def move_clock(self, to: int) -> None:
        print("clock", clock.show(to + clock.HOUR)[:10], flush=True)  # the day that begins, also in summer
        super().move_clock(to)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        if path.endswith("/launch"):
            print("launch", headers["Idempotency-Key"], flush=True)
            if headers["Idempotency-Key"] in self.last:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().call(method, path, body, **headers)


def main(arguments: Sequence[str]) -> None:
    shop = LoudShop(*arguments)
    shop.publish()
    replay(shop, small_year(), lambda *_: None)
    shop.close()
    print("done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
