"""What a provider says later about a message, or of what a customer did at its channel, in our words."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct

from kizuna.core.clock import SECOND, read_time
from kizuna.core.errors import Invalid

STATES = ("delivered", "bounced", "complained", "opened", "clicked", "unsubscribed")
ACTS = ("opted_in", "opted_out", "replied")
MOST_FIELDS = 1_000  # of a form
REPEATED_SECONDS = 86_400  # of those who sign a report once and repeat it for hours: taking it twice changes nothing


class Report(Struct, frozen=True, kw_only=True):
    """One thing that happened to one message."""

    message: str  # ours: msg_...
    state: str  # of `STATES`
    at: float = 0.0  # seconds since 1970; 0: when it reached us
    bounce: str | None = None  # hard or soft
    reason: str | None = None
    url: str | None = None  # what was clicked
    of_channel: bool = False  # unsubscribed from all of the channel, not only from the topic of the message


class Act(Struct, frozen=True, kw_only=True):
    """Something a customer did at a channel, not to a message of ours: became a friend, left, wrote to us."""

    address: str  # as the channel writes addresses
    state: str  # of `ACTS`
    id: str = ""  # what they call it: the proof of a choice, and what is told twice counts once
    at: float = 0.0  # as of a report
    form: str = ""  # of what was written: text, image, ...
    text: str = ""  # the words
    is_answered: bool = False  # a word such as STOP, which they answer themselves


class Incoming(Struct, frozen=True):
    """A request to our address for reports."""

    headers: Mapping[str, str]  # names in lower case
    body: bytes
    now: float  # real time
    url: str = ""  # the address as they know it, with its query

    def bears(self, authorization: str) -> bool:
        """Whether it says these credentials; how long the answer takes tells nothing of them."""
        return hmac.compare_digest(authorization.encode(), self.headers.get("authorization", "").encode())

    def query(self, name: str) -> str:
        """The first value of a name in the address."""
        return _firsts(_pairs(urlsplit(self.url).query)).get(name, "")

    def form(self) -> dict[str, str]:
        """The first values of a body that is a form; raises `Invalid` where it is none."""
        return _firsts(self.fields())

    def fields(self) -> list[tuple[str, str]]:
        """All names and values of such a body, as they stand in it; raises as `form`."""
        return _pairs(self.body.decode(errors="replace"))

    def json(self) -> Any:
        """Raises `Invalid` where the body is no JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError):
            raise Invalid("the report is no JSON", code="invalid_json") from None

    def objects(self) -> Iterable[dict[str, Any]]:
        """The objects of a body that is one, or a list of them."""
        said = self.json()
        return [each for each in (said if isinstance(said, list) else [said]) if isinstance(each, dict)]


def _pairs(said: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(said, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Invalid("the report is no form", code="invalid_report") from None


def _firsts(pairs: list[tuple[str, str]]) -> dict[str, str]:
    return {name: value.replace("\x00", "") for name, value in reversed(pairs)}


def bounced(message: str, is_hard: bool, reason: str, at: float) -> Report:
    """It came back; hard where the address is to blame for good."""
    return Report(
        message=message, state="bounced", at=at, bounce="hard" if is_hard else "soft", reason=reason[:500] or None
    )


def refused(message: str, reason: str, at: float) -> Report:
    """It came back for what it says or who sent it, or a fault on the way: that counts against no address."""
    return Report(message=message, state="bounced", at=at, reason=reason[:500] or None)


def in_our_words(event: Any) -> Report | None:
    """`{"type": "message.delivered", "timestamp", "data": {"message", "class"?, "reason"?, "url"?}}`; None: nothing."""
    state = text(event, "type").removeprefix("message").lstrip("._")
    data = part(event, "data")
    message, at = text(data, "message") or text(data, "id"), (read_time(text(event, "timestamp")) or 0) / SECOND
    if state not in STATES or not message:
        return None
    if state == "bounced":
        return bounced(message, text(data, "class") == "hard", text(data, "reason"), at)
    return Report(message=message, state=state, at=at, url=text(data, "url") or None)


def part(said: Any, *names: str) -> Any:
    """What lies at a path in untrusted JSON; None where there is nothing."""
    for name in names:
        said = said.get(name) if isinstance(said, dict) else None
    return said


def text(said: Any, *names: str) -> str:
    """As `part`, where only a text counts, and no database keeps a NUL."""
    found = part(said, *names)
    return found.replace("\x00", "") if isinstance(found, str) else ""


def number(said: Any, *names: str) -> float:
    """As `part`, where only a number (or its digits) counts."""
    found = part(said, *names)
    try:
        value = float(found) if isinstance(found, int | float | str) and not isinstance(found, bool) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return value if isfinite(value) else 0.0
