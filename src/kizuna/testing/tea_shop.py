"""What a tea shop says in its pages: a template of each kind, in English and Japanese."""

from __future__ import annotations

from typing import Any

TEMPLATES: dict[str, dict[str, Any]] = {
    "offer": {
        "channel": "in_app",
        "subject": "10 % off your second order",
        "body": '<p style="color: #446">Until <b>Sunday</b> all tea is <a href="#sale">cheaper</a>.</p>',
        "image": "/tea.svg",
        "buttons": [{"label": "See the offers", "url": "#offers", "event": "Offer Taken"}, {"label": "Later"}],
        "display": {
            "trigger": {"event": "Product Added", "where": [{"property": "price", "gte": 12}]},
            "layout": "modal",
        },
        "locales": {
            "ja": {
                "subject": "2回目のご注文が10%オフ",
                "body": '<p style="color: #446"><b>日曜日</b>まで、お茶が<a href="#sale">お得</a>です。</p>',
                "buttons": [
                    {"label": "対象の商品を見る", "url": "#offers", "event": "Offer Taken"},
                    {"label": "あとで"},
                ],
            }
        },
    },
    "harvest": {
        "channel": "card",
        "subject": "New harvest",
        "body": "<p>The first sencha of the year is here.</p>",
        "image": "/tea.svg",
        "url": "#sencha",
        "display": {"pinned": True},
        "locales": {"ja": {"subject": "新茶が入荷しました", "body": "<p>今年最初の煎茶をお届けします。</p>"}},
    },
    "points": {
        "channel": "card",
        "subject": "Your points",
        "body": "<p>You have 320 points.</p>",
        "display": {},
        "locales": {"ja": {"subject": "ポイントのお知らせ", "body": "<p>現在320ポイントです。</p>"}},
    },
    "holiday": {
        "channel": "banner",
        "subject": "Closed on Monday",
        "body": "<p>Orders of that day are sent on Tuesday.</p>",
        "display": {"place": "top"},
        "locales": {"ja": {"subject": "月曜日は休業いたします", "body": "<p>当日のご注文は火曜日に発送します。</p>"}},
    },
    "parcel": {
        "channel": "inbox",
        "subject": "Your parcel is on its way",
        "body": "<p>It should be with you on Thursday.</p>",
        "display": {},
        "locales": {"ja": {"subject": "商品を発送しました", "body": "<p>木曜日にお届けの予定です。</p>"}},
    },
    "shipping": {
        "channel": "in_app",
        "subject": "Free shipping from 30 €",
        "body": "<p>You are nearly there.</p>",
        "display": {"trigger": {"page": {"path": "/"}}, "layout": "slide_up", "position": "bottom_right"},
        "locales": {"ja": {"subject": "あと400円で送料無料", "body": "<p>もう少しで送料が無料になります。</p>"}},
    },
    "back": {
        "channel": "push",
        "subject": "Back in stock",
        "body": "Sencha",
        "format": "liquid+text",
        "push": {},
    },
}
