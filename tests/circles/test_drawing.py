"""What templates draw from, from the API to the mail: catalogs, codes, other servers, and what the log keeps of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kizuna.testing.receiver import HANGS, Receiver, Told
from kizuna.testing.shop import Shop

Open = Callable[..., Shop]
ITEMS = [
    {"id": "tea", "name": "Tea & cups", "price": 980, "stock": 3},
    {"id": "pot", "name": "Pot", "price": 4200, "stock": 0},
    {"id": "tin", "name": "Tin", "price": 450, "stock": 9},
]
CHEAP = {"name": "cheap", "where": {"stock": {"gt": 0}}, "sort": {"field": "price"}, "limit": 2}


@pytest.fixture
def api() -> Iterator[Receiver]:
    with Receiver(Told(200, {"Content-Type": "application/json"}, {"name": "<Ada>", "list": [1, 2]})) as receiver:
        yield receiver


def say(shop: Shop, who: str, body: str, **more: Any) -> dict[str, Any]:
    """A mail of these words to a customer; the message once it came to its end."""
    shop.template(body=body)
    wanted = {"profile": f"user:{who}", "channel": "email", "template": "hello", **more}
    said = shop.ask("POST", "/api/v1/messages", wanted, expect=202)
    return shop.get(f"/api/v1/messages/{said['id']}")


def body_of(message: dict[str, Any]) -> str:
    assert message["state"] == "sent", message
    return message["content"]["body"]


@pytest.fixture
def shop(open_shop: Open) -> Shop:
    opened = open_shop()
    for who in ("ada", "bob"):
        opened.identify(who, email=f"{who}@example.com", wish=["tin", "none", "tea"])
        opened.profile(who)
    return opened


def test_items_and_selections_of_a_catalog_stand_in_the_mail_as_in_the_preview(shop: Shop) -> None:
    shop.ask("PUT", "/api/v1/catalogs/shop", {"fields": {"price": "number"}, "selections": [CHEAP], "items": ITEMS})
    body = (
        "{% catalog_items shop pot {{ profile.traits.wish }} %}{% for i in items %}{{ i.name }} {% endfor %}"
        "{% catalog_selection_items shop cheap %}{% for i in items %}{{ i.id }}{{ i.price }} {% endfor %}"
    )
    expected = "Pot Tin Tea &amp; cups tin450 tea980 "
    assert expected in body_of(say(shop, "ada", body))
    shown = shop.ask("POST", "/api/v1/templates/render", {"template": "hello", "profile": "user:ada"})
    assert (shown["content"]["body"], shown["warnings"]) == (expected, [])
    shop.ask("PATCH", "/api/v1/catalogs/shop/items/tea", {"stock": 0})
    assert "tin450 </" in body_of(say(shop, "ada", f"<p>{body}</p>"))


def test_a_customer_gets_one_code_and_keeps_it_and_no_code_means_no_mail(shop: Shop) -> None:
    shop.ask("PUT", "/api/v1/promotions/spring", {"per_profile": 1})
    shop.ask("POST", "/api/v1/promotions/spring/codes", {"codes": ["ONLY-1"]}, expect=201)
    body = "<p>{% promotion 'spring' %}|{% promotion 'spring' :save code %}{{ code }}</p>"
    shown = shop.ask("POST", "/api/v1/templates/render", {"inline": {"channel": "email", "body": body}})
    assert shown["content"]["body"] == "<p>PREVIEW-CODE|PREVIEW-CODE</p>"
    assert "ONLY-1|ONLY-1" in body_of(say(shop, "ada", body))
    ends = [(m["state"], m["reason"]) for m in (say(shop, "ada", body), say(shop, "bob", body))]
    assert ends == [("skipped", "code_limit"), ("skipped", "no_code")]
    counts = shop.get("/api/v1/promotions/spring")["codes"]
    assert counts == {"free": 0, "reserved": 0, "committed": 1, "redeemed": 0}


def test_what_is_not_said_gives_its_code_back(shop: Shop) -> None:
    shop.ask("PUT", "/api/v1/promotions/spring", {})
    shop.ask("POST", "/api/v1/promotions/spring/codes", {"codes": ["ONLY-1"]}, expect=201)
    message = say(shop, "ada", "{% promotion 'spring' %}{% abort_message 'changed my mind' %}")
    assert (message["state"], message["reason"]) == ("skipped", "aborted")
    assert shop.get("/api/v1/promotions/spring")["codes"]["free"] == 1
    assert "ONLY-1" in body_of(say(shop, "bob", "<p>{% promotion 'spring' %}</p>"))


def test_a_code_is_redeemed_once_by_whom_it_was_given(shop: Shop) -> None:
    shop.ask("PUT", "/api/v1/promotions/spring", {"minimum": 1000})
    shop.ask("POST", "/api/v1/promotions/spring/codes", {"codes": ["ONLY-1"]}, expect=201)
    say(shop, "ada", "<p>{% promotion 'spring' %}</p>")

    def redeem(who: str, amount: int, expect: int) -> Any:
        wanted = {"code": "ONLY-1", "profile": f"user:{who}", "amount": amount}
        return shop.ask("POST", "/api/v1/promotions/redeem", wanted, expect=expect)

    assert redeem("bob", 2000, 409)["code"] == "not_owner"
    assert redeem("ada", 999, 409)["code"] == "below_minimum"
    assert redeem("ada", 1000, 200)["promotion"] == "spring"
    assert redeem("ada", 1000, 409)["code"] == "code_redeemed"
    (applied,) = [each for each in shop.timeline("ada") if each["event"] == "Coupon Applied"]
    assert applied["properties"]["coupon_id"] == "ONLY-1"


def test_another_servers_answer_is_asked_for_once_and_escaped(shop: Shop, api: Receiver) -> None:
    shop.ask("PUT", "/api/v1/credentials/crm", {"hosts": ["127.0.0.1"], "username": "kizuna", "password": "s3cret"})
    body = (
        f"<p>{{% connected_content {api.url}/of?who={{{{ profile.traits.email }}}} :basic_auth crm :save found %}}"
        "{{ found.name }} {{ found.__http_status_code__ }}</p>"
    )
    assert "<p>&lt;Ada&gt; 200</p>" in body_of(say(shop, "ada", body))
    assert "<p>&lt;Ada&gt; 200</p>" in body_of(say(shop, "ada", body))  # the answer stands for five minutes
    (asked,) = api.asked
    assert (asked.method, asked.path) == ("GET", "/of?who=ada%40example.com")
    assert asked.headers["authorization"] == "Basic a2l6dW5hOnMzY3JldA=="
    assert "s3cret" not in str(shop.get("/api/v1/credentials"))


@pytest.mark.parametrize("told", [Told(500), Told(302, {"Location": "http://127.0.0.1/"}), Told(HANGS)], ids=str)
def test_without_a_good_answer_nothing_is_said_unless_the_template_says_so(
    shop: Shop, api: Receiver, told: Told
) -> None:
    api.told = told
    tag = f"{{% connected_content {api.url}/x :timeout 0.3 :save found"
    message = say(shop, "ada", f"<p>{tag} %}}</p>")
    assert (message["state"], message["reason"]) == ("skipped", "content_failed")
    status = told.status if isinstance(told.status, int) else 0
    body = f"<p>{tag} :on_failure empty %}}[{{{{ found.__http_status_code__ }}}}]</p>"
    assert f"<p>[{status}]</p>" in body_of(say(shop, "ada", body))


def test_what_a_template_notes_and_the_codes_it_said_stand_in_the_log(shop: Shop) -> None:
    shop.ask("PUT", "/api/v1/promotions/spring", {})
    shop.ask("POST", "/api/v1/promotions/spring/codes", {"generate": {"count": 3, "prefix": "SP-"}}, expect=201)
    say(shop, "ada", "<p>{% message_extras :key why :value 'a win back' %}{% promotion 'spring' %}</p>")
    (sent,) = [each for each in shop.timeline("ada") if each["event"] == "message_sent"]
    assert sent["properties"]["extras"] == {"why": "a win back"}
    assert sent["properties"]["codes"]["spring"].startswith("SP-")
