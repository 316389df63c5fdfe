"""The peer of `send`: one task for each mail, as ordinary products do, from a durable queue in the same PostgreSQL.

A task is taken (and said to be started, as the broker of such a product must remember it), its customer is loaded, the
mail rendered by python-liquid (parsed once), built by `email.message`, signed by dkimpy, sent by aiosmtplib over a
connection of its own, and its state committed. A process a core, several tasks at once in each.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import msgspec
import psycopg
from msgspec import Struct
from psycopg.types.json import Jsonb

from kizuna.bench.render import data, their_renderer
from kizuna.runtime.database import connect

MODULES = ("aiosmtplib", "dkim")  # no dependencies of ours: whoever wants the ratio installs them beside
INSTALL = "pip install aiosmtplib dkimpy"
TASKS = 8  # at once, of one process
_TAG = re.compile(r"<[^>]*>")
_BLANK = re.compile(r"\s*\n\s*")

SCHEMA = """
CREATE SCHEMA mailer;
CREATE TABLE mailer.customer (id bigint PRIMARY KEY, email text NOT NULL, traits jsonb NOT NULL);
CREATE TABLE mailer.task (
    id bigserial PRIMARY KEY, customer bigint NOT NULL, variables jsonb NOT NULL, state text NOT NULL DEFAULT 'waiting',
    message_id text, started_at timestamptz, sent_at timestamptz
) WITH (fillfactor = 70);
CREATE INDEX ON mailer.task (id) WHERE state = 'waiting';
"""
_TAKE = """
UPDATE mailer.task SET state = 'started', started_at = now() WHERE id = (
    SELECT id FROM mailer.task WHERE state = 'waiting' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, customer, variables
"""


class Orders(Struct):
    """What a process of the peer is told."""

    database_url: str
    port: int
    sender: str
    domain: str
    selector: str
    private_key: str


def is_installed() -> bool:
    return all(find_spec(name) is not None for name in MODULES)


class Peer:
    """Its tables, and a process for each core that waits for a word before it works."""

    def __init__(self, orders: Orders, processes: list[subprocess.Popen[bytes]]) -> None:
        self.url = orders.database_url
        self.processes = processes

    def plan(self, numbers: range) -> None:
        with connect(self.url, name="bench peer") as connection:
            people = [(each, f"p-{each}@shop.example", Jsonb(data(each)["profile"]["traits"])) for each in numbers]
            tasks = [(each, Jsonb({k: v for k, v in data(each).items() if k != "profile"})) for each in numbers]
            with connection.cursor() as cursor:
                cursor.executemany("INSERT INTO mailer.customer VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", people)
                cursor.executemany("INSERT INTO mailer.task (customer, variables) VALUES (%s, %s)", tasks)

    def send(self) -> float:
        """Seconds until every task is done."""
        began = time.perf_counter()
        for process in self.processes:
            assert process.stdin  # noqa: S101
            process.stdin.write(b"go\n")
            process.stdin.flush()
        for process in self.processes:
            assert process.stdout  # noqa: S101
            process.stdout.readline()
        return time.perf_counter() - began


@contextmanager
def peer(orders: Orders) -> Iterator[Peer]:
    with connect(orders.database_url, name="bench peer") as connection:
        for statement in SCHEMA.split(";\n"):
            if statement.strip():
                connection.execute(statement)  # type: ignore[arg-type]
    command = [sys.executable, "-m", "kizuna.bench.send_peer"]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        for process in processes:
            assert process.stdin and process.stdout  # noqa: S101
            process.stdin.write(msgspec.json.encode(orders) + b"\n")
            process.stdin.flush()
            process.stdout.readline()
        yield Peer(orders, processes)
    finally:
        for process in processes:
            process.communicate()


# one process ---------------------------------------------------------------------------------------------------------


def main() -> None:
    orders = msgspec.json.decode(sys.stdin.readline(), type=Orders)
    mailer = Mailer(orders)
    print("ready", flush=True)
    for _ in sys.stdin:
        asyncio.run(mailer.work())
        print("done", flush=True)


class Mailer:
    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.render = their_renderer()
        self.sign: Any = import_module("dkim").sign
        self.hand_over: Any = import_module("aiosmtplib").send
        self.private_key = orders.private_key.encode()

    async def work(self) -> None:
        """Until nothing waits."""
        async with asyncio.TaskGroup() as group:
            for _ in range(TASKS):
                group.create_task(self._work())

    async def _work(self) -> None:
        connection = await psycopg.AsyncConnection.connect(self.orders.database_url, autocommit=True)
        async with connection:
            while found := await (await connection.execute(_TAKE)).fetchone():
                await self._one(connection, *found)

    async def _one(self, connection: Any, task: int, customer: int, variables: dict[str, Any]) -> None:
        loaded = await connection.execute("SELECT email, traits FROM mailer.customer WHERE id = %s", [customer])
        address, traits = await loaded.fetchone()
        body = self.render({**variables, "profile": {"traits": traits}})
        order = variables["event"]["properties"]["order_id"]
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"], mail["Subject"] = self.orders.sender, address, f"Your order {order}"
        mail["Date"], mail["Message-ID"] = formatdate(), f"<task-{task}@{self.orders.domain}>"
        mail.set_content(_BLANK.sub("\n", html.unescape(_TAG.sub("", body))).strip())
        mail.add_alternative(body, subtype="html")
        raw = mail.as_bytes()
        names = self.orders.selector.encode(), self.orders.domain.encode()
        signature = self.sign(raw, *names, self.private_key, canonicalize=(b"relaxed", b"relaxed"))
        signed = signature + raw
        sender = mail["From"].addresses[0].addr_spec
        place = {"hostname": "127.0.0.1", "port": self.orders.port, "start_tls": False}
        await self.hand_over(signed, sender=sender, recipients=[address], **place)
        await connection.execute(
            "UPDATE mailer.task SET state = 'sent', sent_at = now(), message_id = %s WHERE id = %s",
            [mail["Message-ID"], task],
        )


if __name__ == "__main__":
    main()
