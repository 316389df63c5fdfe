"""Addresses that customers name: what may be reached of them, and what of it answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from kizuna.config import load
from kizuna.core.errors import Invalid
from kizuna.providers import Ambiguous, Unavailable
from kizuna.providers.answers import ANSWER_SECONDS, CONNECT_SECONDS
from kizuna.providers.http import Answer, Call, Outside
from kizuna.providers.outgoing import may_reach

LONGEST_ANSWER = 16_384  # bytes that are read; the rest is left
SILENT_TIMES, SILENT_SECONDS = 3, 30.0  # after which an address is left alone, and for how long: anybody may name one
MOST_SILENT = 10_000


class Unresolved(Exception):
    """The name leads nowhere; `is_final` when those who know say that there is none."""

    def __init__(self, why: str, *, is_final: bool = False) -> None:
        super().__init__(why)
        self.is_final = is_final


@cache
def allowed_here() -> tuple[str, ...]:
    """What the operator lets requests reach although it is private: `KIZUNA_ALLOW_PRIVATE_TARGETS`."""
    return load().allow_private_targets


def resolve(url: str, allowed: Sequence[str], lookup: Callable[..., Any] = socket.getaddrinfo) -> tuple[str, str]:
    """(address to connect to, host). Raises `Invalid` for what may not be reached, `Unresolved` for a name not found.

    Plain HTTP goes only to addresses that the operator allowed by name.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused("the address cannot be read") from None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or not url.isascii():
        raise _refused("an https address without a user is needed")
    reached = port or (443 if parts.scheme == "https" else 80)
    try:
        found = lookup(host, reached, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise _refused("the name cannot be read") from None
    except OSError as error:
        raise Unresolved(f"{host}: {error}", is_final=error.errno == socket.EAI_NONAME) from None
    networks = [ip_network(each) for each in allowed]
    addresses = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    for address in addresses:
        is_named = any(address in network for network in networks)
        if not may_reach(address, reached, networks) or (parts.scheme == "http" and not is_named):
            raise _refused(f"{host} leads to a place that requests may not reach")
    if not addresses:
        raise Unresolved(f"{host}: no address")
    return str(addresses[0]), host


def _refused(why: str) -> Invalid:
    return Invalid(why, code="target_refused")


class Targets:
    """Posts to addresses that anybody may have named; one that stays silent is left alone for a while."""

    def __init__(self, allowed: Callable[[], Sequence[str]] = allowed_here) -> None:
        self._allowed = allowed
        self._lock = threading.Lock()
        self._silent: dict[str, tuple[int, float]] = {}  # how often in a row, and when last
        self._outside: Outside | None = None

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer | Unavailable | Ambiguous:
        """Raises what `resolve` does; the connection is made by rules of its own, so a name cannot change its mind."""
        address, _ = resolve(url, self._allowed())
        self._check_silent(address)
        answer = self._out().ask(Call(url.partition("#")[0], body, dict(headers)))
        if isinstance(answer, Answer):
            self._silent.pop(address, None)
        else:
            self._note_silent(address)
        return answer

    def _out(self) -> Outside:
        with self._lock:
            if self._outside is None:
                self._outside = Outside(self._allowed(), CONNECT_SECONDS, ANSWER_SECONDS, LONGEST_ANSWER)
            return self._outside

    def _check_silent(self, address: str) -> None:
        times, since = self._silent.get(address, (0, 0.0))
        if times >= SILENT_TIMES and time.monotonic() < since + SILENT_SECONDS:
            raise Unresolved(f"{address} did not answer {times} times")

    def _note_silent(self, address: str) -> None:
        with self._lock:
            if len(self._silent) >= MOST_SILENT:
                self._silent.clear()
            self._silent[address] = self._silent.get(address, (0, 0.0))[0] + 1, time.monotonic()

    def close(self) -> None:
        with self._lock:
            outside, self._outside = self._outside, None
        if outside is not None:
            outside.close()
