"""Mail over a real SMTP server: what arrives, what is refused, and what a dead server delays."""

from __future__ import annotations

import email
import email.policy
import socket
import threading
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any

import msgspec
import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from kizuna.config import Config
from kizuna.engine.slice import Workspace
from kizuna.messages import sql_sending
from kizuna.messages.deliver import deliver_remote
from kizuna.messages.desk import Desk
from kizuna.messages.sender import Sender
from kizuna.providers import Accepted, Rejected, Unavailable, all_providers
from kizuna.providers.dkim_key import signer
from kizuna.testing.crew import Bell, Crew
from kizuna.testing.keys import both_kinds
from kizuna.testing.mail import TEMPLATE, plan, put_definition, put_profile, state_of
from kizuna.testing.mail_shop import Shop as MailShop
from kizuna.testing.signed_mail import signed_names, verdicts
from kizuna.testing.tenant import PARTITIONS, make_workspace

Connection = psycopg.Connection[Any]
JAPANESE = "秋の新作コレクションのご案内です。長い件名も、折り返して正しく届きます。"


class Postbox:
    """What the server took; it refuses some addresses as real ones do."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[str], bytes]] = []
        self.arrived = threading.Semaphore(0)

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address.startswith("gone"):
            return "550 5.1.1 no such user"
        if address.startswith("busy"):
            return "451 4.7.1 try later"
        if address.startswith("blocked"):
            return "550 5.7.1 refused by policy"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        self.taken.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        self.arrived.release()
        return "250 2.0.0 taken"

    def mails(self) -> list[EmailMessage]:
        policy = email.policy.default
        parsed = [email.message_from_bytes(raw, policy=policy) for _, _, raw in self.taken]
        return [mail for mail in parsed if isinstance(mail, EmailMessage)]


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, int]]:
    yield from _opened(Postbox())


def _opened(box: Postbox) -> Iterator[tuple[Postbox, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    controller.start()
    try:
        yield box, port
    finally:
        all_providers()["smtp"].close()
        controller.stop()


@pytest.fixture
def shop(connection: Connection, postbox: tuple[Postbox, int]) -> Workspace:
    workspace = make_workspace(connection)
    put_definition(connection, workspace, "template", "hello", {**TEMPLATE, "subject": JAPANESE})
    put_definition(connection, workspace, "provider", "mail", smtp(postbox[1]))
    return Workspace(workspace, "shop", "live", "UTC", "JPY", "opt_out", PARTITIONS)


def smtp(port: int) -> dict[str, Any]:
    settings = {"host": "127.0.0.1", "port": port, "tls": "none", "from": "絆ショップ <news@shop.example>"}
    return {"kind": "smtp", "channel": "email", "settings": settings}


def send(connection: Connection, shop: Workspace) -> Any:
    desk = Desk(PARTITIONS, [b"secret"], "https://kizuna.example")
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        now = sql_sending.now(cursor, shop.id)
    return deliver_remote(connection, desk, shop, "email", now)


def test_a_planned_mail_arrives_whole(connection: Connection, shop: Workspace, postbox: tuple[Postbox, int]) -> None:
    message = plan(connection, shop.id, put_profile(connection, shop.id, "ada"))
    assert isinstance(send(connection, shop), Accepted)
    assert state_of(connection, message) == ("sent", None)
    (mail,) = postbox[0].mails()
    assert mail["Subject"] == JAPANESE
    assert mail["To"] == "ada@example.com"
    assert mail["From"].addresses[0].display_name == "絆ショップ"
    assert mail["List-Unsubscribe"].startswith("<https://kizuna.example/u/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Message-ID"].endswith("@shop.example>")
    assert mail.get_content_type() == "multipart/alternative"
    text, html = [part.get_content() for part in mail.iter_parts()]  # type: ignore[attr-defined]
    assert "Hi Ada" in text
    assert "<p>Hi Ada, " in html
    raw = postbox[0].taken[0][2]
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert raw.isascii()


def test_a_mail_that_was_really_sent_bears_a_good_signature_of_each_key(
    connection: Connection, shop: Workspace, postbox: tuple[Postbox, int]
) -> None:
    keys = both_kinds()
    dns = {record["name"]: record["value"] for record in (signer(key).record() for key in keys)}
    body = smtp(postbox[1])
    body["settings"]["dkim"] = [msgspec.structs.asdict(key) for key in keys]
    put_definition(connection, shop.id, "provider", "mail", body)
    dotted = {
        **TEMPLATE,
        "format": "liquid+text",
        "subject": JAPANESE,
        "body": ".\n..\n {{ profile.traits.name }} \n\n",
    }
    put_definition(connection, shop.id, "template", "hello", {**TEMPLATE, "subject": JAPANESE})
    plan(connection, shop.id, put_profile(connection, shop.id, "ada"), due_at=1)
    send(connection, shop)
    put_definition(connection, shop.id, "template", "hello", dotted)
    plan(connection, shop.id, put_profile(connection, shop.id, "joan", email="秋@例え.jp"), due_at=2)
    send(connection, shop)
    raws = [raw for _, _, raw in postbox[0].taken]
    assert [verdicts(raw, dns) for raw in raws] == [["pass", "pass"]] * 2
    asked = {"from", "to", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post"}
    assert all(asked <= set(names) for raw in raws for names in signed_names(raw))
    assert [str(mail["Subject"]) for mail in postbox[0].mails()] == [JAPANESE] * 2


def test_a_key_that_cannot_be_read_sends_nothing_unsigned(
    connection: Connection, shop: Workspace, postbox: tuple[Postbox, int]
) -> None:
    body = smtp(postbox[1])
    key = both_kinds()[0]
    body["settings"]["dkim"] = [{**msgspec.structs.asdict(key), "private_key": "lost"}]
    put_definition(connection, shop.id, "provider", "mail", body)
    message = plan(connection, shop.id, put_profile(connection, shop.id, "ada"))
    assert isinstance(send(connection, shop), Unavailable)
    assert state_of(connection, message) == ("planned", None)
    assert not postbox[0].taken


def test_an_address_alone_is_written_to_until_it_bounces(
    open_house: Callable[..., Any], database_url: str, postbox: tuple[Postbox, int]
) -> None:
    house = open_house()
    front = MailShop(house)
    front.put("/api/v1/providers/mail", smtp(postbox[1]))

    def say(address: str) -> tuple[str, str | None]:
        body = {"to": address, "channel": "email", "template": "hello", "transactional": True}
        answer = house.client.post(
            "/api/v1/messages", json=body, headers=front.auth | {"Idempotency-Key": "k" + address}
        )
        shown: dict[str, Any] = {}
        for _ in range(2000):  # its sender writes down on its own what came of it
            shown = front.get(f"/api/v1/messages/{answer.json()['id']}", answer.headers["kizuna-position"])
            if shown["state"] not in ("planned", "claimed", "handed", "rejected"):
                break
        return shown.get("state", ""), shown.get("reason")

    with Crew(Config(database_url=database_url)):
        assert [say("new@b.example") for _ in range(2)] == [("sent", None)] * 2
        assert say("gone@b.example")[0] == "bounced"
        assert say("Gone@b.example") == ("skipped", "suppressed")
    (mail,) = postbox[0].mails()
    assert mail["To"] == "new@b.example"
    assert mail["List-Unsubscribe"] is None


def test_the_sender_process_delivers_what_is_planned(
    connection: Connection, shop: Workspace, postbox: tuple[Postbox, int], database_url: str
) -> None:
    for number in range(25):
        plan(connection, shop.id, put_profile(connection, shop.id, f"user{number}"))
    bell = Bell()
    sender = Sender(Config(database_url=database_url, public_url="https://kizuna.example"), bell)
    thread = threading.Thread(target=sender.work)
    thread.start()
    try:
        assert all(postbox[0].arrived.acquire(timeout=30) for _ in range(25))
    finally:
        bell.ring()
        thread.join(30)
    assert len({to for _, (to,), _ in postbox[0].taken}) == len(postbox[0].taken) == 25
    states = connection.execute("SELECT state, count(*)::integer FROM message GROUP BY 1").fetchall()
    connection.commit()
    assert states == [("sent", 25)]


@pytest.mark.parametrize(
    ("user", "state", "bounced"),
    [("gone", "rejected", True), ("blocked", "rejected", False), ("busy", "planned", False)],
)
def test_replies_of_the_server_decide(
    connection: Connection, shop: Workspace, user: str, state: str, bounced: bool
) -> None:
    message = plan(connection, shop.id, put_profile(connection, shop.id, user))
    outcome = send(connection, shop)
    assert state_of(connection, message)[0] == state
    assert isinstance(outcome, Unavailable if state == "planned" else Rejected)
    assert isinstance(outcome, Rejected) is (state == "rejected")
    if isinstance(outcome, Rejected):
        assert (outcome.bounce == "hard") is bounced


def test_a_refused_mail_does_not_spoil_the_next(
    connection: Connection, shop: Workspace, postbox: tuple[Postbox, int]
) -> None:
    for user in ("gone", "ada", "gone2", "grace"):
        plan(connection, shop.id, put_profile(connection, shop.id, user))
    for _ in range(4):
        send(connection, shop)
    assert sorted(to for _, (to,), _ in postbox[0].taken) == ["ada@example.com", "grace@example.com"]


def test_a_dead_server_delays_and_loses_nothing(connection: Connection, shop: Workspace) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: refused
        put_definition(connection, shop.id, "provider", "mail", smtp(closed.getsockname()[1]))
        connection.execute("UPDATE definition SET retired = 1 WHERE kind = 'provider' AND introduced < 3")
        connection.commit()
        message = plan(connection, shop.id, put_profile(connection, shop.id, "ada"))
        started = time.monotonic()
        assert isinstance(send(connection, shop), Unavailable)
        assert time.monotonic() - started < 10
    assert state_of(connection, message) == ("planned", None)


def test_a_name_that_would_begin_a_header_is_harmless(
    connection: Connection, shop: Workspace, postbox: tuple[Postbox, int]
) -> None:
    put_definition(connection, shop.id, "template", "hello", {**TEMPLATE, "subject": "Hi {{ profile.traits.name }}"})
    ada = put_profile(connection, shop.id, "ada", name="Ada\r\nBcc: all@example.com\r\n\r\nbody")
    plan(connection, shop.id, ada)
    send(connection, shop)
    (mail,) = postbox[0].mails()
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Hi Ada Bcc: all@example.com body"
    evil = put_profile(connection, shop.id, "evil", email="a@example.com\r\nRCPT TO:<b@example.com>")
    message = plan(connection, shop.id, evil)
    send(connection, shop)
    assert state_of(connection, message) == ("skipped", "invalid_address")


class Pipelining(Postbox):
    """Takes commands in groups, as most servers do (RFC 2920)."""

    async def handle_EHLO(
        self, server: SMTP, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]


@pytest.fixture
def grouping() -> Iterator[tuple[Postbox, int]]:
    yield from _opened(Pipelining())


def test_a_server_that_takes_commands_in_groups_gets_them_so_and_refuses_one_by_one(
    connection: Connection, shop: Workspace, grouping: tuple[Postbox, int]
) -> None:
    put_definition(connection, shop.id, "provider", "mail", smtp(grouping[1]))
    users = ("ada", "gone", "grace", "busy", "blocked", "wide", "joan")
    addresses = {"wide": "秋@例え.jp"}
    people = [
        put_profile(connection, shop.id, user, email=addresses.get(user, f"{user}@example.com")) for user in users
    ]
    messages = [plan(connection, shop.id, person, due_at=at) for at, person in enumerate(people, 1)]
    for _ in users:
        send(connection, shop)
    states = [state_of(connection, message)[0] for message in messages]
    assert states == ["sent", "rejected", "sent", "planned", "rejected", "sent", "sent"]
    taken = [to for _, (to,), _ in grouping[0].taken]
    assert taken == ["ada@example.com", "grace@example.com", "秋@xn--r8jz45g.jp", "joan@example.com"]
