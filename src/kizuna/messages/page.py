"""The pages that customers see: plain, without script, in Japanese or English."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence

from kizuna.messages.choices import Line, Reach

HTML = "text/html"  # the framework adds the charset
_WORDS = {
    "en": {
        "title": "Unsubscribe",
        "ask": "Do you want to stop receiving these messages?",
        "topic": "Stop messages about “{topic}”",
        "channel": "Stop all messages on this channel",
        "done": "You are unsubscribed. You will receive no more of these messages.",
        "more": "Choose what you receive",
        "preferences": "Your choices",
        "intro": "Choose what you want to receive. Messages about your own orders and account may still come.",
        "email": "Mail",
        "push": "Push notifications",
        "letter": "Letters",
        "call": "Phone calls",
        "in_app": "Messages over our pages",
        "card": "News in our pages",
        "banner": "Banners in our pages",
        "inbox": "Inbox in our pages",
        "all": "All messages",
        "received": "You receive this.",
        "pending": "Waiting for your confirmation.",
        "not_received": "You do not receive this.",
        "blocked": "What we sent here came back, so nothing is sent here at present.",
        "stop": "Stop",
        "start": "Receive",
        "saved": "Your choice is saved.",
        "code": "Your code",
        "show": "Show this code in the shop.",
        "confirm": "Confirm your subscription",
        "confirm_open": "Do you want to receive our messages? Without this confirmation nothing is sent.",
        "confirm_yes": "Yes, send me messages",
        "confirm_done": "Thank you. Your subscription is confirmed.",
        "confirm_blocked": "Your choice is saved. But you stopped all messages on this channel earlier, so nothing is"
        " sent until you start them again.",
        "confirm_channel": "Start messages on this channel again",
        "confirm_over": "This link is no longer valid. Please sign up again if you want to receive our messages.",
        "asked": "Please look into your mailbox: we sent you a link to confirm your subscription.",
        "mistyped": "This is not a mail address. Please go back and correct it.",
    },
    "ja": {
        "title": "配信停止",
        "ask": "このメッセージの配信を停止しますか。",
        "topic": "「{topic}」の配信を停止する",
        "channel": "このチャネルのすべての配信を停止する",
        "done": "配信を停止しました。今後このメッセージは届きません。",
        "more": "受け取る内容を選ぶ",
        "preferences": "配信設定",
        "intro": "受け取るメッセージを選んでください。ご注文やアカウントのお知らせは、停止後も届くことがあります。",
        "email": "メール",
        "push": "プッシュ通知",
        "letter": "郵便",
        "call": "お電話",
        "in_app": "サイト内ポップアップ",
        "card": "サイト内のお知らせ",
        "banner": "サイト内バナー",
        "inbox": "サイト内の受信箱",
        "all": "すべてのメッセージ",
        "received": "配信中です。",
        "pending": "確認待ちです。",
        "not_received": "配信していません。",
        "blocked": "お届けできなかったため、現在は配信していません。",
        "stop": "停止する",
        "start": "受け取る",
        "saved": "設定を保存しました。",
        "code": "お客様のコード",
        "show": "店頭でこのコードをお見せください。",
        "confirm": "配信登録の確認",
        "confirm_open": "メッセージの配信を希望しますか。確認いただくまで配信は始まりません。",
        "confirm_yes": "配信を希望する",
        "confirm_done": "ありがとうございます。配信登録が完了しました。",
        "confirm_blocked": "登録内容を保存しました。ただし、以前にこのチャネルのすべての配信を停止されているため、"
        "再開されるまでメッセージは届きません。",
        "confirm_channel": "このチャネルの配信を再開する",
        "confirm_over": "このリンクは無効になっています。配信をご希望の場合は、お手数ですがもう一度ご登録ください。",
        "asked": "確認のメールをお送りしました。メール内のリンクから登録を完了してください。",
        "mistyped": "メールアドレスの形式が正しくありません。前のページに戻り、ご確認のうえ入力し直してください。",
    },
}
_STYLE = (
    "body{font:1rem/1.6 system-ui,sans-serif;margin:0;background:#f6f6f4;color:#1b1b1b;overflow-wrap:anywhere}"
    "main{max-width:32rem;margin:10vh auto;padding:2rem;background:#fff;border-radius:.75rem}"
    "h1{font-size:1.4rem;margin-top:0}h2{font-size:1.1rem;margin:2rem 0 0}"
    "button{font:inherit;padding:.6rem 1.2rem;border:2px solid #1b1b1b;border-radius:.5rem;background:#1b1b1b;"
    "color:#fff;cursor:pointer;margin:.25rem 0;width:100%}"
    "button:focus-visible,a:focus-visible{outline:3px solid #2a6fdb;outline-offset:2px}form{margin:0}a{color:inherit}"
    "ul{list-style:none;margin:0;padding:0}li{padding:1rem 0;border-bottom:1px solid #ddd}h3{font-size:1rem;margin:0}"
    "li p{margin:0}li form{margin-top:.5rem}.start{background:#fff;color:#1b1b1b}.saved{font-weight:600}"
    "@media(min-width:36rem){li{display:flex;gap:1rem;align-items:center;justify-content:space-between}"
    "li form{margin:0;flex:none}li button{width:9rem}}"
    "@media(max-width:36rem){main{margin:0;min-height:100vh;padding:1.25rem;border-radius:0;box-sizing:border-box}}"
)


def language(accept_language: str, locale: str = "") -> str:
    """The customer's own where it is one of ours; else Japanese where it stands before English in Accept-Language,
    else English."""
    own = locale.replace("_", "-").partition("-")[0].lower()
    if own in _WORDS:
        return own
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language.split(",")[:20]):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        weighed.append((-weight, place, tag.lower()[:2]))
    return next((tag for weight, _, tag in sorted(weighed) if tag in _WORDS and weight < 0), "en")


def unsubscribe(lang: str, topic: str | None, choices: str) -> str:
    """`choices` is the address of the preference page."""
    words = _WORDS[lang]
    buttons = [_button("channel", words["channel"])]
    if topic:
        buttons.insert(0, _button("topic", words["topic"].format(topic=topic)))
    return _page(lang, words["title"], f"<p>{words['ask']}</p>{''.join(buttons)}{_more(words, choices)}")


def code(lang: str, shown: str) -> str:
    """What the QR code of a letter leads to where its text has no link."""
    words = _WORDS[lang]
    return _page(lang, words["code"], f"<p><strong>{html.escape(shown)}</strong></p><p>{words['show']}</p>")


def unsubscribed(lang: str, choices: str) -> str:
    words = _WORDS[lang]
    return _page(lang, words["title"], f'<p role="status">{words["done"]}</p>{_more(words, choices)}')


def confirm(lang: str, value: str) -> str:
    """`value` is what the link is worth: `open`, `done`, `blocked` or `over`."""
    words = _WORDS[lang]
    said = words[f"confirm_{value}"]
    if value in ("done", "over"):
        return _page(lang, words["confirm"], f'<p role="status">{said}</p>')
    button, label = ("yes", words["confirm_yes"]) if value == "open" else ("channel", words["confirm_channel"])
    form = f'<form method="post"><button name="confirm" value="{button}">{label}</button></form>'
    status = ' role="status"' if value == "blocked" else ""
    return _page(lang, words["confirm"], f"<p{status}>{said}</p>{form}")


def asked(lang: str) -> str:
    """Of a form that was sent."""
    words = _WORDS[lang]
    return _page(lang, words["confirm"], f'<p role="status">{words["asked"]}</p>')


def mistyped(lang: str) -> str:
    """Of a form whose address cannot be one."""
    words = _WORDS[lang]
    return _page(lang, words["confirm"], f'<p role="alert">{words["mistyped"]}</p>')


def _more(words: dict[str, str], choices: str) -> str:
    return f'<p><a href="{html.escape(choices)}">{words["more"]}</a></p>'


def preferences(lang: str, reaches: Sequence[Reach], saved: tuple[str, str] | None = None) -> str:
    """`saved` is (channel, topic) of the choice just made: a program that reads the page aloud goes on from there."""
    words = _WORDS[lang]
    parts = [f'<p class="saved" role="status">{words["saved"]}</p>' if saved else "", f"<p>{words['intro']}</p>"]
    for place, reach in enumerate(reaches):
        name = html.escape(words.get(reach.channel, reach.channel))
        blocked = f"<p>{words['blocked']}</p>" if reach.is_blocked else ""
        lines = [_line(words, line, name, (line.channel, line.topic) == saved) for line in reach.lines]
        parts.append(f'<section aria-labelledby="c{place}"><h2 id="c{place}">{name}</h2>{blocked}<ul>')
        parts += [*lines, "</ul></section>"]
    return _page(lang, words["preferences"], "".join(parts), words["saved"] if saved else "")


def _line(words: dict[str, str], line: Line, channel: str, is_saved: bool) -> str:
    title = html.escape(line.title or words["all"])
    about = f"<p>{html.escape(line.description)}</p>" if line.description else ""
    said = "received" if line.is_received else "pending" if line.state == "pending" else "not_received"
    form = ""
    if line.is_open:
        wanted, label = ("opted_out", words["stop"]) if line.is_received else ("opted_in", words["start"])
        look, focus = "" if line.is_received else ' class="start"', " autofocus" if is_saved else ""
        form = (
            f'<form method="post"><input type="hidden" name="channel" value="{html.escape(line.channel)}">'
            f'<input type="hidden" name="topic" value="{html.escape(line.topic)}">'
            f'<button name="state" value="{wanted}" aria-label="{label}: {title} ({channel})"'
            f"{look}{focus}>{label}</button></form>"
        )
    return f"<li><div><h3>{title}</h3>{about}<p>{words[said]}</p></div>{form}</li>"


def plain(text: str) -> str:
    """A message that was sent as text."""
    return f"<pre>{html.escape(text)}</pre>"


def _button(scope: str, label: str) -> str:
    return f'<form method="post"><button name="unsubscribe" value="{scope}">{html.escape(label)}</button></form>'


def _page(lang: str, title: str, body: str, news: str = "") -> str:
    shown = f"{news} {title}" if news else title
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{shown}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    )


_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Vary": "Accept-Language",
}


def headers(position: int | None = None) -> dict[str, str]:
    """What each of these pages is answered with."""
    return _HEADERS if position is None else {**_HEADERS, "Kizuna-Position": str(position)}
