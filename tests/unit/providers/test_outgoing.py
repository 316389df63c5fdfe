from __future__ import annotations

import socket
from ipaddress import ip_address, ip_network
from typing import Any

import httpcore
import pytest

from kizuna.providers.outgoing import Deadline, Gate, NotReachable, may_reach, resolve

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1",
    "fd00:ec2::254", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1",
    "2002:7f00:1::1", "2001:0:1::80ff:fffe", "fec0::1", "192.0.0.192", "64:ff9b:1::a00:1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_is_reached_however_it_is_written(address: str) -> None:
    assert not may_reach(ip_address(address), 443, [])


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:220:1::1", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"]
)
def test_public_addresses_are_reached_on_the_ports_of_the_web(address: str) -> None:
    found = ip_address(address)
    assert may_reach(found, 443, [])
    assert may_reach(found, 80, [])
    assert not may_reach(found, 25, [])


def test_what_an_operator_allows_is_reached_on_any_port() -> None:
    allowed = [ip_network("10.0.0.0/8"), ip_network("::1/128")]
    assert may_reach(ip_address("10.1.2.3"), 8080, allowed)
    assert may_reach(ip_address("::ffff:10.1.2.3"), 8080, allowed)
    assert may_reach(ip_address("::1"), 8080, allowed)
    assert not may_reach(ip_address("192.168.1.1"), 80, allowed)


@pytest.mark.parametrize("spelling", ["127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "[::1]", "[::ffff:7f00:1]"])
def test_odd_spellings_are_checked_as_what_they_mean(spelling: str) -> None:
    with pytest.raises(httpcore.ConnectError):  # refused by us, or unknown to the system
        Gate().connect_tcp(spelling, 80, timeout=0.1)


def test_a_name_with_one_private_address_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(*_: Any, **__: Any) -> Any:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("93.184.215.14", "10.0.0.1")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(NotReachable):
        Gate().connect_tcp("two-faced.example", 443)


def test_the_address_checked_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers otherwise the second time (rebinding) is asked once only."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        answers = iter([[("127.0.0.1")]])

        def once(host: str, port: int, **_: Any) -> Any:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(answers)]

        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *a, **k: once(host, *a, **k) if host == "x.example" else real(host, *a, **k),
        )
        stream = Gate(["127.0.0.0/8"]).connect_tcp("x.example", listening.getsockname()[1], timeout=1)
        assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
        stream.close()


def test_a_name_that_is_none_is_a_failed_connection() -> None:
    for host in ("\x00", "a" * 300, "no such host.invalid"):
        with pytest.raises(httpcore.ConnectError):
            resolve(host, 80)


def test_what_is_left_of_the_deadline_bounds_each_wait() -> None:
    within = Deadline()
    assert within.at_most(5) == 5
    within.start(0.5)
    assert (within.at_most(5) or 9) <= 0.5
    within.start(-1)
    assert within.at_most(5) == 0.001
