"""What simulated marketers publish: rules that stand on time, journeys of every kind of step, and their changes."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

VIEWED, BOUGHT, CANCELLED = "Viewed", "Bought", "Cancelled"
EVENTS = (VIEWED, VIEWED, BOUGHT, BOUGHT, BOUGHT, CANCELLED)

Body = dict[str, Any]


class Change(Struct, frozen=True):
    """One publish. No body: what rules is retired, or takes another status."""

    kind: str
    name: str
    body: Body | None = None
    status: str = "active"


class Shop(Struct, frozen=True):
    """Definitions that rule from the first row on, and changes that may come while the story runs."""

    first: tuple[Change, ...]
    changes: tuple[Change, ...]
    invites: str = ""  # a journey entered by API


RULES: dict[str, Body] = {
    "buyers": {"did": BOUGHT},
    "twice": {"did": BOUGHT, "count": {"gte": 2}, "within": "3d"},
    "quiet": {"did_not": VIEWED, "within": "2d"},
    "spenders": {"sum": {"event": BOUGHT, "property": "total"}, "within": "7d", "gte": 100},
    "once": {"did": BOUGHT, "count": {"is": 1}},
    "monthly": {"did": BOUGHT, "within": "1mo", "count": {"gte": 2}},
    "dear": {"did": BOUGHT, "where": [{"property": "total", "gt": 50}], "within": "5d"},
    "drawn": {"sequence": [{"did": VIEWED}, {"did": BOUGHT, "within": "1d"}], "within": "10d"},
    "lapsed": {"all": [{"in_segment": "buyers"}, {"did_not": BOUGHT, "within": "4d"}]},
    "best": {"all": [{"in_segment": "spenders"}, {"not": {"in_segment": "quiet"}}]},
    "hot": {"any": [{"in_segment": "twice"}, {"did": VIEWED, "count": {"gt": 3}, "within": "12h"}]},
    "reachable": {"not": {"consent": {"channel": "email"}, "is": "opted_out"}},
    "gold": {"trait": "plan", "is": "gold"},
}


def _send(step: str, template: str, **more: Any) -> Body:
    return {"id": step, "send": {"channel": "email", "template": template, **more}}


JOURNEYS: dict[str, Body] = {
    "welcome": {
        "entry": {"on": {"event": BOUGHT}, "again": "never"},
        "exit": [{"event": CANCELLED}],
        "goal": {"event": BOUGHT, "within": "6d"},
        "steps": [
            {"id": "pause", "delay": "2h"},
            _send("hello", "hello", topic="news"),
            {"id": "second", "wait_for": [{"event": BOUGHT, "next": "end"}], "timeout": "2d", "else": "nudge"},
            _send("nudge", "hello", topic="news"),
        ],
    },
    "win_back": {
        "entry": {"on": {"segment_entered": "lapsed"}, "again": {"after": "5d"}, "holdout": 20},
        "exit": [{"event": BOUGHT}],
        "steps": [
            _send("miss", "hello", topic="news", expires="1d"),
            {"id": "night", "delay": {"days": 1}},
            {
                "id": "worth",
                "branch": [{"when": {"did": BOUGHT, "count": {"gte": 3}}, "next": "call"}],
                "else": "end",
            },
            _send("call", "hello"),
        ],
    },
    "order": {
        "entry": {"on": {"event": BOUGHT}, "key": "properties.order_id", "again": "always"},
        "exit": [{"event": CANCELLED}],
        "steps": [{"id": "day", "delay": "1d"}, _send("receipt", "receipt", transactional=True)],
    },
    "morning": {
        "entry": {"on": {"event": VIEWED}, "again": "after_exit"},
        "exit": [{"opted_out": "email"}],
        "steps": [{"id": "early", "delay": {"at": "02:30"}}, _send("good", "hello", topic="news")],
    },
    "invited": {
        "entry": {"on": {"api": True}, "again": "always"},
        "steps": [
            _send("now", "hello"),
            {"id": "answer", "wait_for": [{"event": VIEWED, "next": "thanks"}], "timeout": "12h", "else": "end"},
            _send("thanks", "receipt", transactional=True),
        ],
    },
    "keep": {
        "entry": {"on": {"segment_entered": "twice"}, "again": "after_exit"},
        "exit": [{"segment_left": "twice"}],
        "steps": [{"id": "rest", "delay": "36h"}, _send("keep", "hello", topic="news")],
    },
}

HELLO = {"channel": "email", "subject": "Hello", "body": "<p>Hello</p>", "format": "liquid+html"}
SHORT = {"did_not": VIEWED, "within": "1d"}

POLICY = {
    "caps": [{"channel": "email", "max": 1, "per": "1d", "window": "sliding", "then": "hold"}],
    "quiet_hours": {"from": "21:00", "to": "08:00", "then": "hold"},
}
CAMPAIGN = {"segment": "buyers", "send": {"channel": "email", "template": "hello", "topic": "news", "expires": "2d"}}

TEMPLATES: dict[str, Body] = {
    "hello": HELLO,
    "receipt": {"channel": "email", "subject": "Thank you", "body": "<p>Thank you</p>", "format": "liquid+html"},
}


def _shop(segments: str, journeys: str, *changes: Change, invites: str = "", policy: bool = False) -> Shop:
    first = [Change("template", name, body) for name, body in TEMPLATES.items()]
    first += [Change("segment", name, {"where": RULES[name]}) for name in segments.split()]
    first += [Change("journey", name, JOURNEYS[name]) for name in journeys.split()]
    if "buyers" in segments:
        first.append(Change("campaign", "letter", CAMPAIGN, "ready"))
    if policy:
        first.append(Change("policy", "policy", POLICY))
    return Shop(tuple(first), changes, invites)


def _segment(name: str, rule: Body | None = None) -> Change:
    return Change("segment", name, {"where": rule or RULES[name]})


def _journey(name: str, status: str = "active", *, is_new: bool = False) -> Change:
    return Change("journey", name, JOURNEYS[name] if is_new else None, status)


def _rules(policy: Body | None) -> Change:
    return Change("policy", "policy", policy)


SHOPS = (
    _shop("buyers lapsed quiet twice", "welcome win_back", _segment("spenders"), _journey("order", is_new=True)),
    _shop("buyers spenders quiet best", "order", _segment("twice"), _segment("quiet", SHORT), policy=True),
    _shop("twice monthly dear once", "morning keep", _journey("keep", "paused"), _journey("keep")),
    _shop("buyers lapsed drawn reachable", "welcome morning", _journey("welcome", "stopped"), _segment("dear")),
    _shop("twice hot gold quiet", "invited keep", Change("segment", "hot"), _segment("hot"), invites="invited"),
    _shop("", "welcome order", _segment("buyers"), _segment("lapsed"), _journey("win_back", is_new=True)),
    _shop("buyers lapsed monthly", "win_back morning", Change("template", "hello", HELLO), _segment("once")),
    _shop("drawn spenders best", "invited order", _journey("order", "paused"), _journey("order"), invites="invited"),
    _shop("buyers twice", "invited welcome morning", _rules(None), invites="invited", policy=True),
    _shop("buyers quiet", "invited keep", _rules(POLICY), _journey("invited", "paused"), invites="invited"),
)  # fmt: skip
