"""Templates over HTTP: what preview shows is what a customer is sent, in their language, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kizuna.testing.shop import Shop

Open = Callable[..., Shop]
MAIL = {
    "channel": "email", "format": "liquid+html", "subject": "Hello {{ profile.traits.name }}",
    "body": "<style>p{color:red}</style><p>Hi {{ profile.traits.name }}</p>{% include 'footer' %}",
    "locales": {"ja": {"subject": "{{ profile.traits.name }}さん", "body": "<p>こんにちは</p>{% include 'footer' %}"}},
}  # fmt: skip


def render(shop: Shop, expect: int = 200, **said: Any) -> Any:
    return shop.ask("POST", "/api/v1/templates/render", said, expect=expect)


def test_what_preview_shows_is_what_is_sent_in_the_language_of_the_customer(open_shop: Open) -> None:
    shop = open_shop()
    shop.ask("PUT", "/api/v1/templates/footer", {"channel": "block", "body": "<i>Bye</i>"})
    shop.ask("PUT", "/api/v1/templates/hello", MAIL)
    shop.identify("ada", email="ada@example.com", name="Ada", locale="ja-JP")
    shop.identify("bob", email="bob@example.com", name="Bob")
    shop.profile("bob")
    shop.profile("ada")
    shown = {who: render(shop, template="hello", profile=f"user:{who}") for who in ("ada", "bob")}
    assert [shown[who]["locale"] for who in ("ada", "bob")] == ["ja", "default"]
    assert shown["ada"]["content"] == {"subject": "Adaさん", "body": "<p>こんにちは</p><i>Bye</i>"}
    assert '<p style="color: red;">Hi Bob</p><i>Bye</i>' in shown["bob"]["content"]["body"]
    assert shown["bob"]["text"] == "Hi Bob\n\nBye"
    for who in ("ada", "bob"):
        shop.ask(
            "POST", "/api/v1/messages", {"profile": f"user:{who}", "channel": "email", "template": "hello"}, expect=202
        )
    sent = {each["to"]: each for each in shop.outbox()}
    for who in ("ada", "bob"):
        found = sent[f"{who}@example.com"]
        assert found["subject"] == shown[who]["content"]["subject"]
        assert shown[who]["content"]["body"].partition("</body>")[0] in found["body"]


def test_a_template_that_aborts_skips_the_message_with_its_reason(open_shop: Open) -> None:
    shop = open_shop()
    body = "{% if profile.traits.stock == 0 %}{% abort_message 'sold out' %}{% endif %}x"
    shop.template(body=body)
    shop.identify("ada", email="ada@example.com", stock=0)
    shop.profile("ada")
    assert render(shop, template="hello", profile="user:ada")["aborted"] == "sold out"
    said = shop.ask(
        "POST", "/api/v1/messages", {"profile": "user:ada", "channel": "email", "template": "hello"}, expect=202
    )
    found = shop.get(f"/api/v1/messages/{said['id']}")
    assert (found["state"], found["reason"], shop.outbox()) == ("skipped", "aborted", [])


def test_render_answers_as_the_contract_says(open_shop: Open) -> None:
    shop = open_shop()
    inline = {"channel": "email", "body": "{{ a }}{% render 'p' %}{{ nope }}", "format": "liquid+text"}
    found = render(shop, inline=inline, data={"a": "<b>"}, templates={"p": "-"})
    assert (found["content"], found["warnings"]) == ({"body": "<b>-"}, ["nope is undefined"])
    assert found["ms"] < 2_000
    for body, code in (("{% if %}", "template_error"), ("{% for i in (1..99999999) %}{% endfor %}", "template_limit")):
        assert render(shop, 422, inline={**inline, "body": body})["code"] == code
    assert render(shop, 422, inline={"format": "liquid+mjml", "body": "<p>"})["code"] == "template_error"
    wrong = render(shop, 422, inline={**inline, "locales": {"ja": {"body": "{% if %}"}}}, locale="ja")
    assert [error["pointer"] for error in wrong["errors"]] == ["/locales/ja/body"]


def test_spellings_of_migrants_are_converted_with_a_notice(open_shop: Open) -> None:
    shop = open_shop()
    said = shop.ask("PUT", "/api/v1/templates/old", {"channel": "email", "body": "Hi {{${city}}}"})
    assert said["warnings"] == ["${city} is now profile.traits.city"]
    assert shop.get("/api/v1/templates/old")["body"] == "Hi {{profile.traits.city}}"


def test_words_that_mean_nothing_are_said_when_a_template_is_put(open_shop: Open) -> None:
    shop = open_shop()
    said = shop.ask(
        "PUT", "/api/v1/templates/hello", {"channel": "email", "body": "Hi", "locale": {"ja": {"body": "やあ"}}}
    )
    assert said["warnings"] == ["'locale' means nothing here; did you mean 'locales'?"]
    assert "warnings" not in shop.ask("PUT", "/api/v1/templates/hello", {"channel": "email", "body": "Hi"})


def test_an_sms_shows_what_it_is_sent_as(open_shop: Open) -> None:
    shop = open_shop()
    found = render(shop, inline={"channel": "sms", "body": "{{ say }}"}, data={"say": "秋の新作 & more" + "。" * 60})
    assert found["content"] == {"body": "秋の新作 & more" + "。" * 60}
    assert found["sms"] == {"segments": 2, "encoding": "UCS-2", "units": 71}
    assert found["warnings"] == ["2 segments (UCS-2)"]
    found = render(shop, inline={"channel": "sms", "body": "Hi"})
    assert (found["sms"]["segments"], found["warnings"]) == (1, [])
