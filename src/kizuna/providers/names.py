"""Questions to the DNS, bounded in time and size whatever the other side answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import dns.exception
import dns.resolver
from dns.nameserver import Do53Nameserver
from msgspec import Struct

QUESTION_SECONDS = 2.0
ALL_SECONDS = 8.0  # of one check
MOST_QUESTIONS = 40
MOST_RECORDS, LONGEST_RECORD = 50, 4_096  # of one name that are looked at; characters


class Said(Struct, frozen=True):
    """What there is under a name. `trouble` says why nothing is known; without it, nothing means nothing."""

    values: tuple[str, ...] = ()
    trouble: str | None = None


class Names:
    """Asks for one check, and each question once."""

    def __init__(self, servers: Sequence[str] = ()) -> None:
        self._resolver = dns.resolver.Resolver(configure=not servers)
        if servers:
            self._resolver.nameservers = [_server(each) for each in servers]
        self._until = time.monotonic() + ALL_SECONDS
        self._known: dict[tuple[str, str], Said] = {}

    def ask(self, name: str, kind: str) -> Said:
        """Of kind TXT, MX, A or AAAA. An MX is said as its host, the null MX as an empty text."""
        key = name.lower().rstrip("."), kind
        if key not in self._known:
            self._known[key] = self._ask(*key)
        return self._known[key]

    def _ask(self, name: str, kind: str) -> Said:
        left = min(QUESTION_SECONDS, self._until - time.monotonic())
        if left <= 0 or len(self._known) >= MOST_QUESTIONS:
            return Said(trouble="there was no time left")
        try:
            answer = self._resolver.resolve(name + ".", kind, lifetime=left, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return Said()
        except (dns.exception.DNSException, UnicodeError, ValueError, OSError) as error:
            return Said(trouble=f"{type(error).__name__}: {error}"[:200])
        records: list[Any] = list(answer.rrset or ())[:MOST_RECORDS]
        return Said(tuple(_text(each, kind)[:LONGEST_RECORD] for each in records))


def _server(named: str) -> Any:
    """`192.0.2.1` or `192.0.2.1:5353`, `[2001:db8::1]:5353`."""
    host, colon, port = named.rpartition(":")
    if not colon or not port.isdigit() or (":" in host and not host.startswith("[")):
        host, port = named, "53"
    return Do53Nameserver(host.strip("[]"), int(port))


def _text(record: Any, kind: str) -> str:
    if kind == "TXT":
        return b"".join(record.strings).decode("utf-8", "replace")
    return record.exchange.to_text(omit_final_dot=True).strip(".") if kind == "MX" else record.to_text()
