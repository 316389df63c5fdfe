"""Where outgoing requests may go: the address is checked after its name was resolved, and connected to as checked."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpcore

PORTS = (80, 443)
_NAT64, _6TO4, _TEREDO = (IPv6Network(text) for text in ("64:ff9b::/96", "2002::/16", "2001::/32"))
# Not public, whatever the release of Python says: protocol assignments (a cloud's metadata at 192.0.0.192), local NAT64
_NEVER = tuple(ip_network(text) for text in ("192.0.0.0/24", "64:ff9b:1::/48"))

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class NotReachable(httpcore.ConnectError):
    """The installation does not let requests go there."""


def may_reach(address: Address, port: int, allowed: Iterable[Network]) -> bool:
    """Public addresses on the ports of the web; what an operator allowed, on any port."""
    address = _within(address)
    if any(address in network for network in allowed if network.version == address.version):
        return True
    if any(address in network for network in _NEVER if network.version == address.version):
        return False
    is_local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not (address.is_multicast or address.is_reserved or is_local) and port in PORTS


def _within(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, whatever the way it is written."""
    if not isinstance(address, IPv6Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    if address in _6TO4:
        return IPv4Address(int(address) >> 80 & 0xFFFF_FFFF)
    if address in _TEREDO:  # the client's address, inverted
        return IPv4Address(~int(address) & 0xFFFF_FFFF)
    return address


class Gate(httpcore.NetworkBackend):
    """Connects for a pool: resolves once, checks every address, and goes to one of those it checked."""

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        self.allowed = [ip_network(text) for text in allowed]
        self.within = Deadline()
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        addresses = resolve(host, port)
        if not all(may_reach(address, port, self.allowed) for address in addresses):
            raise NotReachable(f"{host} port {port} is not public: see KIZUNA_ALLOW_PRIVATE_TARGETS")
        refused: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses:
            try:
                stream = self._backend.connect_tcp(
                    str(address), port, self.within.at_most(timeout), local_address, socket_options
                )
                return Bounded(stream, self.within)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                refused = error
        raise refused or httpcore.ConnectError(f"{host} has no address")


def resolve(host: str, port: int) -> list[Address]:
    """Every address of a name, each once; odd spellings of an address are read as the system would."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host}: {error}") from None
    return list(dict.fromkeys(ip_address(str(each[4][0]).partition("%")[0]) for each in found))


class Deadline(threading.local):
    """When the request of this thread must be over, however slowly its answer drips."""

    ends_at: float = float("inf")

    def start(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds

    def at_most(self, timeout: float | None) -> float | None:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            return 0.001
        return left if timeout is None else min(timeout, left)


class Bounded(httpcore.NetworkStream):
    """A connection whose reads and writes end with the deadline of the thread that uses it."""

    def __init__(self, stream: httpcore.NetworkStream, within: Deadline) -> None:
        self._stream, self._within = stream, within

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._within.at_most(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._within.at_most(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return Bounded(self._stream.start_tls(ssl_context, server_hostname, timeout), self._within)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
