"""Thousands opt out, in every way there is, while they are being written to: nobody hears from us after the answer.

What is compared is what a customer could see. The client notes the instant at which the answer of the opt-out was
there, the mail server that at which it read the recipient, on one clock. An opt-out is answered only when nothing that
was claimed before it is on its way (`consent.outlast`), so the second instant never comes after the first; nor is
there a message that was claimed later. Without that wait this test fails.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest

from kizuna.messages.links import PREFERENCES, UNSUBSCRIBE, Signer, Ticket
from kizuna.providers.vault import secrets_of
from kizuna.runtime.database import connect
from kizuna.runtime.folder import Running
from kizuna.testing.mail_server import TAKEN, Act, MailServer
from kizuna.testing.shop import Shop, identify

PEOPLE = int(os.environ.get("KIZUNA_TEST_RACE", "1000"))  # in full 10000
AT_ONCE = 1_000  # events a request
CLIENTS = 16
A_FILE = 5  # people
RATE = 110  # mails a second: about as many as opt out
SEED = 52
PATIENCE = 300.0
TOPIC = "offers"  # of the campaign that they opt out of
CHOICES = {
    "kind": "profiles",
    "columns": {"who": "userId"},
    "consent": {"column": "mail", "channel": "email", "states": {"no": "opted_out"}},
}

COMPLAINT = """From: fbl@isp.example
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b

A complaint.
--b
Content-Type: message/feedback-report

Feedback-Type: abuse
Version: 1
User-Agent: test
Original-Rcpt-To: {address}

--b--
"""


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer(lambda recipient, times: Act(TAKEN, "", 0.01)) as server:
        yield server


def test_nothing_is_sent_after_an_opt_out_was_answered(
    open_shop: Callable[..., Shop], running: Running, server: MailServer
) -> None:
    shop = open_shop(clock="live")
    people = [f"u{number}" for number in range(PEOPLE)]
    for start in range(0, PEOPLE, AT_ONCE):
        shop.send(*(identify(user, email=address_of(user)) for user in people[start : start + AT_ONCE]))
    shop.template("hello", "Hello")
    shop.segment("all", {"trait": "email", "exists": True})
    with connect(running.database_url, autocommit=True) as database:
        workspace = int(shop.made["id"].removeprefix("wsp_"))
        launch(shop, "welcome")  # into the built-in outbox: these mails bear the links to opt out by
        until(lambda: ends(database, workspace, "welcome") == {("sent", None): PEOPLE})
        leaving = Leaving(running.url, shop, tokens(database, workspace))
        mail = {"kind": "smtp", "channel": "email", "settings": server.settings, "rate": RATE}
        shop.ask("PUT", "/api/v1/providers/mail", mail)
        launch(shop, "sale")
        leaving.all(people)
        until(lambda: not {"planned", "claimed", "handed"} & {state for state, _ in ends(database, workspace, "sale")})
        states = ends(database, workspace, "sale")
    told = {each.recipient: each.told_at for each in server.taken}
    late = [
        (user, told[address_of(user)] - at)
        for user, at in leaving.answered.items()
        if told.get(address_of(user), 0) > at
    ]
    during = sum(leaving.asked[user] < told.get(address_of(user), 0) < at for user, at in leaving.answered.items())
    print(
        f"{len(told)} sent, {PEOPLE - len(told)} not; {during} while their opt-out was under way; {leaving.figures()}"
    )
    assert len(leaving.answered) == PEOPLE
    assert late == []
    assert len(server.taken) == len(told) == states[("sent", None)]
    assert states[("skipped", "no_consent")] + states[("skipped", "suppressed")] == PEOPLE - len(told)


class Leaving:
    """Clients through which people opt out, each in one of these ways; keeps when they asked and were answered."""

    def __init__(self, url: str, shop: Shop, tokens: dict[str, tuple[str, str]]) -> None:
        self.url, self.shop, self.tokens = url, shop, tokens
        self.asked: dict[str, float] = {}
        self.answered: dict[str, float] = {}
        self.took: list[float] = []

    def all(self, people: list[str]) -> None:
        order = random.Random(SEED).sample(people, len(people))  # a plan that can be told again
        listed, order = order[: len(order) // 8], order[len(order) // 8 :]
        clients = [threading.Thread(target=self._some, args=(order[first::CLIENTS],)) for first in range(CLIENTS)]
        clients.append(threading.Thread(target=self._listed, args=(listed,)))
        for client in clients:
            client.start()
        for client in clients:
            client.join()

    def figures(self) -> str:
        took = sorted(self.took)
        return f"answered after {took[len(took) // 2] * 1000:.0f} ms at half, {took[-1] * 1000:.0f} ms at worst"

    def _some(self, people: list[str]) -> None:
        ways = [
            self._by_one_click, self._by_page, self._by_api, self._by_complaint, self._by_preferences,
            self._by_many, self._by_event,
        ]  # fmt: skip
        with httpx.Client(base_url=self.url, timeout=60, headers=self._key()) as client:
            for number, user in enumerate(people):
                self._note([user], partial(ways[number % len(ways)], client, user))

    def _listed(self, people: list[str]) -> None:
        """Imports stand in line, so one client brings them, some people a file."""
        with httpx.Client(base_url=self.url, timeout=60, headers=self._key()) as client:
            for start in range(0, len(people), A_FILE):
                some = people[start : start + A_FILE]
                self._note(some, partial(self._by_import, client, some))

    def _note(self, people: list[str], leave: Callable[[], httpx.Response]) -> None:
        began = time.time()
        self.asked.update(dict.fromkeys(people, began))
        answer = leave()
        answered = time.time()
        assert answer.status_code == 200, answer.text
        self.answered.update(dict.fromkeys(people, answered))
        self.took.append(answered - began)

    def _key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.shop.made['api_key']}"}

    def _by_one_click(self, client: httpx.Client, user: str) -> httpx.Response:
        return client.post(f"/u/{self.tokens[user][0]}", data={"List-Unsubscribe": "One-Click"})

    def _by_page(self, client: httpx.Client, user: str) -> httpx.Response:
        return client.post(f"/u/{self.tokens[user][0]}", data={"unsubscribe": "channel"})

    def _by_preferences(self, client: httpx.Client, user: str) -> httpx.Response:
        return client.post(f"/p/{self.tokens[user][1]}", data={"channel": "email", "state": "opted_out"})

    def _by_api(self, client: httpx.Client, user: str) -> httpx.Response:
        said = {"channel": "email", "state": "opted_out", "source": "support"}
        return client.put(f"/api/v1/profiles/user:{user}/consent", json=said)

    def _by_many(self, client: httpx.Client, user: str) -> httpx.Response:
        said = {"profile": f"user:{user}", "channel": "email", "state": "opted_out", "source": "crm"}
        return client.post("/api/v1/consent/import", json={"items": [said]})

    def _by_event(self, client: httpx.Client, user: str) -> httpx.Response:
        context = {"consent": {"categoryPreferences": {TOPIC: False, "analytics": True}}}
        return client.post("/v1/identify", json={"userId": user, "context": context})

    def _by_import(self, client: httpx.Client, people: list[str]) -> httpx.Response:
        """At once it answers that it began; its word is that it is finished."""
        file = "\n".join(["who,mail", *(f"{user},no" for user in people)])
        began = client.post("/api/v1/imports", params={"map": json.dumps(CHOICES)}, content=file)
        assert began.status_code == 202, began.text
        while True:
            answer = client.get(f"/api/v1/imports/{began.json()['id']}")
            if answer.json()["state"] != "running":
                return answer
            time.sleep(0.01)

    def _by_complaint(self, client: httpx.Client, user: str) -> httpx.Response:
        mail = COMPLAINT.format(address=address_of(user))
        return client.post("/reports/email", content=mail, headers={"Content-Type": "message/rfc822"})


def address_of(user: str) -> str:
    return f"{user}@example.com"


def tokens(database: psycopg.Connection[Any], workspace: int) -> dict[str, tuple[str, str]]:
    """By user, those of the unsubscribe and the preference page that their message bears."""
    (secret,) = database.execute("SELECT secret FROM installation").fetchone() or (b"",)
    signer = Signer(secrets_of(secret, ""))
    rows = database.execute(
        "SELECT p.traits ->> 'email', m.id FROM message m JOIN profile p ON p.workspace = m.workspace"
        " AND p.id = m.profile WHERE m.workspace = %s",
        [workspace],
    )
    return {
        email.partition("@")[0]: (
            signer.token(Ticket(workspace, message, UNSUBSCRIBE)),
            signer.token(Ticket(workspace, message, PREFERENCES)),
        )
        for email, message in rows.fetchall()
    }


def launch(shop: Shop, campaign: str) -> None:
    send = {"channel": "email", "template": "hello", "topic": TOPIC}
    shop.ask("PUT", f"/api/v1/campaigns/{campaign}", {"segment": "all", "send": send})
    shop.get("/api/v1/segments/all")
    assert shop.ask("POST", f"/api/v1/campaigns/{campaign}/launch", expect=202)["members"] == PEOPLE


def ends(database: psycopg.Connection[Any], workspace: int, campaign: str) -> Counter[tuple[str, str | None]]:
    rows = database.execute(
        "SELECT state, reason, count(*) FROM message WHERE workspace = %s AND campaign = %s GROUP BY 1, 2",
        [workspace, campaign],
    )
    return Counter({(state, reason): number for state, reason, number in rows.fetchall()})


def until(is_so: Callable[[], bool]) -> None:
    """Asks until it is so."""
    last = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < last, "it never came true"
        time.sleep(0.02)
