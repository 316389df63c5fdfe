"""The pages that customers see: plain, without script, in Japanese or English by what their browser asks for."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import NamedTuple

_WORDS = {
    "en": {
        "title": "Unsubscribe",
        "ask": "Do you want to stop receiving these messages?",
        "topic": "Stop messages about “{topic}”",
        "channel": "Stop all messages on this channel",
        "done": "You are unsubscribed. You will receive no more of these messages.",
        "preferences": "Your choices",
        "intro": "Choose what you want to receive.",
        "all": "All messages",
        "opted_in": "You receive this.",
        "neutral": "You receive this.",
        "pending": "Waiting for your confirmation.",
        "opted_out": "You do not receive this.",
        "stop": "Stop",
        "start": "Receive",
        "saved": "Your choice is saved.",
    },
    "ja": {
        "title": "配信停止",
        "ask": "このメッセージの配信を停止しますか。",
        "topic": "「{topic}」の配信を停止する",
        "channel": "このチャネルのすべての配信を停止する",
        "done": "配信を停止しました。今後このメッセージは届きません。",
        "preferences": "配信設定",
        "intro": "受け取るメッセージを選んでください。",
        "all": "すべてのメッセージ",
        "opted_in": "配信中です。",
        "neutral": "配信中です。",
        "pending": "確認待ちです。",
        "opted_out": "配信を停止しています。",
        "stop": "停止する",
        "start": "受け取る",
        "saved": "設定を保存しました。",
    },
}
_STYLE = (
    "body{font:1rem/1.6 system-ui,sans-serif;margin:0;background:#f6f6f4;color:#1b1b1b}"
    "main{max-width:32rem;margin:10vh auto;padding:2rem;background:#fff;border-radius:.75rem}"
    "h1{font-size:1.4rem;margin-top:0}button{font:inherit;padding:.6rem 1.2rem;border:2px solid #1b1b1b;"
    "border-radius:.5rem;background:#1b1b1b;color:#fff;cursor:pointer;margin:.25rem 0;width:100%}"
    "button:focus-visible{outline:3px solid #2a6fdb;outline-offset:2px}form{margin:0}dt{font-weight:600}"
    "dd{margin:0 0 1rem}"
)


class Choosable(NamedTuple):
    """A line of the preference page."""

    topic: str  # empty: the whole channel
    state: str


def language(accept_language: str) -> str:
    """Japanese where it stands before English in Accept-Language, else English."""
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language.split(",")[:20]):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        weighed.append((-weight, place, tag.lower()[:2]))
    return next((tag for weight, _, tag in sorted(weighed) if tag in _WORDS and weight < 0), "en")


def unsubscribe(lang: str, topic: str | None) -> str:
    words = _WORDS[lang]
    buttons = [_button("channel", words["channel"])]
    if topic:
        buttons.insert(0, _button("topic", words["topic"].format(topic=topic)))
    return _page(lang, words["title"], f"<p>{words['ask']}</p>{''.join(buttons)}")


def unsubscribed(lang: str) -> str:
    words = _WORDS[lang]
    return _page(lang, words["title"], f'<p role="status">{words["done"]}</p>')


def preferences(lang: str, choices: Sequence[Choosable], *, saved: bool) -> str:
    words = _WORDS[lang]
    lines = [f'<p role="status">{words["saved"]}</p>' if saved else "", f"<p>{words['intro']}</p><dl>"]
    for choice in choices:
        name = html.escape(choice.topic or words["all"])
        is_out = choice.state == "opted_out"
        wanted, label = ("opted_in", words["start"]) if is_out else ("opted_out", words["stop"])
        lines.append(
            f"<dt>{name}</dt><dd>{words[choice.state]}"
            f'<form method="post"><input type="hidden" name="topic" value="{html.escape(choice.topic)}">'
            f'<button name="state" value="{wanted}" aria-label="{html.escape(label)}: {name}">{label}</button>'
            "</form></dd>"
        )
    return _page(lang, words["preferences"], "".join([*lines, "</dl>"]))


def _button(scope: str, label: str) -> str:
    return f'<form method="post"><button name="unsubscribe" value="{scope}">{html.escape(label)}</button></form>'


def _page(lang: str, title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    )


def style() -> str:
    """What the page's policy must allow by hash."""
    return _STYLE
