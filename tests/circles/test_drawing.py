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

    def redeem(who: str, amount: float | str, expect: int) -> Any:
        wanted = {"code": "ONLY-1", "profile": f"user:{who}", "amount": amount}
        return shop.ask("POST", "/api/v1/promotions/redeem", wanted, expect=expect)

    assert redeem("bob", 2000, 409)["code"] == "not_owner"
    for odd in ("NaN", "sNaN", "Infinity", "1e999999999", -1):
        assert redeem("ada", odd, 400)["code"] == "invalid_amount"
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


def test_a_catalog_is_written_in_pieces_and_read_in_pages(shop: Shop) -> None:
    path = "/api/v1/catalogs/shop"
    shop.ask("PUT", path, {"fields": {"price": "number"}})
    shop.ask("POST", f"{path}/items", {"items": ITEMS[:2]})
    shop.ask("POST", f"{path}/items", {"items": [{**ITEMS[1], "price": 1}, ITEMS[2]]})
    wrong = shop.ask("POST", f"{path}/items", {"items": [{"id": "new"}, {"id": "x", "price": "1"}]}, expect=400)
    assert [each["pointer"] for each in wrong["errors"]] == ["/items/1/price"]
    first = shop.get(f"{path}/items", limit=2)
    rest = shop.get(f"{path}/items", limit=2, cursor=first["next_cursor"])
    assert [each["id"] for each in first["items"] + rest["items"]] == ["pot", "tea", "tin"]
    assert rest["next_cursor"] is None
    assert shop.ask("PATCH", f"{path}/items/pot", {"stock": None, "new": 1}) == {
        "id": "pot", "name": "Pot", "price": 1, "new": 1,
    }  # fmt: skip
    shop.ask("DELETE", f"{path}/items/tea", None, expect=204)
    shop.ask("DELETE", f"{path}/items/tea", None, expect=404)
    assert shop.get(path)["item_count"] == 2
    shop.ask("PUT", path, {"items": [ITEMS[0]]})
    assert [each["id"] for each in shop.get(f"{path}/items")["items"]] == ["tea"]
    shop.ask("DELETE", path, None, expect=204)
    assert shop.ask("GET", path, None, expect=404)["code"] == "not_found"


def test_the_brands_voice_is_heard_in_the_preview_when_publishing_and_in_the_plan(shop: Shop) -> None:
    voice = {"avoid": [{"word": "cheap", "use": "good value"}], "forbidden": ["!!!"]}
    mail = {"channel": "email", "subject": "Cheap!!!", "body": "<p>Hi</p>", "format": "liquid+html"}
    expected = ["brand voice: avoid 'cheap', say 'good value'", "brand voice: '!!!' is not written"]
    shop.ask("PUT", "/api/v1/brand-voice", voice)
    assert shop.get("/api/v1/brand-voice")["forbidden"] == ["!!!"]
    assert shop.ask("PUT", "/api/v1/templates/loud", mail)["warnings"] == expected
    assert shop.ask("POST", "/api/v1/templates/render", {"template": "loud"})["warnings"] == expected
    wanted = [("brand_voice", "brand_voice", voice), ("template", "louder", mail), ("catalog", "shop", {"fields": {}})]
    documents = [{"kind": kind, "name": name, "body": body} for kind, name, body in wanted]
    plan = shop.ask("POST", "/api/v1/plan", {"definitions": documents})
    assert {each["name"]: each["warnings"] for each in plan["changes"] if "warnings" in each} == {"louder": expected}


def test_the_preview_asks_other_servers_only_for_what_has_no_effect(shop: Shop, api: Receiver) -> None:
    body = f"{{% connected_content {api.url}/x :method post :save r :on_failure empty %}}[{{{{ r.name }}}}]"
    shown = shop.ask("POST", "/api/v1/templates/render", {"inline": {"body": body}})
    assert (shown["content"]["body"], shown["warnings"], api.asked) == (
        "[]", ["connected content: a preview does not POST", "r.name is undefined"], [],
    )  # fmt: skip
    shown = shop.ask("POST", "/api/v1/templates/render", {"inline": {"body": body.replace(":method post", "")}})
    assert (shown["content"]["body"], len(api.asked)) == ("[&lt;Ada&gt;]", 1)
    api.told = Told(HANGS)
    slow = body.replace(":method post", "").replace("/x", "/slow")
    shown = shop.ask("POST", "/api/v1/templates/render", {"inline": {"body": slow * 3}})
    assert shown["content"]["body"] == "[]" * 3
