"""`send`: personalised, signed mails from the ledger to an SMTP sink, beside a product that has a task for each."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from statistics import median
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from rich.console import Console

from kizuna.bench import pipeline, send_peer, workload
from kizuna.bench.house import House
from kizuna.bench.mail_sink import mail_sink
from kizuna.bench.render import MAIL, data
from kizuna.runtime.database import connect

ROUNDS, LIGHT_ROUNDS = 5, 3
MAILS, PEER_MAILS = 2_000, 300  # a round: each side some seconds
KEY_BITS = 2048
SENDER, DOMAIN, SELECTOR = "Ginza Linen <orders@shop.example>", "shop.example", "bench"
LIMIT_RATIO, LIMIT_PER_SECOND = 5, 1_000
ALONE_MAILS, ALONE_CONNECTIONS = 4_000, 4
LOOK = 0.02  # seconds between looks at what is left


def run(house: House, screen: Console) -> Iterator[str]:
    key = private_key()
    with ExitStack() as stack:
        sink = stack.enter_context(mail_sink(screen))
        alone = _alone(sink.port)
        prepare(house)
        set_provider(house, sink.port, key)
        peer = None
        if send_peer.is_installed():
            orders = send_peer.Orders(house.database_url, sink.port, SENDER, DOMAIN, SELECTOR, key)
            peer = stack.enter_context(send_peer.peer(orders))
        ours: list[float] = []
        theirs: list[float] = []
        for number in range(ROUNDS + 1):
            plan(house, range(number * MAILS, (number + 1) * MAILS))
            if peer:
                peer.plan(range(number * PEER_MAILS, (number + 1) * PEER_MAILS))
            first, second = MAILS / send_all(house), PEER_MAILS / peer.send() if peer else 0.0
            screen.print(f"round {number}: {first:,.0f} mails/s, peer {second:,.0f}")
            if number:  # the first round warms both
                ours.append(first)
                theirs.append(second)
        set_provider(house, sink.port, light_key(), "ed25519-sha256")
        light: list[float] = []
        for number in range(ROUNDS + 1, ROUNDS + 1 + LIGHT_ROUNDS):
            plan(house, range(number * MAILS, (number + 1) * MAILS))
            light.append(MAILS / send_all(house))
    expected = ALONE_MAILS + (ROUNDS + 1) * (MAILS + (PEER_MAILS if peer else 0)) + LIGHT_ROUNDS * MAILS
    assert sink.taken in (None, expected), f"{sink.taken} mails came, not {expected}"  # noqa: S101
    signed = f"signed with RSA-{KEY_BITS}, one key"
    yield f"{median(ours):,.0f} mails/s, {signed}; {sink.name} alone takes {alone:,.0f} (limit {LIMIT_PER_SECOND:,})"
    yield f"{median(light):,.0f} mails/s, signed with an Ed25519 key"
    if peer is None:
        yield f"no peer: `{send_peer.INSTALL}` beside Kizuna to compare"
        return
    ratio = median(ours) / median(theirs)
    yield f"a task a mail: {median(theirs):,.0f} mails/s, the same key; ratio {ratio:.1f} (limit {LIMIT_RATIO})"


def private_key() -> str:
    made = rsa.generate_private_key(65537, KEY_BITS)
    return made.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def light_key() -> str:
    made = ed25519.Ed25519PrivateKey.generate()
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def prepare(house: House) -> None:
    """A journey that confirms every order."""
    body = "{% assign shop = data.shop %}" + MAIL
    subject = "Your order {{ event.properties.order_id }}"
    template = {"channel": "email", "subject": subject, "body": body, "format": "liquid+html"}
    house.call("PUT", "/api/v1/templates/order", template)
    send = {"channel": "email", "template": "order", "topic": "orders", "data": {"shop": data(0)["shop"]}}
    journey = {
        "entry": {"on": {"event": "Order Completed"}, "again": "always"},
        "steps": [{"id": "confirm", "send": send}],
    }
    house.call("PUT", "/api/v1/journeys/orders", journey)
    house.call("POST", "/api/v1/journeys/orders/publish", {})


def set_provider(house: House, port: int, key: str, algorithm: str = "rsa-sha256") -> None:
    dkim = [{"domain": DOMAIN, "selector": SELECTOR, "algorithm": algorithm, "private_key": key}]
    settings = {"host": "127.0.0.1", "port": port, "tls": "none", "from": SENDER, "dkim": dkim}
    house.call("PUT", "/api/v1/providers/mail", {"kind": "smtp", "channel": "email", "settings": settings})


def plan(house: House, numbers: range) -> None:
    """A mail for each number stands planned, while all sending is paused."""
    house.call("POST", "/api/v1/sending/email/pause", {})
    events: list[dict[str, Any]] = []
    for number in numbers:
        said = data(number)
        who = f"p-{number}"
        traits = {**said["profile"]["traits"], "email": f"{who}@shop.example"}
        events.append({"type": "identify", "userId": who, "messageId": f"i-{number}", "traits": traits})
        order = {"type": "track", "event": "Order Completed", "properties": said["event"]["properties"]}
        events.append({**order, "userId": who, "messageId": f"o-{number}"})
    pipeline.send(house, workload.requests(events))


def send_all(house: House) -> float:
    """Seconds from the word to go until the ledger says of each that it was sent, and the log's facts are folded."""
    began = time.perf_counter()
    house.call("POST", "/api/v1/sending/email/resume", {})
    with connect(house.database_url, name="kizuna bench", autocommit=True) as connection:
        while _is_any(connection, "message WHERE state IN ('planned', 'claimed', 'handed')"):
            time.sleep(LOOK)
        while _is_any(connection, 'log_head WHERE "offset" > applied'):
            time.sleep(LOOK)
        seconds = time.perf_counter() - began
        assert not _is_any(connection, "message WHERE state <> 'sent'"), "not every mail was sent"  # noqa: S101
    return seconds


def _is_any(connection: Any, which: str) -> bool:
    """Asked often: counting them would cost a tenth of what it costs to send them."""
    return connection.execute(f"SELECT EXISTS (SELECT FROM {which})").fetchone()[0]  # noqa: S608


# the sink alone ------------------------------------------------------------------------------------------------------


def _alone(port: int) -> float:
    """Mails a second that the sink takes of ready bytes, over connections that stay."""
    raw = b"Subject: ready\r\n\r\n" + (b"x" * 76 + b"\r\n") * 240 + b".\r\n"
    each = ALONE_MAILS // ALONE_CONNECTIONS
    with ThreadPoolExecutor(ALONE_CONNECTIONS) as pool:
        began = time.perf_counter()
        list(pool.map(lambda _: _pour(port, raw, each), range(ALONE_CONNECTIONS)))
        return ALONE_MAILS / (time.perf_counter() - began)


def _pour(port: int, raw: bytes, count: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line, line.makefile("rb") as answers:
        answers.readline()
        line.sendall(b"HELO bench\r\n")
        answers.readline()
        for _ in range(count):
            line.sendall(b"MAIL FROM:<a@shop.example>\r\nRCPT TO:<b@shop.example>\r\nDATA\r\n")
            for _ in range(3):
                answers.readline()
            line.sendall(raw)
            answers.readline()
