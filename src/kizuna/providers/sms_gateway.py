"""Any SMS gateway, asked over HTTP as its settings say; `{to}`, `{text}`, `{from}`, `{message}` are put in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from kizuna.core.clock import SECOND, read_time
from kizuna.core.errors import FieldError
from kizuna.providers import Checked, Delivery, Outcome, Rejected
from kizuna.providers.http import Answer, Call, Fetch, HttpProvider
from kizuna.providers.report import Act, Incoming, Report, in_our_words, part, text

_PLACE = re.compile(r"\{(to|text|from|message)\}")
OPTED_OUT = re.compile(r"opted[ -]?out|opt-out|unsubscribed", re.IGNORECASE)
NO_NUMBER = re.compile(
    r"(?:invalid|unknown|malformed) (?:phone|mobile|destination|recipient|to)[ _]?(?:number)?|not a (?:valid|mobile)"
    r"(?: phone| mobile)? number|number (?:is invalid|does not exist|not in service)",
    re.IGNORECASE,
)
METHODS = ("POST", "PUT", "GET")


class Settings(Struct, frozen=True, rename={"sender": "from"}):
    """What is put in is escaped as its place asks: in `url` and in forms by percent signs, in JSON as in its texts.
    `headers` is secret, for keys stand there. `answers_keywords`: whether somebody else than we answers `STOP`, `START`
    and `HELP`."""

    url: str
    body: str = ""
    method: str = "POST"
    headers: dict[str, str] = {}
    sender: str = ""
    reports_token: str = ""
    answers_keywords: bool = False


class SmsGatewayProvider(HttpProvider):
    name: ClassVar[str] = "sms_gateway"
    channel: ClassVar[str | None] = "sms"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"headers", "reports_token"})

    def check(self, settings: Settings) -> Checked:
        """The text has to go somewhere, and to somebody; what is put in after the host never moves it."""
        problems: list[FieldError] = []
        if not re.match(r"https?://[^/{}?#@]+(?:[/?]|\Z)", settings.url):
            problems.append(FieldError("/url", "invalid", "begins with https:// or http:// and a host without places"))
        if settings.method not in METHODS:
            problems.append(FieldError("/method", "unsupported", f"one of {', '.join(METHODS)}"))
        problems += [
            FieldError("/body", "required", f"{place} stands neither in `body` nor in `url`")
            for place in ("{to}", "{text}")
            if place not in settings.url + settings.body
        ]
        return Checked(problems=problems)

    def call(self, delivery: Delivery, settings: Settings, now: float) -> Call:
        values = {
            "to": delivery.address, "text": delivery.text, "from": settings.sender, "message": delivery.message,
        }  # fmt: skip
        headers = {"Content-Type": "application/json"} if settings.body else {}
        given = {name.title(): value for name, value in settings.headers.items()}
        kind = (headers | given).get("Content-Type", "").lower()
        body = _filled(settings.body, {name: _escaped(value, kind) for name, value in values.items()})
        url = _filled(settings.url, {name: quote(value, safe="") for name, value in values.items()})
        return Call(url, body.encode(), headers | given, settings.method)

    def refusal(self, answer: Answer) -> Outcome:
        """By the words that most of them use; what says neither blames nobody."""
        said = answer.said
        is_opted_out = bool(OPTED_OUT.search(said))
        bounce = "hard" if NO_NUMBER.search(said) and not is_opted_out else None
        return Rejected(said, bounce=bounce, opted_out=is_opted_out)

    def is_genuine(self, said: Incoming, settings: Settings, fetch: Fetch) -> bool:
        """The secret address, and a token where one is set."""
        return not settings.reports_token or said.bears(f"Bearer {settings.reports_token}")

    def reports(self, said: Incoming, settings: Settings, fetch: Fetch) -> Iterable[Report | Act]:
        """As those of a web hook (who unsubscribes leaves the whole channel), and replies:
        `{"type": "message.replied", "timestamp", "data": {"id", "from", "text"}}`."""
        for event in said.objects():
            data = part(event, "data")
            name, address = text(data, "id"), text(data, "from")
            if report := in_our_words(event):
                yield msgspec.structs.replace(report, of_channel=report.state == "unsubscribed")
            elif text(event, "type") in ("message.replied", "message_replied") and name and address:
                at, words = (read_time(text(event, "timestamp")) or 0) / SECOND, text(data, "text")
                is_theirs = settings.answers_keywords
                yield Act(address=address, state="replied", id=name, text=words, at=at, is_answered=is_theirs)


def _filled(said: str, values: dict[str, str]) -> str:
    """In one pass: what is put in is not looked at again."""
    return _PLACE.sub(lambda found: values[found.group(1)], said)


def _escaped(value: str, kind: str) -> str:
    if "json" in kind:
        return msgspec.json.encode(value).decode()[1:-1]
    return quote(value, safe="") if "urlencoded" in kind else value


provider = SmsGatewayProvider()
