"""Consent over HTTP: an opt-out accepted is an opt-out obeyed, one click is enough, nothing forged counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from kizuna import app
from kizuna.config import Config
from kizuna.consent import routes as consent
from kizuna.messages import public_routes
from kizuna.messages import routes as messages
from kizuna.providers import routes as providers
from kizuna.templates import routes as templates
from kizuna.testing.crew import Crew
from kizuna.testing.keys import both_kinds
from kizuna.testing.mail import TEMPLATE
from kizuna.testing.mail_shop import BASE, Shop

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def shop(open_house: Callable[..., Any], database_url: str) -> Iterator[Shop]:
    mine = [*consent.ROUTES, *messages.ROUTES, *public_routes.ROUTES, *providers.ROUTES, *templates.ROUTES]
    routes = list(dict.fromkeys([*app.ROUTES, *mine]))
    house = open_house(routes=routes, public_url=BASE)
    with Crew(Config(database_url=database_url, public_url=BASE)):
        yield Shop(house)


def test_an_opt_out_is_obeyed_by_everything_planned_after_it(shop: Shop) -> None:
    shop.identify("ada")
    assert shop.say("ada")["state"] == "sent"
    assert shop.consent("ada", channel="email", state="opted_out", source="support").status_code == 200
    skipped = shop.say("ada")
    assert (skipped["state"], skipped["reason"]) == ("skipped", "no_consent")
    assert shop.say("ada", transactional=True)["state"] == "sent"
    assert shop.house.sql("SELECT count(*)::integer FROM veto") == [(0,)]


def test_an_event_that_refuses_is_obeyed_and_said_again_stands_in_for_nothing(shop: Shop) -> None:
    shop.identify("ada")
    context = {"consent": {"categoryPreferences": {"news": False, "offers": False}}}
    refuses = {"type": "identify", "messageId": "m1", "userId": "ada", "context": context}
    key = {"Authorization": f"Bearer {shop.workspace['write_key']}"}
    shop.house.client.post("/v1/batch", json={"batch": [refuses]}, headers=key)
    assert shop.say("ada", topic="news")["reason"] == shop.say("ada", topic="offers")["reason"] == "no_consent"
    assert shop.say("ada", topic="care")["state"] == "sent"
    shop.consent("ada", channel="email", topic="news", state="opted_in", proof={"form": "newsletter"})
    for _ in range(2):
        shop.house.client.post("/v1/batch", json={"batch": [refuses, refuses]}, headers=key)
    assert shop.say("ada", topic="news")["state"] == "sent"
    assert shop.house.sql("SELECT count(*)::integer FROM veto") == [(0,)]


def test_an_opt_out_is_undone_by_proof_only(shop: Shop) -> None:
    shop.identify("ada")
    shop.consent("ada", channel="email", state="opted_out")
    refused = shop.consent("ada", channel="email", state="opted_in", source="import")
    assert (refused.status_code, refused.json()["code"]) == (409, "opted_out")
    proven = shop.consent("ada", channel="email", state="opted_in", proof={"form": "newsletter", "ip": "192.0.2.1"})
    assert proven.status_code == 200
    assert shop.say("ada")["state"] == "sent"


def test_wrong_choices_are_refused(shop: Shop) -> None:
    shop.identify("ada")
    assert shop.consent("ada", channel="email", state="maybe").status_code == 400
    assert shop.consent("nobody", channel="email", state="opted_out").status_code == 404
    misspelt = shop.consent("ada", channel="emial", state="opted_out")
    assert (misspelt.status_code, misspelt.json()["code"]) == (422, "unknown_channel")
    assert "email" in misspelt.json()["errors"][0]["message"]
    acts = [{"profile": "user:ada", "channel": name, "state": "opted_out"} for name in ("emial", "tracking", "line")]
    many = shop.house.client.post("/api/v1/consent/import", json={"items": acts}, headers=shop.auth).json()
    assert (many["accepted"], [(each["index"], each["code"]) for each in many["refused"]]) == (
        2, [(0, "unknown_channel")],
    )  # fmt: skip


def test_one_click_unsubscribes_once_however_often_it_is_posted(shop: Shop) -> None:
    shop.identify("ada")
    shop.say("ada", topic="news")
    path, client = shop.unsubscribe_path(), shop.house.client
    client.cookies.clear()
    first = client.post(path, data=ONE_CLICK, follow_redirects=False)
    assert first.status_code == 200
    assert shop.say("ada", topic="news")["reason"] == "no_consent"
    again = client.post(path, files={"List-Unsubscribe": (None, "One-Click")}, follow_redirects=False)
    assert again.status_code == 200
    assert shop.say("ada", topic="offers")["state"] == "sent"
    assert shop.count("messages:unsubscribed") == 1


def test_looking_at_the_unsubscribe_page_changes_nothing(shop: Shop) -> None:
    shop.identify("ada")
    shop.say("ada")
    path, client = shop.unsubscribe_path(), shop.house.client
    page = client.get(path, headers={"Accept-Language": "ja,en;q=0.5"})
    assert page.status_code == 200
    assert '<html lang="ja">' in page.text
    assert "<button" in page.text
    assert client.head(path).status_code == 200
    assert client.post(path, content=b"").status_code == 400
    assert client.post(path, data={"List-Unsubscribe": "Two-Clicks"}).status_code == 400
    assert shop.say("ada")["state"] == "sent"


def test_the_button_of_the_page_unsubscribes(shop: Shop) -> None:
    shop.identify("ada")
    shop.say("ada", topic="news")
    answer = shop.house.client.post(shop.unsubscribe_path(), data={"unsubscribe": "channel"})
    assert answer.status_code == 200
    assert 'role="status"' in answer.text
    assert shop.say("ada", topic="offers")["reason"] == "no_consent"


def test_forged_links_are_refused_and_change_nothing(shop: Shop) -> None:
    shop.identify("ada")
    message = shop.say("ada")
    body = shop.mail()["body"]
    click = shop.path(re.findall(r'href="([^"]+/c/[^"]+)"', body)[0])
    client = shop.house.client
    for path in (shop.unsubscribe_path(), click):
        kind, token = path[1], path[3:]
        for place in range(0, len(token), 7):
            forged = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
            assert client.post(f"/u/{forged}", data=ONE_CLICK).status_code == 404
            assert client.get(f"/{kind}/{forged}", follow_redirects=False).status_code == 404
        for other in "ucvp":
            if other != kind:
                assert client.get(f"/{other}/{token}", follow_redirects=False).status_code == 404
    assert shop.get(f"/api/v1/messages/{message['id']}")["state"] == "sent"
    assert shop.say("ada")["state"] == "sent"


def test_clicks_lead_to_links_of_the_message_and_are_reported(shop: Shop) -> None:
    shop.identify("ada")
    message = shop.say("ada")
    mail = shop.mail()
    client = shop.house.client
    click = shop.path(re.findall(r'href="([^"]+/c/[^"]+)"', mail["body"])[0])
    answer = client.get(click, follow_redirects=False, headers={"User-Agent": "Mozilla/5.0"})
    assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.example/sale?a=1&b=2")
    pixel = shop.path(re.findall(r'src="([^"]+/o/[^"]+)"', mail["body"])[0])
    opened = client.get(pixel)
    assert opened.headers["content-type"] == "image/gif"
    shown = shop.get(f"/api/v1/messages/{message['id']}", opened.headers["kizuna-position"])
    assert shown["state"] == "clicked"
    assert [each["state"] for each in shown["history"]][-2:] == ["clicked", "opened"]
    assert shown["content"]["subject"] == "Hello Ada"


def test_templates_are_published_rendered_and_refused(shop: Shop) -> None:
    shop.identify("ada")
    client = shop.house.client
    broken = client.put("/api/v1/templates/x", json={**TEMPLATE, "body": "{% if %}"}, headers=shop.auth)
    assert (broken.status_code, broken.json()["code"]) == (422, "template_error")
    assert broken.json()["errors"][0]["pointer"] == "/body"
    asked = {"template": "hello", "profile": "user:ada", "data": {"message": {"unsubscribe_url": "#x"}}}
    shown = client.post("/api/v1/templates/render", json=asked, headers=shop.auth).json()
    assert shown["content"]["subject"] == "Hello Ada"
    assert 'href="#x"' in shown["content"]["body"]
    endless = {"inline": {"channel": "email", "body": "{{ (1..1000000000) | join }}", "format": "liquid+text"}}
    stopped = client.post("/api/v1/templates/render", json=endless, headers=shop.auth)
    assert (stopped.status_code, stopped.json()["code"]) == (422, "template_limit")


def test_a_message_list_is_paged_and_filtered(shop: Shop) -> None:
    shop.identify("ada")
    shop.identify("grace")
    for user in ("ada", "grace", "ada"):
        shop.say(user)
    assert len(shop.get("/api/v1/messages?profile=user:ada")["items"]) == 2
    first = shop.get("/api/v1/messages?limit=2")
    second = shop.get(f"/api/v1/messages?limit=2&cursor={first['next_cursor']}")
    assert len({item["id"] for item in first["items"] + second["items"]}) == 3
    assert shop.get("/api/v1/messages?state=skipped")["items"] == []
    page = shop.get("/api/v1/outbox?limit=2")
    rest = shop.get(f"/api/v1/outbox?limit=2&cursor={page['next_cursor']}")
    assert [len(page["items"]), len(rest["items"])] == [2, 1]


def test_secrets_of_providers_go_in_and_never_come_out(shop: Shop) -> None:
    settings = {
        "host": "mail.example",
        "port": 25,
        "tls": "none",
        "from": "Shop <a@shop.example>",
        "password": "canary",
    }
    body = {"kind": "smtp", "channel": "email", "settings": settings}
    shop.put("/api/v1/providers/mail", body)
    shown = shop.get("/api/v1/providers/mail")
    assert shown["secrets"] == ["password"]
    assert "canary" not in str(shown)
    assert "canary" not in str(shop.house.sql("SELECT body FROM definition WHERE kind = 'provider'"))
    wrong = shop.house.client.put("/api/v1/providers/mail", json={**body, "settings": {"hots": "x"}}, headers=shop.auth)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/settings/hots")


def test_keys_that_sign_mail_are_checked_when_set_and_say_what_to_publish(shop: Shop) -> None:
    def put(dkim: Any, **changes: str) -> tuple[int, Any]:
        settings = {"host": "mail.example", "from": "Shop <a@shop.example>", **changes, "dkim": dkim}
        body = {"kind": "smtp", "channel": "email", "settings": settings}
        answer = shop.house.client.put("/api/v1/providers/mail", json=body, headers=shop.auth)
        return answer.status_code, answer.json()

    def wrong(dkim: Any, **changes: str) -> list[tuple[str, str]]:
        status, answer = put(dkim, **changes)
        assert (status, answer["code"]) == (422, "invalid_settings")
        return [(each["pointer"], each["code"]) for each in answer["errors"]]

    keys = [msgspec.structs.asdict(key) for key in both_kinds()]
    lost = {**keys[1], "private_key": "lost"}
    assert wrong([keys[0], lost]) == [("/settings/dkim/1/private_key", "unreadable_key")]
    assert wrong([{**keys[0], "algorithm": "ed25519-sha256"}]) == [("/settings/dkim/0/algorithm", "wrong_algorithm")]
    assert wrong([{**keys[0], "selector": 1}]) == [("/settings/dkim/0/selector", "invalid")]
    assert wrong([], **{"from": "a@b, c@d"}) == [("/settings/from", "invalid_address")]
    status, shown = put(keys)
    assert (status, shown["secrets"]) == (200, ["dkim"])
    assert [each["code"] for each in shown["warnings"]] == ["short_key"]
    assert [each["name"] for each in shown["dns"]] == ["r2026._domainkey.shop.example", "e2026._domainkey.shop.example"]
    assert keys[1]["private_key"] not in str(shown)
    assert shop.get("/api/v1/providers/mail")["dns"] == shown["dns"]
    _, other = put(keys[1:], **{"from": "a@other.example"})
    assert [(each["pointer"], each["code"]) for each in other["warnings"]] == [
        ("/settings/dkim/0/domain", "not_aligned")
    ]
    assert put([])[1]["secrets"] == []
