"""What the demo's marketer published before the year began."""

from __future__ import annotations

from typing import Any

ORDER = "Order Completed"

SEGMENTS: dict[str, dict[str, Any]] = {
    "new": {
        "title": "New: first order within 30 days",
        "where": {"all": [{"did": ORDER, "within": "30d"}, {"did": ORDER, "count": {"lte": 1}}]},
    },
    "active": {"title": "Active: ordered within 90 days", "where": {"did": ORDER, "within": "90d"}},
    "lapsing": {
        "title": "Lapsing: no order for 90 days",
        "where": {"all": [{"did_not": ORDER, "within": "90d"}, {"did": ORDER, "within": "180d"}]},
    },
    "lost": {
        "title": "Lost: no order for 180 days",
        "where": {"all": [{"did": ORDER}, {"did_not": ORDER, "within": "180d"}]},
    },
    "champions": {
        "title": "Champions: 5 orders and 2,000 GBP within 365 days",
        "where": {
            "all": [
                {"did": ORDER, "count": {"gte": 5}, "within": "365d"},
                {"sum": {"event": ORDER, "property": "revenue"}, "within": "365d", "gte": 2000},
            ]
        },
    },
}


def _mail(subject: str, *paragraphs: str) -> dict[str, Any]:
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    foot = '<p style="color:#666;font-size:13px"><a href="{{ message.unsubscribe_url }}">Unsubscribe</a></p>'
    head = '<div style="font-family:sans-serif;max-width:34em;margin:0 auto;line-height:1.6">'
    return {
        "channel": "email",
        "subject": subject,
        "body": f"{head}{body}{foot}</div>",
        "format": "liquid+html",
    }


TEMPLATES: dict[str, dict[str, Any]] = {
    "welcome": _mail(
        "Thank you for your first order, {{ profile.traits.name }}",
        "Dear {{ profile.traits.name }},",
        "your order {{ event.properties.order_id }} over {{ event.properties.revenue }} "
        "{{ event.properties.currency }} is on its way. It is good to have you with us.",
    ),
    "second_order": _mail(
        "Made for what you chose",
        "Dear {{ profile.traits.name }},",
        "a few new things arrived that go well with your first order. Have a look when you have a quiet minute.",
    ),
    "we_miss_you": _mail(
        "It has been a while, {{ profile.traits.name }}",
        "Dear {{ profile.traits.name }},",
        "your last order was three months ago. We kept a place for you: reply to this mail and tell us what you need.",
    ),
    "last_call": _mail(
        "Shall we stay in touch?",
        "Dear {{ profile.traits.name }},",
        "we write only to people who like to hear from us. If that is you, come and say hello.",
    ),
    "monthly_a": _mail(
        "New this month",
        "Dear {{ profile.traits.name }},",
        "here is what is new in the shop this month, chosen by the people who pack your parcels.",
    ),
    "monthly_b": _mail(
        "{{ profile.traits.name }}, three things worth a look",
        "Dear {{ profile.traits.name }},",
        "three things our customers in {{ profile.traits.country }} liked best this month.",
    ),
}

JOURNEYS: dict[str, dict[str, Any]] = {
    "welcome": {
        "entry": {"on": {"event": ORDER}, "again": "never"},
        "goal": {"event": ORDER, "within": "60d", "value": "properties.revenue"},
        "steps": [
            {"id": "pause", "delay": "2h"},
            {"id": "hello", "send": {"channel": "email", "template": "welcome", "topic": "service"}},
            {"id": "second", "wait_for": [{"event": ORDER, "next": "end"}], "timeout": "21d", "else": "nudge"},
            {"id": "nudge", "send": {"channel": "email", "template": "second_order", "topic": "news"}},
        ],
    },
    "win_back": {
        "entry": {"on": {"segment_entered": "lapsing"}, "again": {"after": "90d"}, "holdout": 10},
        "exit": [{"event": ORDER}],
        "goal": {"event": ORDER, "within": "30d", "value": "properties.revenue"},
        "steps": [
            {"id": "miss", "send": {"channel": "email", "template": "we_miss_you", "topic": "news"}},
            {"id": "wait", "delay": "14d"},
            {
                "id": "worth",
                "branch": [{"when": {"did": ORDER, "count": {"gte": 3}}, "next": "call"}],
                "else": "end",
            },
            {"id": "call", "send": {"channel": "email", "template": "last_call", "topic": "news"}},
        ],
    },
}

CAMPAIGNS: dict[str, dict[str, Any]] = {
    "monthly": {
        "segment": "active",
        "send": {"channel": "email", "template": "monthly_a", "topic": "news"},
        "schedule": "now",
        "variants": [
            {"name": "a", "weight": 50, "template": "monthly_a"},
            {"name": "b", "weight": 50, "template": "monthly_b"},
        ],
    }
}
