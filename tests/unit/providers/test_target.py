from __future__ import annotations

import socket
from typing import Any

import pytest

from kizuna.core.errors import Invalid
from kizuna.providers import Unavailable
from kizuna.providers.http import Answer
from kizuna.providers.target import SILENT_TIMES, Targets, Unresolved, resolve
from kizuna.testing.push_service import Posted, Said


def answering(*addresses: str) -> Any:
    def lookup(host: str, port: int, **_: Any) -> list[Any]:
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    return lookup


PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "240.0.0.1", "198.18.0.1", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "fec0::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2001:0:0:0:0:0:80ff:fffe",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_no_name_leads_inward(address: str) -> None:
    with pytest.raises(Invalid) as refused:
        resolve("https://push.example/1", (), answering(address))
    assert refused.value.code == "target_refused"


def test_one_inward_address_among_others_is_enough_to_refuse() -> None:
    with pytest.raises(Invalid):
        resolve("https://push.example/1", (), answering("93.184.215.14", "10.0.0.1"))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_public_addresses_are_connected_to_as_they_were_seen(address: str) -> None:
    assert resolve("https://push.example/1", (), answering(address)) == (address, "push.example")


@pytest.mark.parametrize(
    "url",
    [
        "http://push.example/1", "ftp://push.example/", "https:///1", "//push.example", "https://u:p@push.example/",
        "https://[::1/", "https://push.example:99999/", "file:///etc/passwd", "https://пуш.example/", "",
    ],
)  # fmt: skip
def test_other_addresses_are_refused_unseen(url: str) -> None:
    with pytest.raises(Invalid):
        resolve(url, (), answering("93.184.215.14"))


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "[::ffff:7f00:1]"])
def test_odd_spellings_of_this_machine_are_seen_through(host: str) -> None:
    with pytest.raises((Invalid, Unresolved)):
        resolve(f"https://{host}/", ())


def test_an_operator_may_allow_a_private_network() -> None:
    assert resolve("http://push.test/", ("10.0.0.0/8",), answering("10.0.0.9")) == ("10.0.0.9", "push.test")
    with pytest.raises(Invalid):
        resolve("http://push.test/", ("10.0.0.0/8",), answering("127.0.0.1"))


@pytest.mark.parametrize(("errno", "is_final"), [(socket.EAI_NONAME, True), (socket.EAI_AGAIN, False)])
def test_a_name_that_is_not_found_says_whether_it_may_be_later(errno: int, is_final: bool) -> None:
    def lookup(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(errno, "not found")

    with pytest.raises(Unresolved) as found:
        resolve("https://push.example/", (), lookup)
    assert found.value.is_final is is_final


def test_an_address_that_does_not_answer_is_left_alone_for_a_while() -> None:
    targets = Targets(lambda: ("127.0.0.0/8",))
    with Posted() as other:
        for _ in range(SILENT_TIMES):
            assert isinstance(targets.post("http://127.0.0.7:1/", b"", {}), Unavailable)
        with pytest.raises(Unresolved):
            targets.post("http://127.0.0.7:1/", b"", {})
        answer = targets.post(other.url, b"", {})
        assert isinstance(answer, Answer)
        assert answer.status == 201
        targets.close()


def test_the_name_is_said_to_the_server_and_redirects_are_not_followed() -> None:
    targets = Targets(lambda: ("127.0.0.0/8",))
    with Posted(lambda _: Said(302, {"Location": "/inward"}, b"x" * 100_000)) as server:
        port = server.url.rpartition(":")[2]
        reply = targets.post(f"http://localhost:{port}/a?b=c#d", b"body", {"X": "1"})
        targets.close()
    assert isinstance(reply, Answer)
    assert (reply.status, len(reply.body)) == (302, 16_384)
    (taken,) = server.taken
    assert (taken.path, taken.headers["host"], taken.body) == ("/a?b=c", f"localhost:{port}", b"body")
