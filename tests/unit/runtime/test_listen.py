"""The listening socket and its errors, each one line."""

from __future__ import annotations

import socket
import threading

import pytest

from kizuna.core.errors import Conflict, Invalid
from kizuna.runtime.listen import answers_ready, listen, local_address, url_of


def test_any_free_port_is_told_in_the_url() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert url_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert url_of(listener) != "http://127.0.0.1:0"


def test_every_address_is_reached_by_the_local_one() -> None:
    with listen("0.0.0.0", 0) as listener:
        assert local_address(listener)[0] == "127.0.0.1"


def test_a_taken_port_says_what_to_do() -> None:
    with listen("127.0.0.1", 0) as other, pytest.raises(Conflict, match="choose another with --port"):
        listen("127.0.0.1", other.getsockname()[1])


def test_a_port_that_is_let_go_is_waited_for() -> None:
    other = listen("127.0.0.1", 0)
    port = other.getsockname()[1]
    threading.Timer(0.2, other.close).start()
    with listen("127.0.0.1", port, patience=10.0) as listener:
        assert listener.getsockname()[1] == port


def test_a_host_that_is_not_ours_says_so() -> None:
    with pytest.raises(Invalid, match="--host"):
        listen("192.0.2.1", 0)


def test_nobody_answering_is_not_ready() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = silent.getsockname()[:2]
        assert not answers_ready(address, seconds=0.05)
    assert not answers_ready(address, seconds=0.05)
