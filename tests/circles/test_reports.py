"""What comes back about mails: a delivery status posted is a bounce, and nobody writes to that address again."""

from __future__ import annotations

import email
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from kizuna.config import Config
from kizuna.providers import all_providers
from kizuna.testing.crew import Crew
from kizuna.testing.mail import TEMPLATE

MAIL = {"Content-Type": "message/rfc822"}


class Postbox:
    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.arrived = threading.Semaphore(0)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append(envelope.content)
        self.arrived.release()
        return "250 2.0.0 taken"


class Shop:
    """A house with a workspace, and the words of a test."""

    def __init__(self, house: Any) -> None:
        self.house = house
        self.workspace = house.workspace()
        self.auth = house.bearer(self.workspace)
        self.ask("PUT", "/api/v1/templates/hello", json=TEMPLATE)

    def ask(self, method: str, path: str, after: str = "", **more: Any) -> Any:
        headers = self.auth | ({"Kizuna-After": after} if after else {}) | more.pop("headers", {})
        answer = self.house.client.request(method, path, headers=headers, **more)
        assert answer.status_code < 300, answer.text
        return answer

    def identify(self, user: str) -> None:
        body = {"userId": user, "traits": {"email": f"{user}@example.com", "name": user.title()}}
        key = {"Authorization": f"Bearer {self.workspace['write_key']}"}
        answer = self.house.client.post("/v1/identify", json=body, headers=key)
        self.ask("GET", f"/api/v1/profiles/user:{user}", answer.headers["kizuna-position"])

    def say(self, user: str, **more: Any) -> dict[str, Any]:
        body = {"profile": f"user:{user}", "channel": "email", "template": "hello", **more}
        answer = self.ask("POST", "/api/v1/messages", json=body)
        return self.ask("GET", f"/api/v1/messages/{answer.json()['id']}", answer.headers["kizuna-position"]).json()

    def message(self, message: str, after: str = "") -> dict[str, Any]:
        return self.ask("GET", f"/api/v1/messages/{message}", after).json()

    def post(self, raw: str, auth: dict[str, str] | None = None) -> Any:
        headers = (auth or self.auth) | MAIL
        return self.house.client.post("/reports/email", content=raw.encode(), headers=headers)

    def consent(self, user: str, after: str = "") -> dict[str, Any]:
        return self.ask("GET", f"/api/v1/profiles/user:{user}", after).json()["consent"]


@pytest.fixture
def shop(open_house: Callable[..., Any], database_url: str) -> Iterator[Shop]:
    with Crew(Config(database_url=database_url)):
        yield Shop(open_house())


@pytest.fixture
def postbox(shop: Shop) -> Iterator[Postbox]:
    """The workspace mails over SMTP, to here."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    box = Postbox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    settings = {"host": "127.0.0.1", "port": port, "tls": "none", "from": "news@shop.example"}
    shop.ask("PUT", "/api/v1/providers/mail", json={"kind": "smtp", "channel": "email", "settings": settings})
    try:
        yield box
    finally:
        all_providers()["smtp"].close()
        controller.stop()


def status_mail(message_id: str, address: str, status: str, said: str, action: str = "failed") -> str:
    return (
        "From: MAILER-DAEMON@mx.example\nSubject: Undelivered Mail Returned to Sender\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry.\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {said}\n"
        f"\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {message_id}\nTo: {address}\n--b--\n"
    )


def complaint(message_id: str, address: str) -> str:
    return (
        "From: fbl@isp.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
        "--b\n\nA complaint.\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n\n"
        f"--b\nContent-Type: message/rfc822\n\nMessage-ID: {message_id}\nTo: {address}\n\nHi\n--b--\n"
    )


HARD = ("5.1.1", "550 5.1.1 User unknown")
FULL = ("5.2.2", "552 5.2.2 Mailbox full")


def test_a_mail_that_comes_back_is_bounced_and_the_next_is_not_sent(shop: Shop, postbox: Postbox) -> None:
    shop.identify("ada")
    said = shop.say("ada")
    assert postbox.arrived.acquire(timeout=30)
    (mail,) = [email.message_from_bytes(raw) for raw in postbox.taken]
    answer = shop.post(status_mail(mail["Message-ID"], "ada@example.com", *HARD))
    assert answer.status_code == 200, answer.text
    assert answer.json()["results"] == [
        {
            "address": "ada@example.com", "kind": "bounce", "class": "hard", "reason": "unknown_user",
            "status": "5.1.1", "reply_code": "550",
        }
    ]  # fmt: skip
    assert shop.consent("ada", answer.headers["kizuna-position"])["email"]["suppressed"] == "hard_bounce"
    bounced = shop.message(said["id"])
    assert (bounced["state"], bounced["reason"]) == ("bounced", "unknown_user")
    following = shop.say("ada", transactional=True)
    assert (following["state"], following["reason"]) == ("skipped", "suppressed")
    assert len(postbox.taken) == 1
    assert shop.house.sql("SELECT channel, address, reason FROM suppression") == [
        ("email", "ada@example.com", "hard_bounce")
    ]
    assert shop.house.sql("SELECT what FROM harm") == [("hard_bounce",)]  # what guards count


def test_the_same_report_counts_once_and_five_different_ones_suppress(shop: Shop) -> None:
    shop.identify("ada")
    for number in range(5):
        said = shop.say("ada")
        raw = status_mail(f"<{said['id']}@shop.example>", "ada@example.com", *FULL)
        answers = [shop.post(raw) for _ in range(3)]
        assert [each.status_code for each in answers] == [200] * 3
        assert [("kizuna-position" in each.headers) for each in answers] == [True, False, False]
        after = answers[0].headers["kizuna-position"]
        is_last = number == 4
        assert shop.consent("ada", after).get("email", {}).get("suppressed") == ("soft_bounces" if is_last else None)
    assert shop.say("ada")["reason"] == "suppressed"


def test_a_report_posted_twice_at_once_counts_once(shop: Shop) -> None:
    shop.identify("ada")
    raw = status_mail(f"<{shop.say('ada')['id']}@shop.example>", "ada@example.com", *FULL)
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(shop.post(raw))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [each.status_code for each in answers] == [200] * 4
    assert sum("kizuna-position" in each.headers for each in answers) == 1


def test_what_is_wrong_with_the_mail_or_with_us_is_not_held_against_the_address(shop: Shop) -> None:
    shop.identify("ada")
    for status, reply in [("5.7.1", "554 5.7.1 blocked using zen.example"), ("5.3.4", "552 5.3.4 Message too big")] * 3:
        said = shop.say("ada")
        answer = shop.post(status_mail(f"<{said['id']}@shop.example>", "ada@example.com", status, reply))
        assert shop.message(said["id"], answer.headers["kizuna-position"])["state"] == "bounced"
    assert shop.say("ada")["state"] == "sent"


def test_a_complaint_ends_marketing_at_once_and_receipts_still_go(shop: Shop) -> None:
    shop.identify("ada")
    said = shop.say("ada")
    answer = shop.post(complaint(f"<{said['id']}@shop.example>", "ada@example.com"))
    assert answer.json()["results"][0]["kind"] == "complaint"
    assert shop.say("ada")["state"] == "skipped"
    assert shop.message(said["id"], answer.headers["kizuna-position"])["state"] == "complained"
    assert shop.say("ada", transactional=True)["state"] == "sent"


def test_a_complaint_is_of_all_who_have_the_address(shop: Shop) -> None:
    key = {"Authorization": f"Bearer {shop.workspace['write_key']}"}
    batch = [{"type": "identify", "userId": f"u{n}", "traits": {"email": "us@example.com"}} for n in range(25)]
    answer = shop.house.client.post("/v1/batch", json={"batch": batch}, headers=key)
    shop.ask("GET", "/api/v1/profiles/user:u0", answer.headers["kizuna-position"])
    last = shop.post(complaint("<1@elsewhere.example>", "us@example.com")).headers["kizuna-position"]
    states = [shop.consent(f"u{number}", last)["email"]["state"] for number in range(25)]
    assert states == ["opted_out"] * 25


def test_delays_and_vacation_notes_change_nothing(shop: Shop) -> None:
    shop.identify("ada")
    said = shop.say("ada")
    delayed = status_mail(f"<{said['id']}@shop.example>", "ada@example.com", "4.4.1", "timed out", "delayed")
    vacation = (
        f"From: ada@example.com\nSubject: Away\nAuto-Submitted: auto-replied\nIn-Reply-To: <{said['id']}@x>\n\nBye"
    )
    for raw, kind in ((delayed, "delayed"), (vacation, "auto_reply")):
        answer = shop.post(raw)
        assert answer.json()["results"][0]["kind"] == kind
        assert "kizuna-position" not in answer.headers
    assert shop.message(said["id"])["state"] == "sent"
    assert shop.say("ada")["state"] == "sent"


def test_a_mail_that_is_not_known_suppresses_customers_only(shop: Shop) -> None:
    shop.identify("ada")
    known = shop.post(status_mail("<1@elsewhere.example>", "Ada@example.com", *HARD))
    shop.consent("ada", known.headers["kizuna-position"])
    stranger = shop.post(status_mail("<2@elsewhere.example>", "stranger@example.com", *HARD))
    assert stranger.json()["results"][0]["class"] == "hard"
    assert "kizuna-position" not in stranger.headers
    assert shop.house.sql("SELECT address FROM suppression") == [("ada@example.com",)]


def test_a_bounce_of_no_mail_of_ours_is_not_believed_where_our_mails_are_read(shop: Shop) -> None:
    shop.identify("ada")
    said = shop.say("ada")
    item = shop.ask("GET", "/api/v1/outbox").json()["items"][0]
    pixel = re.search(r"/o/[^\"]+\.gif", item["body"])
    assert pixel
    opened = shop.house.client.get(pixel.group())
    assert shop.message(said["id"], opened.headers["kizuna-position"])["state"] == "opened"
    for number in range(6):
        forged = shop.post(status_mail(f"<{number}@elsewhere.example>", "ada@example.com", *HARD))
        assert forged.json()["results"][0]["class"] == "hard"
        assert "kizuna-position" not in forged.headers
    named = shop.post(status_mail(f"<{said['id']}@shop.example>", "ada@example.com", *HARD))
    assert shop.consent("ada", named.headers["kizuna-position"])["email"]["suppressed"] == "hard_bounce"


def test_walls_between_workspaces_hold_and_a_key_for_events_may_not_report(shop: Shop) -> None:
    shop.identify("ada")
    said = shop.say("ada")
    raw = status_mail(f"<{said['id']}@shop.example>", "ada@example.com", *HARD)
    other = shop.house.bearer(shop.house.workspace("other"))
    assert shop.post(raw, other).status_code == 200
    assert shop.post(raw, {"Authorization": f"Bearer {shop.workspace['write_key']}"}).status_code == 403
    assert shop.post(raw, shop.house.key(shop.workspace, "analyst")).status_code == 403
    assert shop.post(raw, {"Authorization": "Bearer nobody"}).status_code == 401
    assert shop.house.sql("SELECT count(*)::integer FROM told") == [(0,)]
    assert shop.say("ada")["state"] == "sent"


def test_what_is_no_mail_is_refused(shop: Shop) -> None:
    post = shop.house.client.post
    large = post("/reports/email", content=b"x" * (1024 * 1024 + 1), headers=shop.auth | MAIL)
    assert (large.status_code, large.json()["code"]) == (413, "mail_too_large")
    empty = post("/reports/email", content=b" ", headers=shop.auth | MAIL)
    assert (empty.status_code, empty.json()["code"]) == (400, "empty_mail")
    other = post("/reports/email", json={}, headers=shop.auth)
    assert (other.status_code, other.json()["code"]) == (415, "unsupported_media_type")
