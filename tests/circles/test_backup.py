"""Backup of a running Kizuna under load, put back elsewhere and started."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from kizuna.config import load
from kizuna.runtime.folder import Running
from kizuna.supervisor import started
from kizuna.testing.shop import Shop, track

from .test_smtp import Postbox


def kizuna(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "kizuna", *arguments], capture_output=True, text=True, check=False, timeout=300
    )


class Load:
    """Sends events all the while; knows which were acknowledged."""

    def __init__(self, url: str, made: dict[str, str]) -> None:
        self.acknowledged: list[str] = []
        self.some = threading.Semaphore(0)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, args=[url, made["write_key"]], daemon=True)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(60)

    def wait_for(self, batches: int) -> None:
        for _ in range(batches):
            assert self.some.acquire(timeout=60)

    def _run(self, url: str, key: str) -> None:
        with httpx.Client(base_url=url, timeout=60, headers={"Authorization": f"Bearer {key}"}) as client:
            number = 0
            while not self._ended.is_set():
                batch = [track(f"customer{(number + i) % 50}", "Load") for i in range(20)]
                number += 20
                if client.post("/v1/batch", json={"batch": batch}).status_code == 200:
                    self.acknowledged += [each["messageId"] for each in batch]
                    self.some.release()


class BusyAtFirst(Postbox):
    """A server with no time, until it is told."""

    is_busy = True

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if self.is_busy:
            return "451 4.7.1 try later"
        return await super().handle_RCPT(server, session, envelope, address, options)


@pytest.fixture
def postbox() -> Iterator[tuple[BusyAtFirst, int]]:
    """A mail server, and its port."""
    box = BusyAtFirst()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


def test_backup_under_load_restores_elsewhere_and_sends_nothing(
    postbox: tuple[BusyAtFirst, int], tmp_path: Path
) -> None:
    box, port = postbox
    original, elsewhere, file = tmp_path / "original", tmp_path / "elsewhere", tmp_path / "kizuna.backup"
    with started(load(data=original, port=0)) as running:
        made = msgspec.json.decode(kizuna("workspace", "create", "shop", "--data", str(original)).stdout)
        shop = Shop(running.url, made)
        say_hello_to_ada(shop, port)
        with Load(running.url, made) as load_on_it:
            load_on_it.wait_for(10)
            before = list(load_on_it.acknowledged)
            answer = kizuna("backup", str(file), "--data", str(original))
            assert answer.returncode == 0, answer.stderr
            load_on_it.wait_for(2)  # it went on all the while
        shop.http.close()

    answer = kizuna("restore", str(file), "--data", str(elsewhere))
    assert answer.returncode == 0, answer.stderr
    assert "unlock-sending" in answer.stdout
    box.is_busy = False
    with started(load(data=elsewhere, port=0)) as copy:
        restored = Shop(copy.url, made)
        assert restored.http.get("/health/ready").json() == {"status": "ok", "sending": "locked"}
        assert restored.get("/api/v1/workspace")["sending"] == "locked"
        restored.track("ada", "After")  # its position covers all that was in the log
        assert restored.profile("customer0")["journeys"]

        asked = restored.ask("POST", "/api/v1/insight/sql", {"sql": "SELECT id FROM events WHERE event = 'Load'"})
        held = [row[0] for row in asked["rows"]]
        assert len(held) == len(set(held))
        assert set(before) <= set(held)

        doctor = kizuna("doctor", "--json", "--data", str(elsewhere))
        answered = msgspec.json.decode(doctor.stdout)
        assert (doctor.returncode, answered["ok"]) == (0, True), doctor.stdout
        assert any("sending is locked" in check["message"] for check in answered["checks"])

        make_due(copy)
        refused = kizuna("unlock-sending", "--data", str(elsewhere))
        assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
        assert not box.taken
        unlocked = kizuna("unlock-sending", "--waiting", "send", "--data", str(elsewhere))
        assert unlocked.returncode == 0, unlocked.stderr
        assert box.arrived.acquire(timeout=60)
        assert restored.http.get("/health/ready").json() == {"status": "ok"}
        restored.http.close()


def say_hello_to_ada(shop: Shop, port: int) -> None:
    """A mail that the server does not take yet, and a journey that every customer of the load enters."""
    shop.template()
    settings = {"host": "127.0.0.1", "port": port, "tls": "none", "from": "shop@example.org"}
    shop.ask("PUT", "/api/v1/providers/mail", {"kind": "smtp", "channel": "email", "settings": settings})
    steps = [{"id": "wait", "delay": "1h"}]
    shop.journey("waits", {"name": "waits", "entry": {"on": {"event": "Load"}}, "steps": steps})
    shop.identify("ada", email="ada@example.org")
    shop.profile("ada")
    mail = {"profile": "user:ada", "channel": "email", "template": "hello"}
    shop.ask("POST", "/api/v1/messages", mail, expect=202)


def make_due(copy: Running) -> None:
    """The server that was busy is tried again at once, not in some seconds."""
    with psycopg.connect(copy.database_url) as connection:
        connection.execute("UPDATE message SET due_at = planned_at WHERE state = 'planned'")
