"""Providers that fail in every way and a sender that is killed again and again: nobody is written to twice.

Two campaigns, one by SMTP and one over an HTTP API, each before a real server that refuses, hangs, hangs up and answers
late by a plan that its seed tells again, while one-time codes are said through the SMTP server too. At the end the
ledger, what the API says of it, and what the servers took are compared message by message.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from kizuna.accounts import workspaces
from kizuna.core import ids
from kizuna.messages.deliver import LEASE_SECONDS
from kizuna.messages.sender import LANE_BATCH, LANE_THREADS
from kizuna.runtime.database import Database, connect
from kizuna.testing.killing import Killable
from kizuna.testing.mail_server import DATA, DOT, DROPS, RCPT, TAKEN, Act, MailServer
from kizuna.testing.receiver import HANGS, HANGS_UP, Asked, Receiver, Told
from kizuna.testing.shop import Shop, identify

BY_SMTP = int(os.environ.get("KIZUNA_TEST_STORM", "1000"))  # in full 50000
BY_API = BY_SMTP // 4
CODES = 30
KILLS = 3 if BY_SMTP < 10_000 else 20
SEED = 8
AT_ONCE = 1_000  # events a request
PATIENCE = 900.0
LOOK = 0.02  # seconds
OBEYED, ASKED_TO_WAIT = 1.5, 4  # seconds within which a Retry-After is obeyed (1 is promised), and its length

# What happens to how many of a thousand recipients, and what is sure to happen to how many (those make a lane rest).
OFTEN = [
    (20, Act(RCPT, "450 4.2.1 mailbox busy")), (20, Act(RCPT, "550 5.1.1 no such user")), (5, Act(DOT, "550 5.7.1 no")),
    (5, Act(DATA, DROPS)), (5, Act(DOT, DROPS)), (5, Act(TAKEN, DROPS)), (10, Act(TAKEN, "", 0.2)),
]  # fmt: skip
FEW = [
    Act(RCPT, "421 4.3.2 closing"), Act(RCPT, "451 4.7.1 later"), Act(RCPT, DROPS), Act(DOT, "451 4.3.0 later"),
    Act(DOT, HANGS), Act(TAKEN, HANGS),
]  # fmt: skip
AMBIGUOUS = [act for act in (*(act for _, act in OFTEN), *FEW) if act.does in (DROPS, HANGS) and act.at != RCPT]
API_FEW = [
    Told(429, {"Retry-After": str(ASKED_TO_WAIT)}), Told(500), Told(503, {"Retry-After": "1"}), Told(HANGS_UP),
    Told(HANGS_UP), *([Told(HANGS)] if KILLS > 3 else []),  # half a minute
]  # fmt: skip


class Api:
    """An API for mail: what it took, by its key for repetitions, and when it was asked."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.asked_at: list[float] = []
        self.busy_at: list[float] = []
        self.plan = dict(zip(range(7, BY_API, BY_API // len(API_FEW)), API_FEW, strict=False))
        self.doubts = 0

    def script(self, asked: Asked) -> Told:
        mail = msgspec.json.decode(asked.body)
        self.asked_at.append(time.time())
        told = self.plan.pop(int(mail["to"][0].partition("@")[0][1:]), Told(200, body={"id": "1"}))
        if told.status == 429:
            self.busy_at.append(time.time())
        if told.status in (HANGS, HANGS_UP):
            self.doubts += 1
        if told.status in (200, HANGS, HANGS_UP):
            self.taken.append(asked.headers["idempotency-key"])
        return told


class Mails:
    """The plan of the SMTP server: once for each recipient, who is served well afterwards."""

    def __init__(self) -> None:
        chance = random.Random(SEED)
        self.acts: dict[str, Act] = {}
        for number in range(BY_SMTP):
            point = chance.randrange(1000)
            for share, act in OFTEN:
                if 0 <= point < share:
                    self.acts[f"u{number}@example.com"] = act
                point -= share
        for number, act in zip(chance.sample(range(BY_SMTP), len(FEW)), FEW, strict=True):
            self.acts[f"u{number}@example.com"] = act
        for number, act in enumerate((*AMBIGUOUS, Act(RCPT, "450 4.2.1 mailbox busy"))):
            self.acts[f"code{number}@example.com"] = act

    def script(self, recipient: str, times: int) -> Act | None:
        act = self.acts.get(recipient)
        return act if times == 1 or (act is not None and act.does.startswith("550")) else None

    @property
    def doubts(self) -> int:
        return sum(act in AMBIGUOUS for address, act in self.acts.items() if address.startswith("u"))


@pytest.fixture
def api() -> Iterator[tuple[Api, str]]:
    api = Api()
    with Receiver(script=api.script) as receiver:
        yield api, receiver.url


def test_nobody_is_written_to_twice_whatever_fails(
    tmp_path: Path, api: tuple[Api, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIZUNA_ALLOW_PRIVATE_TARGETS", "127.0.0.0/8")
    mails = Mails()
    with MailServer(mails.script) as server, Killable(tmp_path / "data") as up:
        shops = [open_shop(up, name, count) for name, count in (("smtp", BY_SMTP), ("api", BY_API))]
        smtp = {"kind": "smtp", "channel": "email", "settings": {**server.settings, "timeout": 2}}
        shops[0].ask("PUT", "/api/v1/providers/mail", smtp)
        settings = {"key": "k", "from": "news@shop.example", "endpoint": api[1]}
        shops[1].ask("PUT", "/api/v1/providers/mail", {"kind": "resend", "channel": "email", "settings": settings})
        for shop in shops:
            shop.ask("POST", "/api/v1/campaigns/sale/launch", expect=202)
        kills = Kills(up, lambda: len(server.taken) + len(api[0].taken))
        saying = threading.Thread(target=say_codes, args=(shops[0], kills))
        saying.start()
        kills.all()
        saying.join()
        kills.until_all_is_final()
        with connect(up.database_url, autocommit=True) as database:
            for shop, taken, most_doubts in (
                (shops[0], Counter(message_of(each.message_id) for each in server.taken), mails.doubts),
                (shops[1], Counter(api[0].taken), api[0].doubts),
            ):
                check_campaign(shop, database, taken, most_doubts + kills.count * LANE_THREADS * LANE_BATCH)
            check_codes(shops[0], database, Counter(message_of(each.message_id) for each in server.taken))
        hard = [address for address, act in mails.acts.items() if act.does.startswith("550")]
        assert max(server.told.get(address, 0) for address in hard) == 1
        assert early(api[0], kills.at) == []
        tries = sum(times for address, times in server.told.items() if address.startswith("u"))
        print(f"{kills.count} kills, {tries / BY_SMTP:.3f} tries a mail by SMTP")
        assert tries <= 1.2 * BY_SMTP
        for shop in shops:
            shop.http.close()


class Kills:
    """Kills the sender when so many were taken, as the seed says."""

    def __init__(self, up: Killable, taken: Callable[[], int]) -> None:
        self.up, self.taken = up, taken
        self.at: list[float] = []
        self.when = sorted(random.Random(SEED).sample(range((BY_SMTP + BY_API) * 9 // 10), KILLS))
        self.over = threading.Event()

    @property
    def count(self) -> int:
        return len(self.at)

    def all(self) -> None:
        for number in self.when:
            self._until(lambda _, number=number: self.taken() >= number)
            self._until(lambda _: self.up.kill("send") > 0)  # it may be starting again
            self.at.append(time.time())
        self.over.set()

    def until_all_is_final(self) -> None:
        self._until(lambda database: not find(database, ANY_OPEN))

    def _until(self, is_so: Callable[[psycopg.Connection[Any]], bool]) -> None:
        last = time.monotonic() + PATIENCE
        with connect(self.up.database_url, autocommit=True) as database:
            while not is_so(database):
                assert time.monotonic() < last, "it never came true"
                self._let_leases_end(database)
                time.sleep(LOOK)

    def _let_leases_end(self, database: psycopg.Connection[Any]) -> None:
        """Those of senders that are dead, as a minute of waiting would."""
        if self.at:
            before = int((self.at[-1] + LEASE_SECONDS) * 1_000_000)
            database.execute(
                "UPDATE message SET lease_until = 0 WHERE state = 'handed' AND lease_until BETWEEN 1 AND %s", [before]
            )


OPEN = ("planned", "claimed", "handed")
ANY_OPEN = "SELECT FROM message WHERE state IN ('planned', 'claimed', 'handed') LIMIT 1"  # as the index has it


def open_shop(up: Killable, name: str, count: int) -> Shop:
    shop = Shop(up.url, asyncio.run(make_workspace(up.database_url, name)))
    for start in range(0, count, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, count))
        shop.send(*(identify(f"u{number}", email=f"u{number}@example.com") for number in numbers))
    shop.template("hello", "Hello")
    shop.segment("all", {"trait": "email", "exists": True})
    shop.ask("PUT", "/api/v1/campaigns/sale", {"segment": "all", "send": {"channel": "email", "template": "hello"}})
    shop.get("/api/v1/segments/all")
    return shop


async def make_workspace(url: str, name: str) -> dict[str, str]:
    database = Database(url, name="test")
    await database.open()
    try:
        return await workspaces.create(database, name)
    finally:
        await database.close()


def say_codes(shop: Shop, kills: Kills) -> None:
    for number in range(CODES):
        said = {"to": f"code{number}@example.com", "channel": "email", "template": "hello", "transactional": True}
        shop.call("POST", "/api/v1/messages", said)
        kills.over.wait(0.1)


def message_of(message_id: str) -> str:
    return message_id.partition("@")[0]


def check_campaign(shop: Shop, database: psycopg.Connection[Any], taken: Counter[str], most_unknown: int) -> None:
    rows = find(
        database, "SELECT id, state FROM message WHERE workspace = %s AND campaign = 'sale'", workspace_of(shop)
    )
    states = {ids.show("msg", message): state for message, state in rows}
    at_sink = {message for message in taken if message in states}
    sent = {message for message, state in states.items() if state in ("sent", "delivered")}
    unknown = {message for message, state in states.items() if state == "unknown"}
    print(f"{Counter(states.values())}, {len(at_sink)} taken, {len(at_sink & unknown)} of the unknown were")
    assert [message for message in at_sink if taken[message] > 1] == []
    assert not set(states.values()) & set(OPEN)
    assert sent <= at_sink <= sent | unknown
    assert len(unknown) <= most_unknown
    shown = shop.get("/api/v1/campaigns/sale")
    assert (shown["state"], shown["planned"], shown["unknown"]) == ("finished", len(states), len(unknown))
    assert {each["id"] for each in shop.all("/api/v1/messages", state="unknown", limit=1000)} == unknown


def check_codes(shop: Shop, database: psycopg.Connection[Any], taken: Counter[str]) -> None:
    rows = find(database, "SELECT id, state FROM message WHERE workspace = %s AND transactional", workspace_of(shop))
    assert Counter(state for _, state in rows) == {"sent": CODES}
    assert [message for message, _ in rows if not taken[ids.show("msg", message)]] == []
    print(f"{sum(taken[ids.show('msg', message)] for message, _ in rows)} mails of {CODES} codes")


def early(api: Api, kills: list[float]) -> list[float]:
    """How long after it was told to wait somebody asked all the same. A sender that was just started knows nothing."""
    return [
        at - busy
        for busy in api.busy_at
        for at in api.asked_at
        if OBEYED < at - busy < ASKED_TO_WAIT and not [each for each in kills if busy < each < at]
    ]


def workspace_of(shop: Shop) -> int:
    return int(shop.made["id"].removeprefix("wsp_"))


def find(database: psycopg.Connection[Any], question: Any, *asked: Any) -> list[Any]:
    return database.execute(question, list(asked)).fetchall()
