"""Consent by law through the whole product: rules that are chosen, what they refuse, and what proves a message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kizuna import app
from kizuna.config import Config
from kizuna.testing.crew import Crew
from kizuna.testing.mail import TEMPLATE
from kizuna.testing.mail_shop import BASE, Shop

SENDER = {"name": "絆商店", "address": "東京都港区 1-2-3", "contact": "help@shop.example"}
FOOT = (
    "<p>{{ workspace.sender.name }} {{ workspace.sender.address }} {{ workspace.sender.contact }}"
    ' <a href="{{ message.unsubscribe_url }}">配信停止</a></p>'
)
WHOLE = {"channel": "email", "subject": "Hello", "body": f'<a href="https://shop.example/sale">sale</a>{FOOT}'}


@pytest.fixture
def shop(open_house: Callable[..., Any], database_url: str) -> Iterator[Shop]:
    house = open_house(routes=app.ROUTES, public_url=BASE)
    with Crew(Config(database_url=database_url, public_url=BASE)):
        yield Shop(house)


def refused(shop: Shop, method: str, path: str, body: Any = None) -> list[str]:
    """The places that a law wants more of."""
    answer = shop.house.client.request(method, path, json=body, headers=shop.auth)
    assert (answer.status_code, answer.json()["code"]) == (422, "legal_display_missing"), answer.text
    return [each["pointer"] for each in answer.json()["errors"]]


def test_no_commercial_mail_rules_without_what_a_law_wants_shown(shop: Shop) -> None:
    law = {"law": "jp", "sender": SENDER}
    assert refused(shop, "PUT", "/api/v1/policy", law) == ["/hello/body"] * 3  # an old one shows the way out
    shop.put("/api/v1/templates/hello", WHOLE)
    shop.put("/api/v1/policy", law)
    assert refused(shop, "PUT", "/api/v1/templates/hello", TEMPLATE) == ["/body"] * 3
    shop.put("/api/v1/templates/receipt", {**TEMPLATE, "class": "transactional"})
    shop.put("/api/v1/templates/foot", {"channel": "block", "body": FOOT})
    shop.put("/api/v1/templates/blocks", {**WHOLE, "body": "{% include 'foot' %}"})
    assert refused(shop, "PUT", "/api/v1/templates/foot", {"channel": "block", "body": ""}) == ["/blocks/body"] * 4
    send = {"segment": "all", "send": {"channel": "email", "template": "receipt"}}
    shop.put("/api/v1/segments/all", {"where": {"all": []}})
    assert refused(shop, "PUT", "/api/v1/campaigns/c", send) == ["/send/template"]
    assert refused(shop, "POST", "/api/v1/messages", {"profile": "user:x", "channel": "email", "template": "receipt"})
    shown = shop.get("/api/v1/policy")["rules"]
    assert [(each["law"], each["neutral"]) for each in shown] == [("jp", "opt_in")]
    assert "Specified Electronic Mail" in shown[0]["statute"]
    assert {each["law"] for each in shop.get("/api/v1/consent/laws")["items"]} >= {"jp", "gdpr", "can_spam", "casl"}


def test_a_law_decides_by_country_whether_silence_allows_and_messages_say_what_did(shop: Shop) -> None:
    shop.put("/api/v1/templates/hello", WHOLE)
    laws = [{"country": "US", "law": "can_spam"}]
    shop.put("/api/v1/policy", {"law": "jp", "laws": laws, "sender": SENDER})
    shop.identify("ada", country="JP")
    shop.identify("grace", country="US")
    assert shop.say("ada")["reason"] == "no_consent"
    silent = shop.say("grace")
    assert (silent["state"], silent["consent"]["state"], silent["consent"]["proof_id"]) == ("sent", "neutral", None)
    assert SENDER["address"] in shop.mail()["body"]
    shop.consent("ada", channel="email", state="opted_in", source="shop", proof={"form": "till"})
    proven = shop.say("ada")["consent"]
    assert (proven["state"], proven["source"], proven["proof"]) == ("opted_in", "shop", {"form": "till"})
    shop.put("/api/v1/templates/receipt", {**TEMPLATE, "class": "transactional"})
    receipt = shop.say("ada", template="receipt", transactional=True)
    assert receipt["consent"]["state"] == "transactional"
    proofs = shop.get("/api/v1/consent/proofs")
    assert {each["state"]: (each["messages"], each["proven"]) for each in proofs["by_consent"]} == {
        "neutral": (1, 0), "opted_in": (1, 1), "transactional": (1, 0),
    }  # fmt: skip
    first = shop.get("/api/v1/consent/proofs?limit=2")
    rest = shop.get(f"/api/v1/consent/proofs?limit=2&cursor={first['next_cursor']}")
    listed = [*first["items"], *rest["items"]]
    assert len({each["message"] for each in listed}) == 3
    assert [each["proof"]["id"] for each in listed if each["proof"]] == [proven["proof_id"]]


def test_history_is_brought_along_with_its_own_times_and_never_undoes_a_no(shop: Shop) -> None:
    for user in ("ada", "grace"):
        shop.identify(user)
    shop.consent("ada", channel="email", state="opted_out")
    said = [
        ("ada", "opted_in", "2020-01-01T00:00:00Z", None),
        ("ada", "opted_in", "2019-01-01T00:00:00Z", {"n": 1}),
        ("grace", "opted_out", "2019-05-01T00:00:00Z", None),
        ("grace", "opted_in", "2020-05-01T00:00:00Z", None),
        ("grace", "opted_in", "2021-05-01T00:00:00Z", {"n": 2}),
        ("nobody", "opted_in", None, None),
        ("grace", "opted_in", "soon", None),
    ]
    acts: list[dict[str, Any]] = [
        {"profile": f"user:{who}", "channel": "email", "state": state, "at": at, "proof": proof}
        for who, state, at, proof in said
    ]
    acts.append({"profile": "user:grace", "channel": 7, "state": "opted_in"})
    answer = shop.house.client.post("/api/v1/consent/import", json={"items": acts}, headers=shop.auth).json()
    assert answer["accepted"] == 3
    assert [(each["index"], each["code"]) for each in answer["refused"]] == [
        (0, "opted_out"), (3, "opted_out"), (5, "not_found"), (6, "invalid_consent"), (7, "invalid_consent"),
    ]  # fmt: skip
    ada, grace = (shop.get(f"/api/v1/profiles/user:{user}/consent") for user in ("ada", "grace"))
    assert ada["channels"]["email"]["state"] == "opted_out"  # the proof is older than the no
    assert [each["state"] for each in ada["history"]] == ["opted_out", "opted_in"]
    assert grace["channels"]["email"]["state"] == "opted_in"
    assert [each["at"][:4] for each in grace["history"]] == ["2021", "2019"]


def test_who_does_not_want_to_be_followed_gets_plain_links_and_no_pixel(shop: Shop) -> None:
    shop.put("/api/v1/templates/hello", WHOLE)
    shop.identify("ada")
    shop.say("ada")
    assert "/o/" in shop.mail()["body"]
    shop.consent("ada", channel="tracking", state="opted_out")
    shop.say("ada")
    body = shop.mail()["body"]
    assert "/o/" not in body
    assert 'href="https://shop.example/sale"' in body
    assert f'href="{BASE}/u/' in body
    view = body.rpartition(f"<!-- {BASE}")[2].partition(" ")[0]
    shown = shop.house.client.get(view)
    assert (shown.status_code, "<pre>" in shown.text) == (200, False)
