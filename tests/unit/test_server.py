"""The server on a real socket: what the framework's own test client would hide."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from litestar import get, post

from kizuna import server
from kizuna.config import Config
from kizuna.edge.protocol import HEAD_LIMIT, BoundedProtocol
from kizuna.runtime.database import Database


@get("/things/{name:str}/parts")
async def read_thing(name: str) -> dict[str, str]:
    return {"name": name}


@post("/things")
async def write_thing(data: dict[str, Any]) -> dict[str, Any]:
    return data


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """A server without a database: none of these routes asks for it."""
    app = server.create(Config(), Database("postgresql://nobody@127.0.0.1:1/none"), routes=[read_thing, write_thing])
    app.on_startup.clear()
    app.on_shutdown.clear()
    listener = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, log_config=None, **server.UVICORN))
    thread = threading.Thread(target=lambda: asyncio.run(running.serve([listener])))
    thread.start()
    yield listener.getsockname()
    running.should_exit = True
    thread.join()
    listener.close()


def speak(address: tuple[str, int], request: bytes) -> bytes:
    """Send bytes, read until the server closes."""
    with socket.create_connection(address, timeout=15) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


@pytest.mark.parametrize(
    ("sent", "meant"),
    [("user:a%2Fb", "user:a/b"), ("a%252Fb", "a%2Fb"), ("%E7%B5%86%2f%2F", "絆//"), ("a%20b", "a b"), ("%2F", "/")],
)
def test_a_path_is_read_as_sent(address: tuple[str, int], sent: str, meant: str) -> None:
    request = f"GET /things/{sent}/parts?x=%2F HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    answer = speak(address, request.encode())
    assert answer.startswith(b"HTTP/1.1 200"), answer
    assert answer.partition(b"\r\n\r\n")[2].decode() == f'{{"name":"{meant}"}}'


def test_head_answers_without_a_body(address: tuple[str, int]) -> None:
    answer = speak(address, b"HEAD /things/a/parts HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"content-length: 12" in head
    assert body == b""


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"a" * (HEAD_LIMIT + 1),
        b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"a" * HEAD_LIMIT + b"\r\n\r\n",
        b"GET /" + b"a" * HEAD_LIMIT + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 4000 + b"\r\n",
    ],
)
def test_a_head_over_the_limit_is_refused(address: tuple[str, int], request_: bytes) -> None:
    assert b" 431 " in speak(address, request_).split(b"\r\n")[0]


def test_a_large_body_after_a_small_head_is_taken(address: tuple[str, int]) -> None:
    with httpx.Client(base_url=f"http://{address[0]}:{address[1]}") as client:
        assert client.post("/things", json={"a": "x" * 1_000_000}).status_code == 201
        chunked = client.post("/things", content=iter([b"[" * 1000] * 4200))
        assert (chunked.status_code, chunked.json()["code"]) == (413, "too_large")
        assert client.post("/things", json={"a": 1}).status_code == 201


def test_a_head_that_never_ends_is_given_up(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kizuna.edge.protocol.HEAD_SECONDS", 0.2)
    assert speak(address, b"GET / HTTP/1.1\r\nhost:") == b""
    assert BoundedProtocol
