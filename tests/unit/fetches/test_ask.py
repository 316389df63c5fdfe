"""Other servers are asked within bounds, and nothing inside is reached, however it is spelled."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpcore
import pytest

from kizuna.fetches.ask import KEPT, Asker, Kept
from kizuna.fetches.request import Answer, Request
from kizuna.providers import outgoing
from kizuna.testing.receiver import DRIPS, HANGS, HANGS_UP, Receiver, Told

HERE = ("127.0.0.0/8",)
INSIDE = [
    "127.0.0.1", "127.1", "127.0.1", "0x7f000001", "0x7f.1", "2130706433", "0177.0.0.1", "017700000001", "0", "0.0.0.0",
    "localhost", "LOCALHOST", "localhost.", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001:0:0:0:0:0:80ff:fffe]", "[fe80::1]", "[fc00::1]",
    "[fec0::1]", "[ff02::1]", "10.0.0.1", "10.1", "172.16.0.1", "192.168.1.1", "0xc0a80101", "100.64.0.1", "198.18.0.1",
    "169.254.169.254", "2852039166", "0xa9fea9fe", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "192.0.0.192",
    "[64:ff9b:1::a00:1]", "224.0.0.1", "255.255.255.255", "240.0.0.1",
]  # fmt: skip


@pytest.fixture
def canary() -> Iterator[Receiver]:
    with Receiver(Told(200, {}, b"secret")) as receiver:
        yield receiver


@pytest.fixture
def asker() -> Iterator[Asker]:
    made = Asker(HERE)
    yield made
    made.close()


@pytest.mark.parametrize("host", INSIDE)
def test_nothing_inside_is_reached(canary: Receiver, host: str) -> None:
    strict = Asker()
    for port in (f":{canary.url.rpartition(':')[2]}", "", ":443"):
        answer = strict.ask(Request(url=f"http://{host}{port}/"), seconds=1.0)
        assert (answer.status, canary.asked) == (0, [])
    strict.close()


def test_a_name_that_resolves_anew_is_connected_to_where_it_was_checked(
    canary: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's resolver is the seam: its first answer is public, every later one is inside."""
    answers = iter(["93.184.215.14"])
    connected: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> Any:
        address = next(answers, "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(_: Any, host: str, *__: Any) -> Any:
        connected.append(host)
        raise httpcore.ConnectError("nobody")

    monkeypatch.setattr(outgoing.socket, "getaddrinfo", resolve)
    strict = Asker()
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    answers_had = [strict.ask(Request(url="http://rebind.example/"), seconds=1.0) for _ in range(2)]
    strict.close()
    assert [each.kind.partition(":")[0] for each in answers_had] == ["ConnectError", "NotReachable"]
    assert (connected, canary.asked) == (["93.184.215.14"], [])


def test_a_redirect_is_an_answer_and_is_not_followed(canary: Receiver, asker: Asker) -> None:
    with Receiver(Told(302, {"Location": canary.url})) as server:
        answer = asker.ask(Request(url=server.url))
    assert (answer.status, answer.is_ok, canary.asked) == (302, False, [])


@pytest.mark.parametrize("told", [HANGS, DRIPS, HANGS_UP])
def test_a_server_that_does_not_answer_is_given_up_in_time(asker: Asker, told: str) -> None:
    with Receiver(Told(told)) as server:
        began = time.monotonic()
        assert asker.ask(Request(url=server.url, seconds=0.3)).status == 0
        assert time.monotonic() - began < 1.5


def test_a_hundred_megabytes_are_not_read(asker: Asker) -> None:
    """A body without end: what is over a megabyte is left in the wire."""
    sent = 0

    def pour(listener: socket.socket) -> None:
        nonlocal sent
        line, _ = listener.accept()
        with line:
            line.recv(65536)
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
            try:
                while sent < 100 << 20:
                    sent += line.send(b"x" * 65536)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=pour, args=(listener,))
        thread.start()
        answer = asker.ask(Request(url=f"http://127.0.0.1:{listener.getsockname()[1]}/"))
        thread.join()
    assert (answer.status, answer.kind) == (0, "more than 1 MB")
    assert sent < 20 << 20


def test_it_tries_again_as_told_but_what_may_have_had_an_effect_does_not(asker: Asker) -> None:
    with Receiver(Told(200, {}, b"ok")) as server:
        server.answers.put(Told(503))
        assert asker.ask(Request(url=server.url, retries=2)).status == 200
        server.told = Told(HANGS_UP)
        assert asker.ask(Request(url=server.url, method="POST", body=b"x", retries=2)).status == 0
    assert len(server.asked) == 3


def test_an_answer_stands_for_its_time_and_a_bad_one_not_at_all() -> None:
    now = 0.0
    kept = Kept(lambda: now)
    request = Request(url="http://a/", cached_seconds=300)
    kept.put(1, request, Answer(200, "", b"x"))
    assert kept.get(1, request) == Answer(200, "", b"x")
    assert kept.get(2, request) is None  # another workspace's
    now = 300.0
    assert kept.get(1, request) is None
    kept.put(1, request, Answer(404))
    assert kept.get(1, request) is None


def test_what_is_kept_is_bounded() -> None:
    kept = Kept(lambda: 0.0)
    requests = [Request(url=f"http://a/{n}", cached_seconds=300) for n in range(KEPT + 1)]
    for request in requests:
        kept.put(1, request, Answer(200, "", b"x"))
    assert [kept.get(1, each) is not None for each in (requests[0], requests[1], requests[-1])] == [False, True, True]
    for request in requests[:70]:
        kept.put(1, request, Answer(200, "", b"x" * (1 << 20)))
    assert kept.bytes <= 64 << 20
