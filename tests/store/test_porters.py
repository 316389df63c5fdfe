"""A sender of several processes, each of which may die: what is sent goes once, and the rest is not forgotten."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller

from kizuna.engine.slice import Workspace
from kizuna.messages.sender import LANE_BATCH
from kizuna.testing.mail import TEMPLATE, plan, put_definition, put_profile
from kizuna.testing.receiver import Asked, Receiver, Told
from kizuna.testing.tenant import PARTITIONS, make_workspace

Connection = psycopg.Connection[Any]
MESSAGES = 400
BUSY_FROM, SLOW = 30, 0.1  # the request that is told to wait; seconds each takes


class Postbox:
    """Counts what it takes, and lets somebody wait for it."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.arrived = threading.Semaphore(0)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.update(envelope.rcpt_tos)
        self.arrived.release()
        return "250 2.0.0 taken"


class Busy:
    """A slow API that asks for a long rest, once every process of the sender has asked it."""

    def __init__(self) -> None:
        self.asked_at: list[float] = []
        self.told_at = 0.0
        self.is_told = threading.Event()

    def answer(self, asked: Asked) -> Told:
        self.asked_at.append(time.monotonic())
        if len(self.asked_at) == BUSY_FROM:
            self.told_at = time.monotonic()
            self.is_told.set()
            return Told(429, {"Retry-After": "60"})
        threading.Event().wait(SLOW)
        return Told(200, body={"id": "1"})


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, int]]:
    box = Postbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture
def api() -> Iterator[Receiver]:
    with Receiver(Told(200, {"Content-Type": "application/json"}, {"name": "Ada"})) as receiver:
        yield receiver


@pytest.fixture
def asks(connection: Connection, shop: Workspace, api: Receiver) -> None:
    """Each mail says what another server knows of its customer."""
    body = f"{{% connected_content {api.url}/{{{{ profile.traits.email }}}} :save found %}}{{{{ found.name }}}}"
    put_definition(connection, shop.id, "template", "asks", {**TEMPLATE, "body": body})
    connection.execute("UPDATE message SET template = 'asks'")
    connection.commit()


@pytest.fixture
def shop(connection: Connection, postbox: tuple[Postbox, int]) -> Workspace:
    workspace = make_workspace(connection)
    put_definition(connection, workspace, "template", "hello", TEMPLATE)
    settings = {"host": "127.0.0.1", "port": postbox[1], "tls": "none", "from": "news@shop.example"}
    put_definition(
        connection, workspace, "provider", "mail", {"kind": "smtp", "channel": "email", "settings": settings}
    )
    for number in range(MESSAGES):
        plan(connection, workspace, put_profile(connection, workspace, f"user{number}"))
    return Workspace(workspace, "shop", "live", "UTC", "JPY", "opt_out", PARTITIONS)


@pytest.fixture
def sender(database_url: str, tmp_path: Path, shop: Workspace) -> Iterator[subprocess.Popen[bytes]]:
    """`kizuna send`, of three processes."""
    settings = {
        "KIZUNA_DATABASE_URL": database_url, "KIZUNA_SENDERS": "3", "KIZUNA_DATA": str(tmp_path),
        "KIZUNA_ALLOW_PRIVATE_TARGETS": "127.0.0.1/32",
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "kizuna", "send"], env={**os.environ, **settings}, stderr=subprocess.DEVNULL
    ) as process:
        yield process
        process.terminate()
        assert process.wait(30) == 0


def porters_of(sender: subprocess.Popen[bytes]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{sender.pid}/task/{sender.pid}/children").read_text().split()]


def states(connection: Connection) -> dict[str, int]:
    found = connection.execute("SELECT state, count(*)::integer FROM message GROUP BY 1").fetchall()
    connection.commit()
    return dict(found)


def test_several_processes_send_each_message_once_and_end_together(
    connection: Connection, postbox: tuple[Postbox, int], sender: subprocess.Popen[bytes]
) -> None:
    box, _ = postbox
    assert all(box.arrived.acquire(timeout=30) for _ in range(MESSAGES))
    porters = porters_of(sender)
    sender.terminate()
    assert sender.wait(30) == 0
    assert len(porters) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in porters)
    assert states(connection) == {"sent": MESSAGES}
    assert set(box.taken.values()) == {1}


@pytest.mark.usefixtures("asks")
def test_what_other_servers_answer_reaches_mails_whichever_process_asked(
    connection: Connection, postbox: tuple[Postbox, int], api: Receiver, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("sender")  # it begins when all is planned
    box, _ = postbox
    assert all(box.arrived.acquire(timeout=30) for _ in range(MESSAGES))
    assert set(box.taken.values()) == {1}
    assert len({each.path for each in api.asked}) == MESSAGES
    said = connection.execute("SELECT count(*)::integer FROM message WHERE body LIKE 'Ada%'").fetchone()
    assert said == (MESSAGES,)


def test_who_is_told_to_wait_is_left_alone_by_all_processes(
    connection: Connection, shop: Workspace, request: pytest.FixtureRequest
) -> None:
    busy = Busy()
    with Receiver(script=busy.answer) as api:
        settings = {"key": "k", "from": "news@shop.example", "endpoint": api.url}
        put_definition(
            connection, shop.id, "provider", "mail", {"kind": "resend", "channel": "email", "settings": settings}
        )
        connection.commit()
        sender = request.getfixturevalue("sender")
        assert busy.is_told.wait(30)
        sender.terminate()  # all that is under way comes to its end
        assert sender.wait(30) == 0
    assert len(busy.asked_at) < MESSAGES // 2
    assert max(busy.asked_at) - busy.told_at < 1.0  # a batch would go on for two seconds


def test_a_process_that_dies_takes_no_more_than_it_held_and_the_rest_goes_on(
    connection: Connection, postbox: tuple[Postbox, int], sender: subprocess.Popen[bytes]
) -> None:
    box, _ = postbox
    assert all(box.arrived.acquire(timeout=30) for _ in range(MESSAGES // 4))
    killed = porters_of(sender)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert all(box.arrived.acquire(timeout=30) for _ in range(MESSAGES * 3 // 4 - len(killed) * LANE_BATCH))
    sender.terminate()
    assert sender.wait(30) == 0
    said = states(connection)
    assert set(box.taken.values()) == {1}
    assert said.get("handed", 0) <= len(killed) * LANE_BATCH
    assert said["sent"] <= len(box.taken) <= said["sent"] + said.get("handed", 0)
