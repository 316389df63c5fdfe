"""The load of `pipeline`: people by Zipf, 20 event names, 100 segments, 5 journeys that send."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

PROFILES = 200_000
EVENTS = [f"Event {number:02d}" for number in range(20)]
SEGMENTS = 100
JOURNEYS = 5
REQUEST = 200  # events a request


def segments(count: int = SEGMENTS, names: Sequence[str] = EVENTS) -> dict[str, dict[str, Any]]:
    """Rules of two leaves: of 100 over 20 names an event touches about 9 leaves; 30 % of them look back a window."""
    rules: dict[str, dict[str, Any]] = {}
    for number in range(count):
        first, second = names[number % len(names)], names[(number * 7 + 3) % len(names)]
        within = {"within": f"{7 + number % 60}d"} if number % 10 < 3 else {}
        turn = number // len(names)  # so that few rules share a leaf
        leaves: list[dict[str, Any]] = [{"did": first, "count": {"gte": 2 + 2 * turn}, **within}]
        if number % 4 == 0:
            leaves.append({"sum": {"event": second, "property": "total"}, "gte": 1000 + 50 * number, **within})
        else:
            leaves.append({"did": second, "count": {"gte": 1 + 2 * turn}, **within})
        rules[f"s{number:03d}"] = {"title": f"Rule {number}", "where": {"all" if number % 2 else "any": leaves}}
    return rules


def journeys() -> dict[str, dict[str, Any]]:
    """Five that begin on an event, wait a little, and send."""
    return {
        f"j{number}": {
            "entry": {"on": {"event": EVENTS[number]}, "again": "never"},
            "exit": [{"event": EVENTS[number + 10]}],
            "steps": [
                {"id": "now", "send": {"channel": "email", "template": "hello", "topic": "news"}},
                {"id": "wait", "delay": "1d"},
                {"id": "later", "send": {"channel": "email", "template": "hello", "topic": "news"}},
            ],
        }
        for number in range(JOURNEYS)
    }


TEMPLATE = {
    "channel": "email",
    "subject": "Hello {{ profile.traits.name }}",
    "body": "<p>Thank you for {{ event.event }}.</p>",
    "format": "liquid+html",
}


class Crowd:
    """Draws events; the same seed draws the same."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  # a load, not a secret
        weights = 1.0 / np.arange(1, PROFILES + 1)
        self.cumulative = np.cumsum(weights / weights.sum())
        self.draws = np.random.default_rng(seed)
        self.number = 0

    def events(self, count: int) -> list[dict[str, Any]]:
        people = np.searchsorted(self.cumulative, self.draws.random(count))
        now = time.time()
        made = []
        for who in people:
            self.number += 1
            made.append(
                {
                    "type": "track",
                    "event": EVENTS[self.number * 7919 % 20],
                    "userId": f"person-{who}",
                    "messageId": f"b-{self.number}-{self.chance.getrandbits(64):x}",
                    "timestamp": now,
                    "properties": {
                        "order_id": f"o-{self.number}",
                        "total": round(self.chance.uniform(5, 300), 2),
                        "currency": "JPY",
                        "sku": f"sku-{self.number % 997}",
                        "channel": "web",
                    },
                }
            )
        return made


def people() -> Iterator[dict[str, Any]]:
    """Everyone once, so that the run begins with all profiles there."""
    for who in range(PROFILES):
        yield {
            "type": "identify",
            "userId": f"person-{who}",
            "messageId": f"p-{who}",
            "traits": {"name": f"Person {who}", "email": f"person-{who}@shop.example", "country": "JP"},
        }


def requests(events: list[dict[str, Any]]) -> list[bytes]:
    return [json.dumps({"batch": events[i : i + REQUEST]}).encode() for i in range(0, len(events), REQUEST)]
