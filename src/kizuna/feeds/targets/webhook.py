"""A web hook of your own: each entry is POSTed by itself, signed by Standard Webhooks; or many as lines of one body.

https://www.standardwebhooks.com: the id stays the same however often an entry comes, so a receiver sees repetitions.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any, ClassVar

from msgspec import Struct

from kizuna.feeds import Later, Piece, Place, Taken
from kizuna.feeds.entry import Entry
from kizuna.providers import standard_webhooks
from kizuna.providers.http import Answer, Call, Outside, wait_of

SIDE_BY_SIDE = 8  # requests
REFUSED = (400, 413, 422)  # the receiver read it and will never take it
GONE = 410
LINES = "application/x-ndjson"


class Settings(Struct, frozen=True):
    """Where to, and the secrets that both sides know; the older one signs too, until it is dropped."""

    url: str
    secret: str
    old_secret: str = ""
    batch: bool = False  # one request for all that is there, up to 500 entries

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://")):
            raise ValueError("`url` begins with https:// or http://")
        try:
            for secret in (self.secret, *filter(None, [self.old_secret])):
                standard_webhooks.key_of(secret)
        except ValueError:
            raise ValueError("`secret` is whsec_ and a key in base 64") from None


class Webhook:
    name: ClassVar[str] = "webhook"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"secret", "old_secret"})
    gathers: ClassVar[bool] = False

    def made(self) -> dict[str, Any]:
        return {"secret": standard_webhooks.new_secret()}

    def carry(self, piece: Piece, settings: Settings, place: Place, done: set[str]) -> Taken | Later:
        post = _Poster(settings, place.outside)
        if settings.batch:
            body = b"".join([entry.body + b"\n" for entry in piece.entries])
            return post.one(f"pce_{piece.number}", body, LINES) or Taken()
        waiting = [entry for entry in piece.entries if entry.id not in done]
        refused: list[tuple[Entry, str]] = []
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            outcomes = list(pool.map(lambda line: post.line(line, done, refused), _lines(waiting)))
        return next(filter(None, outcomes), None) or Taken(refused)


class _Poster:
    def __init__(self, settings: Settings, outside: Outside) -> None:
        self.settings, self.outside = settings, outside

    def line(self, entries: Sequence[Entry], done: set[str], refused: list[tuple[Entry, str]]) -> Later | None:
        """One customer's entries, one after the other; ends at the first that must wait."""
        for entry in entries:
            outcome = self.one(entry.id, entry.body, "application/json")
            if isinstance(outcome, Later):
                return outcome
            if outcome is not None:
                refused += [(entry, said) for _, said in outcome.refused]
            done.add(entry.id)
        return None

    def one(self, name: str, body: bytes, kind: str) -> Taken | Later | None:
        """None: it was taken."""
        answer = self.outside.ask(Call(self.settings.url, body, {"Content-Type": kind, **self._signed(name, body)}))
        if not isinstance(answer, Answer):
            return Later(answer.reason)
        if 200 <= answer.status < 300:
            return None
        if answer.status in REFUSED and kind != LINES:
            return Taken([(Entry(name, b"", body), answer.said)])
        return Later(answer.said, wait_of(answer), is_final=answer.status == GONE)

    def _signed(self, name: str, body: bytes) -> dict[str, str]:
        now = int(time.time())
        given = standard_webhooks.headers(self.settings.secret, name, now, body)
        if self.settings.old_secret:
            given[standard_webhooks.SIGNATURE] += " " + standard_webhooks.sign(
                self.settings.old_secret, name, now, body
            )
        return given


def _lines(entries: Iterable[Entry]) -> list[list[Entry]]:
    """By customer, each in the order of the log."""
    found = sorted(entries, key=lambda entry: entry.profile)  # stable
    return [list(group) for _, group in groupby(found, key=lambda entry: entry.profile)]


target = Webhook()
