"""A receipt or a code to an address alone: once, to that address, without a customer being made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kizuna.config import Config
from kizuna.testing.crew import Crew
from kizuna.testing.mail import TEMPLATE
from kizuna.testing.mail_shop import BASE, Shop

CODE = {
    **TEMPLATE,
    "subject": "Your code",
    "body": '<b>{{ data.code }}</b><a href="https://shop.example/in">in</a><a href="{{ message.view_url }}">v</a>',
}


@pytest.fixture
def shop(open_house: Callable[..., Any], database_url: str) -> Iterator[Shop]:
    house = open_house(public_url=BASE)
    with Crew(Config(database_url=database_url, public_url=BASE)):
        shop = Shop(house)
        # folded: a segment that is published behind something open is filled by the historian, who is not of the crew
        shop.get("/api/v1/templates/code", shop.put("/api/v1/templates/code", CODE))
        yield shop


def ask(shop: Shop, key: str = "", **changes: Any) -> Any:
    body = {"to": "new@b.example", "channel": "email", "template": "code", "transactional": True, "data": {"code": 7}}
    body = {name: value for name, value in {**body, **changes}.items() if value is not None}
    headers = shop.auth | ({"Idempotency-Key": key} if key else {})
    return shop.house.client.post("/api/v1/messages", json=body, headers=headers)


def ended(shop: Shop, answer: Any) -> tuple[str, str | None]:
    assert answer.status_code == 202, answer.text
    shown = shop.get(f"/api/v1/messages/{answer.json()['id']}", answer.headers["kizuna-position"])
    return shown["state"], shown["reason"]


def test_it_is_said_once_under_its_key_even_when_the_first_answer_is_lost(shop: Shop) -> None:
    first = ask(shop, "login 1")
    assert ended(shop, first) == ("sent", None)
    assert ask(shop, "login 1").json() == first.json()
    shop.house.sql("DELETE FROM idempotency")
    shop.identify("ada", email="new@b.example")  # meanwhile a customer has the address
    again = ask(shop, "login 1")
    assert again.json() == first.json()
    assert ended(shop, again) == ("sent", None)
    assert [each["to"] for each in shop.get("/api/v1/outbox")["items"]] == ["new@b.example"]
    assert ended(shop, ask(shop, "login 2")) == ("sent", None)
    assert len(shop.get("/api/v1/outbox")["items"]) == 2


def test_nobody_becomes_a_customer_by_it_and_its_links_work(shop: Shop) -> None:
    shop.put("/api/v1/segments/strangers", {"where": {"not": {"trait": "name", "exists": True}}})
    asked = ask(shop)
    assert ended(shop, asked) == ("sent", None)
    mail, client = shop.mail(), shop.house.client
    assert "List-Unsubscribe" not in mail.get("headers", {})
    view = re.search(rf"{BASE}(/v/[\w-]+)", mail["body"])
    click = re.search(rf"{BASE}(/c/[\w-]+)", mail["body"])
    assert view
    assert click
    assert "<b>7</b>" in client.get(view[1]).text
    answer = client.get(click[1], follow_redirects=False, headers={"User-Agent": "Mozilla/5.0"})
    assert answer.headers["location"] == "https://shop.example/in"
    shown = shop.get(f"/api/v1/messages/{asked.json()['id']}", answer.headers["kizuna-position"])
    assert shown["state"] == "clicked"
    assert shop.house.sql("SELECT count(*)::integer FROM profile") == [(0,)]


def test_it_goes_to_the_address_named_and_not_to_where_its_customer_moved(shop: Shop) -> None:
    shop.identify("ada", email="new@b.example")
    shop.identify("ada", email="moved@b.example")
    assert ended(shop, ask(shop, to="New@B.example")) == ("sent", None)
    assert shop.mail()["to"] == "New@B.example"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"transactional": False}, 422, "no_consent"),
        ({"transactional": None}, 422, "no_consent"),
        ({"profile": "user:ada"}, 400, "invalid_recipient"),
        ({"to": None}, 400, "invalid_recipient"),
        ({"to": "a@b.example\r\nBcc: c@d.example"}, 422, "invalid_address"),
        ({"to": "a@b.example, c@d.example"}, 422, "invalid_address"),
        ({"to": ""}, 422, "invalid_address"),
        ({"channel": "push"}, 422, "invalid_address"),
        ({"channel": "pigeon"}, 422, "unknown_channel"),
        ({"template": "never_put"}, 422, "unknown_template"),
    ],
)  # fmt: skip
def test_what_may_not_be_said_to_an_address_is_refused(
    open_house: Callable[..., Any], changes: dict[str, Any], status: int, code: str
) -> None:
    house = open_house(public_url=BASE)
    answer = ask(Shop(house), **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_suppressed_address_is_refused_whatever_its_case(shop: Shop) -> None:
    shop.house.sql(
        "INSERT INTO suppression (workspace, channel, address, reason, at)"
        " SELECT id, 'email', 'new@b.example', 'hard_bounce', 1 FROM workspace"
    )
    assert ended(shop, ask(shop, to="NEW@b.example")) == ("skipped", "suppressed")
    assert shop.get("/api/v1/outbox")["items"] == []
