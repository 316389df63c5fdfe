"""Test sends: real mails to members and seeds, that are no messages to customers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kizuna.config import Config
from kizuna.testing.crew import Crew
from kizuna.testing.mail_shop import BASE, Shop

SEEDS = {"addresses": ["seed1@gmail.example", "seed2@docomo.example"]}
LETTER = {
    "channel": "email", "subject": "For {{ profile.traits.name }}", "format": "liquid+html",
    "body": '<p>{{ data.code }}</p><a href="https://shop.example/">x</a>',
}  # fmt: skip


@pytest.fixture
def shop(open_house: Callable[..., Any], database_url: str) -> Iterator[Shop]:
    house = open_house(public_url=BASE)
    with Crew(Config(database_url=database_url, public_url=BASE)):
        made = Shop(house)
        made.put("/api/v1/templates/letter", LETTER)
        made.put("/api/v1/seed-lists/ours", SEEDS)
        yield made


def ask(shop: Shop, **body: Any) -> Any:
    return shop.house.client.post("/api/v1/templates/letter/test", json=body, headers=shop.auth)


def ended(shop: Shop, answer: Any) -> list[tuple[str, str | None]]:
    assert answer.status_code == 202, answer.text
    at = answer.headers["kizuna-position"]
    shown = [shop.get(f"/api/v1/messages/{each['id']}", at) for each in answer.json()["messages"]]
    return [(each["state"], each["reason"]) for each in shown]


def test_a_seed_list_gets_the_mail_marked_and_unfollowed(shop: Shop) -> None:
    shop.identify("ada")
    answer = ask(shop, seed_list="ours", profile="user:ada", data={"code": "SPRING"})
    assert ended(shop, answer) == [("sent", None)] * 2
    mails = shop.get("/api/v1/outbox")["items"]
    assert {each["to"] for each in mails} == set(SEEDS["addresses"])
    assert {each["subject"] for each in mails} == {"[Test] For Ada"}
    assert "SPRING" in mails[0]["body"]
    assert "/c/" not in mails[0]["body"]
    assert shop.house.sql("SELECT count(*)::integer FROM profile") == [(1,)]


def test_it_is_no_way_around_consent(shop: Shop) -> None:
    shop.identify("ada")
    refused = ask(shop, to=["seed1@gmail.example", "ada@example.com"])
    assert (refused.status_code, refused.json()["code"]) == (422, "not_ours")
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/to/1"]
    assert shop.get("/api/v1/outbox")["items"] == []


def test_suppressed_addresses_get_none(shop: Shop) -> None:
    workspace = int(shop.workspace["id"].removeprefix("wsp_"))
    shop.house.sql(
        "INSERT INTO suppression VALUES (%s, 'email', %s, 'hard_bounce', 1)", workspace, "seed1@gmail.example"
    )
    assert ended(shop, ask(shop, seed_list="ours")) == [("skipped", "suppressed"), ("sent", None)]


def test_no_code_is_burnt(shop: Shop) -> None:
    shop.put("/api/v1/promotions/spring", {"per_profile": 1})
    made = shop.house.client.post("/api/v1/promotions/spring/codes", json={"codes": ["ONE"]}, headers=shop.auth)
    assert made.status_code < 300, made.text
    shop.put("/api/v1/templates/letter", {**LETTER, "body": "<p>{% promotion 'spring' %}</p>"})
    assert ended(shop, ask(shop, seed_list="ours")) == [("sent", None)] * 2
    assert "ONE" not in shop.mail()["body"]
    assert shop.house.sql("SELECT state FROM promotion_code") == [("free",)]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_recipient"),
        ({"to": ["seed1@gmail.example"], "seed_list": "ours"}, "invalid_recipient"),
        ({"seed_list": "none"}, "unknown_seed_list"),
        ({"seed_list": "ours", "mark": "a\nb"}, "invalid_mark"),
    ],
)
def test_what_cannot_be_sent_is_refused(shop: Shop, body: dict[str, Any], code: str) -> None:
    assert ask(shop, **body).json()["code"] == code
