"""Double opt-in through the whole product: asked by mail, answered on a page, proved by what was answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kizuna import app
from kizuna.config import Config
from kizuna.testing.crew import Crew
from kizuna.testing.mail_shop import BASE, Shop

PLEASE = {
    "channel": "email",
    "subject": "Please confirm",
    "body": '<p><a href="{{ message.confirm_url }}">Confirm {{ data.topic }}</a></p>',
}


@pytest.fixture
def shop(open_house: Callable[..., Any], database_url: str) -> Iterator[Shop]:
    house = open_house(routes=app.ROUTES, public_url=BASE)
    with Crew(Config(database_url=database_url, public_url=BASE)):
        shop = Shop(house)
        shop.put("/api/v1/templates/please", PLEASE)
        shop.put("/api/v1/topics/news", {"title": "News", "default": "opt_in"})
        shop.put("/api/v1/policy", {"double_opt_in": {"template": "please", "most": 2}})
        yield shop


def link(shop: Shop) -> str:
    return shop.path(re.findall(r'href="([^"]+/y/[^"]+)"', shop.mail()["body"])[0])


def ask(shop: Shop, user: str, **more: Any) -> str:
    said = {"channel": "email", "topic": "news", "state": "pending", "confirm": True, "source": "form", **more}
    answer = shop.consent(user, **said)
    assert answer.status_code == 200, answer.text
    position = answer.headers["kizuna-position"]
    shop.get("/api/v1/outbox", position)
    return position


def state(shop: Shop, user: str) -> str | None:
    channels = shop.get(f"/api/v1/profiles/user:{user}/consent")["channels"]
    return channels.get("email", {}).get("topics", {}).get("news")


def mails(shop: Shop) -> list[str]:
    return [each["subject"] for each in shop.get("/api/v1/outbox")["items"]]


def sign_up(shop: Shop, email: str, **more: Any) -> Any:
    form = {"email": email, "topic": "news", "text_version": "2026-03", **more}
    answer = shop.house.client.post(f"/f/{shop.workspace['write_key']}", data=form, headers={"Accept-Language": "ja"})
    if position := answer.headers.get("kizuna-position"):
        shop.get("/api/v1/outbox", position)
    return answer


def test_a_confirmed_opt_in_is_proved_and_its_messages_point_to_the_proof(shop: Shop) -> None:
    shop.identify("ada")
    ask(shop, "ada", proof={"form": "footer"})
    assert state(shop, "ada") == "pending"
    assert shop.say("ada", topic="news")["reason"] == "no_consent"
    client, path = shop.house.client, link(shop)
    for _ in range(3):  # scanners look, and look again
        shown = client.get(path, headers={"Accept-Language": "en"})
        assert (shown.status_code, client.head(path).status_code) == (200, 200)
        assert 'name="confirm"' in shown.text
    assert client.post(path, data={"other": "yes"}).status_code == 200
    assert state(shop, "ada") == "pending"
    done = client.post(path, data={"confirm": "yes"}, headers={"Accept-Language": "ja"})
    assert '<html lang="ja">' in done.text
    assert 'role="status"' in done.text
    assert state(shop, "ada") == "opted_in"
    assert client.post(path, data={"confirm": "yes"}).status_code == 200  # twice is once
    history = shop.get("/api/v1/profiles/user:ada/consent")["history"]
    assert [each["state"] for each in history] == ["opted_in", "pending"]
    proof = history[0]["proof"]
    assert (proof["how"], proof["address"], proof["template"]) == ("double_opt_in", "ada@example.com", "please")
    assert proof["text_version"] >= 1
    assert "ip" not in proof
    message = shop.say("ada", topic="news")
    assert message["state"] == "sent"
    assert message["consent"]["proof_id"] == history[0]["id"]
    assert (message["consent"]["state"], message["consent"]["source"]) == ("opted_in", "double_opt_in")


def test_an_address_that_changed_or_a_no_meanwhile_ends_the_link(shop: Shop) -> None:
    client = shop.house.client
    shop.identify("ada")
    ask(shop, "ada")
    path = link(shop)
    shop.identify("ada", email="new@example.com")
    assert client.get(path).status_code == 410
    assert client.post(path, data={"confirm": "yes"}).status_code == 410
    assert state(shop, "ada") == "pending"
    shop.identify("grace")
    ask(shop, "grace")
    path = link(shop)
    shop.consent("grace", channel="email", topic="news", state="opted_out")
    assert client.post(path, data={"confirm": "yes"}).status_code == 410
    assert state(shop, "grace") == "opted_out"


def test_who_stopped_all_mail_is_told_so_and_may_start_it_again(shop: Shop) -> None:
    client = shop.house.client
    shop.identify("ada")
    shop.consent("ada", channel="email", state="opted_out")
    ask(shop, "ada")
    path = link(shop)
    early = client.post(path, data={"confirm": "channel"})  # not before the topic is confirmed
    assert 'value="yes"' in early.text
    saved = client.post(path, data={"confirm": "yes"}, headers={"Accept-Language": "en"})
    assert 'value="channel"' in saved.text
    assert "you stopped all messages" in saved.text
    assert "再開" in client.get(path, headers={"Accept-Language": "ja"}).text
    assert (state(shop, "ada"), shop.say("ada", topic="news")["reason"]) == ("opted_in", "no_consent")
    done = client.post(path, data={"confirm": "channel"}, headers={"Accept-Language": "en"})
    assert "Thank you" in done.text
    history = shop.get("/api/v1/profiles/user:ada/consent")["history"]
    assert (history[0]["state"], history[0]["topic"], history[0]["proof"]["how"]) == (
        "opted_in", None, "double_opt_in",
    )  # fmt: skip
    assert shop.say("ada", topic="news")["state"] == "sent"


def test_links_of_other_messages_and_forged_ones_confirm_nothing(shop: Shop) -> None:
    client = shop.house.client
    shop.identify("ada")
    ask(shop, "ada")
    path = link(shop)
    for place in range(3, len(path), 9):
        forged = path[:place] + ("A" if path[place] != "A" else "B") + path[place + 1 :]
        assert client.post(forged, data={"confirm": "yes"}).status_code == 404
    assert client.get(path.replace("/y/", "/u/")).status_code == 404
    shop.put("/api/v1/templates/hello", PLEASE)
    shop.say("ada", transactional=True)
    assert link(shop) != path
    assert client.post(link(shop), data={"confirm": "yes"}).status_code == 404
    assert state(shop, "ada") == "pending"


def test_a_public_form_asks_and_tells_nobody_who_is_a_customer(shop: Shop) -> None:
    shop.identify("ada")
    stranger, known = sign_up(shop, "new@example.com"), sign_up(shop, "ada@example.com")
    assert stranger.status_code == known.status_code == 202
    assert stranger.text == known.text
    assert '<html lang="ja">' in stranger.text
    assert mails(shop) == ["Please confirm"] * 2
    shop.house.client.post(link(shop), data={"confirm": "yes"})
    assert state(shop, "ada") == "opted_in"
    sign_up(shop, "ada@example.com")  # by anybody: who is in is left in peace
    assert len(mails(shop)) == 2
    sign_up(shop, "new@example.com")
    sign_up(shop, "new@example.com")
    assert len(mails(shop)) == 3  # two for one address, as the policy says
    found = shop.get("/api/v1/profiles/email:new@example.com/consent")
    assert found["history"][0]["proof"]["text_version"] == "2026-03"


def test_a_public_form_is_refused_without_sense_and_when_it_is_too_much(shop: Shop) -> None:
    client, key = shop.house.client, shop.workspace["write_key"]
    assert sign_up(shop, "no address").status_code == 400
    read = client.post(
        f"/f/{key}", data={"email": "no address"}, headers={"Accept": "text/html", "Accept-Language": "ja"}
    )
    assert (read.status_code, '<html lang="ja">' in read.text, "メールアドレスの形式" in read.text) == (400, True, True)
    assert sign_up(shop, "a@example.com", topic="unheard").status_code == 422
    odd = {"email": "a@example.com", "form": "foot\x00er"}  # no database keeps it: it would stop their log
    assert client.post(f"/f/{key}", data=odd).json()["code"] == "invalid_text"
    assert client.post(f"/f/{key}", data={"email": "a@example.com"}, files={"form": b"\x00"}).status_code < 500
    shop.put("/api/v1/policy", {"double_opt_in": {"template": "nobody_wrote_it"}})
    assert sign_up(shop, "a@example.com").json()["code"] == "unknown_template"
    shop.put("/api/v1/policy", {"double_opt_in": {"template": "please"}})
    assert client.post("/f/wk_wrong", data={"email": "a@example.com"}).status_code == 401
    answers = [client.post(f"/f/{key}", json={"email": f"u{n}@example.com"}) for n in range(12)]
    assert {each.status_code for each in answers} == {202, 429}
    assert "retry-after" in answers[-1].headers
    shop.put("/api/v1/policy", {})
    assert shop.consent("ada", channel="email", state="pending", confirm=True).status_code in (404, 422)


def test_the_address_an_answer_came_from_is_kept_where_the_policy_says_so(shop: Shop) -> None:
    shop.put("/api/v1/policy", {"double_opt_in": {"template": "please"}, "keep_ip": True})
    shop.identify("ada")
    ask(shop, "ada")
    shop.house.client.post(link(shop), data={"confirm": "yes"})
    assert shop.get("/api/v1/profiles/user:ada/consent")["history"][0]["proof"]["ip"]
