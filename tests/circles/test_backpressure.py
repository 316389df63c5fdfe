"""When nobody folds: trackers are told to wait, opt-outs are heard, nothing is lost, and reads say so."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from kizuna import server
from kizuna.config import Config
from kizuna.runtime.database import Database
from kizuna.testing.crew import Crew
from kizuna.testing.mail import TEMPLATE

BASE = "http://testserver.local"
MOST = 50  # events that may wait in these houses


class Shop:
    """A workspace of a house whose worker runs only within `working`."""

    def __init__(self, house: Any, database_url: str, name: str = "shop") -> None:
        self.client = house.client
        self.house = house
        self.made = house.workspace(name)
        self.url = database_url
        self.sent: list[str] = []

    def working(self) -> Crew:
        return Crew(Config(database_url=self.url, public_url=BASE))

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        key = {"Authorization": f"Bearer {self.made['api_key']}"}
        return self.client.request(method, path, json=body, headers=key | headers)

    def track(self, count: int = 1, **headers: str) -> httpx.Response:
        """One batch of new events; remembered when it was accepted."""
        ids = [f"m{len(self.sent) + number}" for number in range(count)]
        batch = [{"type": "track", "userId": f"u{name[-1]}", "event": "Seen", "messageId": name} for name in ids]
        answer = self.client.post(
            "/v1/batch", json={"batch": batch, "writeKey": self.made["write_key"]}, headers=headers
        )
        if answer.status_code == 200:
            self.sent += ids
        return answer

    def settled(self, path: str, position: str) -> Any:
        answer = self.ask("GET", f"{path}?after={position}&wait=30s")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def folded(self) -> list[str]:
        """The messages in the timelines of all."""
        found = []
        for number in range(10):
            answer = self.ask("GET", f"/api/v1/profiles/user:u{number}/timeline?limit=500")
            if answer.status_code != 404:
                found += [each["message_id"] for each in answer.json()["items"] if each["event"] == "Seen"]
        return sorted(found)


@pytest.fixture
def shop(open_house: Callable[..., Any], database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr("kizuna.events.pressure.LOOK_EVERY", 0.0)  # so that each request knows the latest
    lake = {"data": tmp_path, "lake_url": str(tmp_path / "lake")}
    return Shop(open_house(most_behind=MOST, public_url=BASE, **lake), database_url)


def test_trackers_wait_and_nothing_else_does(shop: Shop) -> None:
    with shop.working():
        shop.ask("PUT", "/api/v1/templates/hello", TEMPLATE)
        ada = {
            "userId": "ada",
            "traits": {"email": "ada@example.com", "name": "Ada"},
            "writeKey": shop.made["write_key"],
        }
        shop.settled("/api/v1/profiles/user:ada", shop.client.post("/v1/identify", json=ada).headers["kizuna-position"])
        said = {"profile": "user:ada", "channel": "email", "template": "hello"}
        mail = shop.settled("/api/v1/outbox", shop.ask("POST", "/api/v1/messages", said).headers["kizuna-position"])[
            "items"
        ][0]
    assert shop.track(MOST + 1).status_code == 200  # what was there before the limit was passed
    for _ in range(3):
        refused = shop.track()
        assert refused.status_code == 429
        assert (refused.json()["success"], refused.json()["code"]) == (False, "too_many")
        assert 1 <= int(refused.headers["retry-after"]) <= 300
        assert refused.headers["x-ratelimit-reset"] == refused.headers["retry-after"]
    one = {"userId": "ada", "event": "Seen", "writeKey": shop.made["write_key"]}
    assert shop.client.post("/v1/t", json=one, headers={"Origin": "https://shop.example"}).status_code == 429
    assert shop.track(0).status_code == 429
    out = {"channel": "email", "topic": "news", "state": "opted_out", "source": "support"}
    with ThreadPoolExecutor(1) as beside:
        # accepted at once; it answers when folded, or after some seconds
        consent = beside.submit(shop.ask, "PUT", "/api/v1/profiles/user:ada/consent", out)
        unsubscribe = mail["headers"]["List-Unsubscribe"].strip("<>").removeprefix(BASE)
        one_click = shop.client.post(unsubscribe, data={"List-Unsubscribe": "One-Click"})
        assert one_click.status_code == 200
        link = re.search(rf'{BASE}(/c/[^"]+)"', mail["body"])
        assert link
        assert shop.client.get(link[1].replace("&amp;", "&"), follow_redirects=False).status_code == 302
        pixel = re.search(rf'{BASE}(/o/[^"]+)"', mail["body"])
        assert pixel
        assert shop.client.get(pixel[1]).status_code == 200
        assert shop.ask("POST", "/api/v1/messages", said).status_code == 202
        last = shop.ask("PUT", "/api/v1/templates/more", TEMPLATE)
        assert last.status_code == 200
        assert shop.track().status_code == 429
        with shop.working():
            assert consent.result(30).status_code == 200
            known = shop.settled("/api/v1/profiles/user:ada", last.headers["kizuna-position"])
            assert shop.folded() == sorted(shop.sent)
            assert known["consent"]["email"]["state"] == "opted_out"
            again = shop.track(5)
            assert again.status_code == 200
            shop.settled("/api/v1/clock", again.headers["kizuna-position"])
            assert shop.folded() == sorted(shop.sent)
            names = [each["event"] for each in shop.ask("GET", "/api/v1/profiles/user:ada/timeline").json()["items"]]
            assert {"message_unsubscribed", "message_clicked", "message_opened"} <= set(names)


def test_one_workspace_behind_is_not_anothers_trouble(shop: Shop) -> None:
    other = Shop(shop.house, shop.url, "other")
    assert shop.track(MOST + 1).status_code == 200
    assert shop.track().status_code == 429
    assert other.track().status_code == 200


def test_requests_at_once_are_committed_together_and_each_once(shop: Shop) -> None:
    def send(number: int) -> httpx.Response:
        event = {
            "userId": f"u{number % 10}",
            "event": "Seen",
            "messageId": f"c{number}",
            "writeKey": shop.made["write_key"],
        }
        return shop.client.post("/v1/track", json=event)

    with shop.working(), ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(40)))
        assert {answer.status_code for answer in answers} == {200}
        last = max(int(answer.headers["kizuna-position"]) for answer in answers)
        shop.settled("/api/v1/clock", str(last))
        assert shop.folded() == sorted(f"c{number}" for number in range(40))


def test_a_read_says_when_a_write_is_not_settled(shop: Shop) -> None:
    position = shop.track().headers["kizuna-position"]
    for asked, headers in ((f"?after={position}&wait=1s", {}), ("?wait=1s", {"Kizuna-After": position})):
        began = time.monotonic()
        refused = shop.ask("GET", f"/api/v1/profiles{asked}", None, **headers)
        assert (refused.status_code, refused.json()["code"]) == (504, "not_settled")
        assert refused.headers["content-type"] == "application/problem+json"
        assert 1 <= time.monotonic() - began < 5
    assert shop.ask("GET", "/api/v1/profiles").json()["items"] == []  # without it: as of now
    with shop.working():
        known = shop.settled("/api/v1/profiles", position)["items"]
    assert [each["identities"] for each in known] == [[{"type": "user_id", "id": "u0"}]]
    assert shop.ask("GET", f"/api/v1/profiles?after={position}&wait=1s").status_code == 200


def test_without_the_database_senders_are_told_to_come_again(shop: Shop) -> None:
    assert shop.track().status_code == 200
    shop.house.sql("ALTER TABLE log RENAME TO log_away")  # the commit fails; what was gathered is not lost silently
    assert shop.track().status_code >= 500
    shop.house.sql("ALTER TABLE log_away RENAME TO log")
    assert shop.track().status_code == 200
    with shop.working():
        shop.settled("/api/v1/clock", shop.track().headers["kizuna-position"])
        assert shop.folded() == sorted(shop.sent)


# slow senders -------------------------------------------------------------------------------------------------------


@pytest.fixture
def address(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A server on a socket that waits half a second for a body."""
    monkeypatch.setattr("kizuna.events.routes.BODY_SECONDS", 0.5)
    monkeypatch.setattr("kizuna.edge.request.BODY_SECONDS", 0.5)
    app = server.create(Config(database_url=database_url), Database(database_url, name="test serve"))
    listener = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, log_config=None, **server.UVICORN))
    thread = threading.Thread(target=lambda: asyncio.run(running.serve([listener])))
    thread.start()
    yield listener.getsockname()
    running.should_exit = True
    thread.join()
    listener.close()


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/m", "/api/console/sign-in"])
def test_a_body_that_never_ends_is_given_up(address: tuple[str, int], path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\norigin: http://x\r\ncontent-length: 1000\r\n\r\n"
    with socket.create_connection(address, timeout=15) as connection:
        connection.sendall(head.encode() + b'{"batch":[')
        answer = b""
        while part := connection.recv(65536):  # it is closed: the rest is not waited for
            answer += part
    assert answer.startswith(b"HTTP/1.1 408"), answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "slow_body"
