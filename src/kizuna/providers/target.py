"""HTTP to addresses from outside: a name is resolved once, all it leads to looked at, and only that connected to."""

from __future__ import annotations

import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

from kizuna.config import load
from kizuna.core.errors import Invalid
from kizuna.providers.answers import ANSWER_SECONDS, TIMEOUT
from kizuna.providers.outgoing import may_reach

LONGEST_ANSWER = 16_384  # bytes that are read; the rest is left
MOST_HOSTS = 64  # whose connections are kept
SILENT_TIMES, SILENT_SECONDS = 3, 30.0  # after which an address is left alone, and for how long: anybody may name one
MOST_SILENT = 10_000


class Unresolved(Exception):
    """The name leads nowhere; `is_final` when those who know say that there is none."""

    def __init__(self, why: str, *, is_final: bool = False) -> None:
        super().__init__(why)
        self.is_final = is_final


class Reply(Struct, frozen=True):
    """What a server answered; header names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


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


class Outside:
    """Posts to addresses from outside; connections are kept by host. No redirects, no proxies, answers cut short."""

    def __init__(self, allowed: Callable[[], Sequence[str]] = allowed_here) -> None:
        self._allowed = allowed
        self._lock = threading.Lock()
        self._silent: dict[str, tuple[int, float]] = {}  # how often in a row, and when last
        self._clients: OrderedDict[tuple[str, str], httpx.Client] = OrderedDict()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Raises what `resolve` does, and httpx's errors."""
        address, host = resolve(url, self._allowed())
        self._check_silent(address)
        try:
            reply = self._post(url, address, host, body, headers)
        except httpx.TransportError:
            self._note_silent(address)
            raise
        self._silent.pop(address, None)
        return reply

    def _check_silent(self, address: str) -> None:
        times, since = self._silent.get(address, (0, 0.0))
        if times >= SILENT_TIMES and time.monotonic() < since + SILENT_SECONDS:
            raise Unresolved(f"{address} did not answer {times} times")

    def _note_silent(self, address: str) -> None:
        with self._lock:
            if len(self._silent) >= MOST_SILENT:
                self._silent.clear()
            self._silent[address] = self._silent.get(address, (0, 0.0))[0] + 1, time.monotonic()

    def _post(self, url: str, address: str, host: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        parts = urlsplit(url)
        numeric = httpx.URL(url.partition("#")[0]).copy_with(host=address)
        host_header = f"[{host}]" if ":" in host else host
        named = {**headers, "host": f"{host_header}:{parts.port}" if parts.port else host_header}
        client = self._client(parts.scheme, parts.netloc)
        until = time.monotonic() + ANSWER_SECONDS
        with client.stream("POST", numeric, content=body, headers=named, extensions={"sni_hostname": host}) as answer:
            taken = b""
            for piece in answer.iter_raw(4_096):
                taken += piece
                if len(taken) >= LONGEST_ANSWER or time.monotonic() > until:
                    break
            return Reply(answer.status_code, dict(answer.headers), taken[:LONGEST_ANSWER])

    def _client(self, scheme: str, netloc: str) -> httpx.Client:
        """Kept by name, so that a connection is never used for a name whose certificate was not looked at."""
        with self._lock:
            client = self._clients.pop((scheme, netloc), None)
            if client is None:
                client = httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False)
            self._clients[scheme, netloc] = client
            if len(self._clients) > MOST_HOSTS:
                self._clients.popitem(last=False)  # closed when the last request on it is done with
            return client

    def close(self) -> None:
        with self._lock:
            clients, self._clients = self._clients, OrderedDict()
        for client in clients.values():
            client.close()
