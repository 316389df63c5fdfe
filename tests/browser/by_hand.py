"""A shop whose people call and post, and whose mail server has its moods: what the pages of delivery are to show."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kizuna.testing.mail_server import DOT, DROPS, RCPT, Act, MailServer
from kizuna.testing.shop import Shop, identify

HOME = {"street": "Musterstr. 1", "city": "München", "postalCode": "80331", "country": "DE"}
PEOPLE = [("ada", "Ada Lovelace"), ("grace", "Grace Hopper"), ("hedy", "Hedy Lamarr"), ("sei", "清少納言")]
PATIENCE = 30.0  # seconds


@contextmanager
def troubled_shop(shop: Shop) -> Iterator[MailServer]:
    """Four customers to call and write to; of the mails one may have arrived, one was refused, one has no receiver."""
    with MailServer(_moods) as server:
        _providers(shop, server)
        shop.send(*(_known(name, whole, number) for number, (name, whole) in enumerate(PEOPLE)))
        shop.send(*({"type": "track", "userId": name, "event": "Order Completed"} for name, _ in PEOPLE))
        shop.profile("sei")
        for name in ("ada", "grace", "hedy"):
            said = {"profile": f"user:{name}", "channel": "email", "template": "hello"}
            shop.ask("POST", "/api/v1/messages", said, expect=202)
        until(lambda: {"unknown", "rejected", "bounced"} <= {each["state"] for each in shop.all("/api/v1/messages")})
        until(lambda: shop.get("/api/v1/letters/batches")["open"]["letters"] == len(PEOPLE))
        until(lambda: len(shop.get("/api/v1/calls")["items"]) == len(PEOPLE))
        yield server


def _moods(recipient: str, times: int) -> Act | None:
    """It hangs up on Ada's mail at its end, once, knows no Grace, and does not like what Hedy gets."""
    if recipient.startswith("grace"):
        return Act(RCPT, "550 5.1.1 no such user here")
    if recipient.startswith("hedy"):
        return Act(RCPT, "550 5.7.1 message refused by policy")
    return Act(DOT, DROPS) if recipient.startswith("ada") and times == 1 else None


def _providers(shop: Shop, server: MailServer) -> None:
    shop.ask("PUT", "/api/v1/providers/phone", {"kind": "call_list", "settings": {"tries": 3, "spacing": "4h"}})
    paper = {"country": "DE", "sender": "Bean Shop, Weg 1, 80331 München", "imprint": "Bean Shop GmbH"}
    shop.ask("PUT", "/api/v1/providers/print", {"kind": "letters", "settings": paper})
    warm_up = {"start": "2010-11-30", "first": 200, "factor": 1.5, "most": 20_000}
    mail = {"kind": "smtp", "settings": server.settings, "warm_up": warm_up, "domains": {"gmail.com": {"per_day": 50}}}
    shop.ask("PUT", "/api/v1/providers/mail", mail)
    ask = "Hello, this is Bean Shop.\n\nAsk {{ profile.traits.name }} how the beans were, and whether the grinder came."
    shop.ask("PUT", "/api/v1/templates/ask", {"channel": "call", "body": ask})
    letter = "Dear {{ profile.traits.name }},\n\ncome and see us: https://shop.example/autumn"
    shop.ask("PUT", "/api/v1/templates/autumn", {"channel": "letter", "subject": "Autumn", "body": letter})
    shop.template("hello", "Hello")
    steps = [
        {"id": "call", "send": {"channel": "call", "template": "ask", "expires": "30d"}},
        {"id": "write", "send": {"channel": "letter", "template": "autumn", "expires": "30d"}},
    ]
    shop.journey("thank_by_hand", {"entry": {"on": {"event": "Order Completed"}}, "steps": steps})


def _known(name: str, whole: str, number: int) -> dict[str, Any]:
    return identify(name, name=whole, email=f"{name}@customer.example", phone=f"+4989123456{number}", address=HOME)


def until(is_so: Callable[[], bool]) -> None:
    last = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < last, "it never came true"
        time.sleep(0.05)
