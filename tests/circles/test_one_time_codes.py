"""A one-time code does not wait behind a campaign: neither in the ledger, nor for a thread, nor for the rate."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

from kizuna.testing.mail_server import TAKEN, Act, MailServer
from kizuna.testing.shop import Shop, identify

PEOPLE = int(os.environ.get("KIZUNA_TEST_CODES", "1500"))  # whom the campaign reaches; in full 50000
CODES = 100 if PEOPLE > 10_000 else 20
AT_ONCE = 1_000  # events a request
SOON = 2.0  # seconds, of a machine that does much else; what is promised is 1
PATIENCE = 60.0
LATEST = 500  # mails among which one that just came is looked for


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer(lambda recipient, times: Act(TAKEN, "", 0.005)) as server:
        yield server


@pytest.mark.parametrize("rate", [0, 20])
def test_codes_arrive_while_a_campaign_is_sent_through_the_same_provider(
    open_shop: Callable[..., Shop], server: MailServer, rate: float
) -> None:
    shop = open_shop(clock="live")
    for start in range(0, PEOPLE, AT_ONCE):
        people = range(start, min(start + AT_ONCE, PEOPLE))
        shop.send(*(identify(f"u{number}", email=f"u{number}@example.com") for number in people))
    shop.template("hello", "Hello")
    shop.template("code", "Your code")
    shop.segment("all", {"trait": "email", "exists": True})
    mail = {"kind": "smtp", "channel": "email", "settings": server.settings, "rate": rate}
    shop.ask("PUT", "/api/v1/providers/mail", mail)
    shop.ask("PUT", "/api/v1/campaigns/sale", {"segment": "all", "send": {"channel": "email", "template": "hello"}})
    shop.get("/api/v1/segments/all")
    assert shop.ask("POST", "/api/v1/campaigns/sale/launch", expect=202)["members"] == PEOPLE
    until(lambda: len(server.taken) >= 10)
    took = sorted(code(shop, server, number) for number in range(CODES))
    waiting = shop.call("GET", "/api/v1/messages?campaign=sale&state=planned&limit=1").body["items"]
    shop.ask("POST", "/api/v1/campaigns/sale/cancel")  # the rest need not be waited for
    half, most, worst = (took[int(len(took) * part) - 1] * 1000 for part in (0.5, 0.99, 1))
    print(f"rate {rate}: {CODES} codes took {half:.0f} ms at half, {most:.0f} ms at 99 %, {worst:.0f} ms at worst")
    assert waiting, "the campaign was over too soon"
    assert took[-1] < SOON


def code(shop: Shop, server: MailServer, number: int) -> float:
    """Seconds from the request to the end of the mail."""
    address = f"code{number}@example.com"
    said = {"to": address, "channel": "email", "template": "code", "transactional": True, "expires": "10m"}
    began = time.time()
    shop.ask("POST", "/api/v1/messages", said, expect=202)
    until(lambda: any(each.recipient == address for each in server.taken[-LATEST:]))
    return time.time() - began


def until(is_so: Callable[[], bool]) -> None:
    """Asks until it is so."""
    last = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < last, "it never came true"
        time.sleep(0.002)
