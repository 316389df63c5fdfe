"""Networks from which no person reads mail: those that makers of gateways say are theirs, and a workspace's. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import msgspec
from msgspec import Struct

from kizuna.core.errors import Invalid

Network = IPv4Network | IPv6Network
WIDEST = {4: 8, 6: 16}  # bits that a network names at least: wider ones hold everybody


class Scanner(Struct, frozen=True):
    """Whose networks, where they say so, and the day of which they are."""

    who: str
    source: str
    as_of: str
    networks: tuple[str, ...]


SCANNERS = msgspec.json.decode(files("kizuna.messages").joinpath("networks.json").read_bytes(), type=list[Scanner])


def read(text: str) -> Network:
    """An address, or a network such as 192.0.2.0/24; raises `Invalid`."""
    try:
        network = ip_network(text)
    except ValueError:
        wanted = "an address, or a network such as 192.0.2.0/24 that begins where its bits do"
        raise Invalid(wanted, code="invalid_network") from None
    if network.prefixlen < WIDEST[network.version]:
        raise Invalid(f"/{WIDEST[network.version]} at the widest: people are in there, too", code="invalid_network")
    return network


_KNOWN = tuple(read(each) for scanner in SCANNERS for each in scanner.networks)


def is_scanner(address: str, own: Iterable[str] = ()) -> bool:
    """`own` are a workspace's, as `read` takes them."""
    try:
        asking = ip_address(address)
    except ValueError:
        return False  # a socket, or nothing
    if asking.version == 6 and asking.ipv4_mapped is not None:
        asking = asking.ipv4_mapped
    return any(asking in network for network in (*_KNOWN, *_own(tuple(own))))


@lru_cache(maxsize=256)
def _own(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(read(each) for each in texts)
