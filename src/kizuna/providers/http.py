"""The contract of providers with an HTTP API, and all that they share: connections, limits, what an answer means.

An adapter says which request carries a message, what a refusal means, and how its reports are read. It never touches
the network, and never tries again: the lane does.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import cache, partial
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpcore
import httpx
import msgspec
from msgspec import Struct

from kizuna import __version__
from kizuna.core.errors import Invalid
from kizuna.providers import Accepted, Ambiguous, Delivery, Outcome, Rejected, Unavailable
from kizuna.providers.mime import refuse_breaks
from kizuna.providers.outgoing import Gate
from kizuna.providers.report import Act, Incoming, Report

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0  # in all, from the first byte sent to the last one read
MOST_BYTES = 1 << 20  # of an answer, unless told otherwise
MOST_IDLE, IDLE_SECONDS = (
    64,
    30.0,
)  # connections kept; as many as lanes have threads may be in use: none waits for another
MOST_WAIT = 86_400  # seconds that a Retry-After may ask for

Fetch = Callable[[str], bytes]


class Call(Struct, frozen=True):
    """One request."""

    url: str
    body: bytes
    headers: dict[str, str]
    method: str = "POST"


class Answer(Struct, frozen=True):
    """What came back; names of headers are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """What the body says; an empty object where it is no JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError):
            return {}

    @property
    def said(self) -> str:
        """For a person: the status and the beginning of the body."""
        words = self.body[:4000].decode(errors="replace").replace("\x00", " ").split()  # no database keeps a NUL
        return f"{self.status} {' '.join(words)}"[:500].strip()


class HttpProvider:
    """What each adapter states; all else is here and in the lane."""

    name: ClassVar[str]
    channel: ClassVar[str | None] = "email"
    settings: ClassVar[type[Struct]]
    secrets: ClassVar[frozenset[str]] = frozenset()
    is_local: ClassVar[bool] = False
    has_reports: ClassVar[bool] = True

    def call(self, delivery: Delivery, settings: Any, now: float) -> Call:
        """The request that carries the message; `now` is real time, for signatures. `Invalid`: it cannot be said."""
        raise NotImplementedError

    def reference(self, answer: Answer) -> str:
        """What they call the message that they took over."""
        return ""

    def refusal(self, answer: Answer) -> Outcome:
        """What a 4xx means that is about this message; those about us or about the load are read by `outcome_of`."""
        return Rejected(answer.said)

    def about_us(self, answer: Answer) -> Outcome:
        """What a 401 to 407 means: our key, our bill, our address, mended by an operator."""
        return Unavailable(answer.said, self.wait(answer))

    def wait(self, answer: Answer) -> int | None:
        """How many seconds they ask us to wait, where they say so."""
        return wait_of(answer)

    def is_genuine(self, said: Incoming, settings: Any, fetch: Fetch) -> bool:
        """Whether a report comes from them. `fetch` gets a certificate; the report's address is a secret already."""
        return True

    def reports(self, said: Incoming, settings: Any, fetch: Fetch) -> Iterable[Report | Act]:
        """What a genuine report says of messages and customers; types unknown to us say nothing."""
        return ()

    def greeting(self, asked: Mapping[str, str], settings: Any) -> str | None:
        """What to answer where they first ask by GET whether the address for reports is ours; None: nothing."""
        return None

    def deliver(self, delivery: Delivery, settings: Any) -> Outcome:
        """Through connections of its own. The lane hands over through an `Outside` that it keeps."""
        with_outside = Outside()
        try:
            return with_outside.deliver(self, delivery, settings)
        finally:
            with_outside.close()

    def close(self) -> None:
        """Nothing is held: connections belong to an `Outside`."""


class Outside:
    """Keeps connections to every API that was asked; safe for several threads at once."""

    def __init__(
        self,
        allowed: Sequence[str] = (),
        connect_seconds: float = CONNECT_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.gate = Gate(allowed)
        self.connect_seconds, self.answer_seconds, self.most_bytes = connect_seconds, answer_seconds, most_bytes
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trust(),
            max_connections=None,
            max_keepalive_connections=MOST_IDLE,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=self.gate,
        )

    def deliver(self, provider: HttpProvider, delivery: Delivery, settings: Any) -> Outcome:
        """Carry one message; never raises for what a network may do."""
        try:
            for name, value in {"subject": delivery.subject or "", **delivery.headers}.items():
                refuse_breaks(name, value)
            call = provider.call(delivery, settings, time.time())
        except (Invalid, UnicodeError) as error:
            return Rejected(f"template_error: {error}")
        except ValueError as error:  # a key that is none
            return Unavailable(f"settings: {error}")
        answer = self.ask(call)
        return answer if isinstance(answer, Unavailable | Ambiguous) else outcome_of(provider, answer)

    def ask(self, call: Call, seconds: float | None = None) -> Answer | Unavailable | Ambiguous:
        """The answer, or why there is none: before the whole request was written nothing can have been taken over.
        `seconds` are all it may take, where that is less than usual."""
        written: set[str] = set()
        usual = self.connect_seconds + self.answer_seconds
        self.gate.within.start(usual if seconds is None else min(seconds, usual))
        try:
            return self._ask(call, partial(_note, written))
        except (httpcore.UnsupportedProtocol, httpcore.LocalProtocolError, ValueError) as error:
            return Unavailable(f"settings: {error}")
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            return Ambiguous(reason) if written else Unavailable(reason)

    def fetch(self, url: str) -> bytes:
        """What lies at an address; raises `Invalid` where nothing can be had."""
        answer = self.ask(Call(url, b"", {}, "GET"))
        if not isinstance(answer, Answer) or answer.status != 200:
            raise Invalid(f"{url} answers {answer.said if isinstance(answer, Answer) else answer.reason}")
        return answer.body

    def _ask(self, call: Call, trace: Callable[[str, Any], None]) -> Answer:
        if urlsplit(call.url).scheme not in ("http", "https"):
            raise httpcore.UnsupportedProtocol(f"{call.url!r} is no web address")
        headers = {"User-Agent": f"Kizuna/{__version__}", "Accept-Encoding": "identity", **call.headers}
        waits = {"connect": self.connect_seconds, "pool": self.connect_seconds}
        waits |= {"read": self.answer_seconds, "write": self.answer_seconds}
        with self._pool.stream(
            call.method,
            call.url,
            headers=[(name.encode(), value.encode()) for name, value in headers.items()],
            content=call.body,
            extensions={"timeout": waits, "trace": trace},
        ) as answer:
            body = bytearray()
            for piece in answer.iter_stream():
                body += piece
                if len(body) > self.most_bytes:  # the status is known: what more it says is not worth reading
                    break
            told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
            return Answer(answer.status, told, bytes(body[: self.most_bytes]))

    def close(self) -> None:
        self._pool.close()


@cache
def _trust() -> ssl.SSLContext:
    """Reading all certificates takes longer than a request."""
    return httpx.create_ssl_context(trust_env=False)


def _note(written: set[str], event: str, _: Any) -> None:
    if event.endswith("send_request_body.complete"):
        written.add(event)


def outcome_of(provider: HttpProvider, answer: Answer) -> Outcome:
    """Taken, refused for good, or not now: one reading for all; only what is about the message differs by provider."""
    match answer.status:
        case status if 200 <= status < 300:
            return Accepted(provider.reference(answer))
        case 504:  # a gateway gave up waiting for the one who may have taken it
            return Ambiguous(answer.said)
        case 408 | 425 | 429:
            return Unavailable(answer.said, provider.wait(answer))
        case status if status >= 500:
            return Unavailable(answer.said, provider.wait(answer))
        case 401 | 402 | 403 | 404 | 405 | 407:
            return provider.about_us(answer)
        case status if status < 400:  # no redirect is followed
            return Unavailable(answer.said)
        case _:
            return provider.refusal(answer)


def wait_of(answer: Answer) -> int | None:
    """Retry-After; None where it says nothing usable."""
    return seconds_of(answer.headers.get("retry-after", ""))


def seconds_of(said: str) -> int | None:
    """A wait in seconds, or until a date (RFC 9110, section 10.2.3); None where it is neither."""
    said = said.strip()
    if said.isascii() and said.isdigit():
        return min(int(said[:9]), MOST_WAIT)
    try:
        wait = parsedate_to_datetime(said).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0, min(int(wait) + 1, MOST_WAIT))
