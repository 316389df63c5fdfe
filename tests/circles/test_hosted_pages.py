"""Pages that customers come to from a message: what they choose is obeyed, what they see is what was sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kizuna.config import Config
from kizuna.testing.crew import Crew
from kizuna.testing.mail import TEMPLATE
from kizuna.testing.mail_shop import BASE, Shop

LINKED = {
    **TEMPLATE,
    "body": '<p>{{ profile.traits.name }}</p><a href="{{ message.preferences_url }}">p</a>'
    '<a href="{{ message.view_url }}">v</a>',
}


@pytest.fixture
def shop(open_house: Callable[..., Any], database_url: str) -> Iterator[Shop]:
    house = open_house(public_url=BASE)
    with Crew(Config(database_url=database_url, public_url=BASE)):
        yield Shop(house)


def link(shop: Shop, letter: str, body: dict[str, Any] | None = None, **more: Any) -> str:
    """The path of a link in a mail that was just sent to Ada."""
    shop.put("/api/v1/templates/hello", body or LINKED)
    assert shop.say("ada", **more)["state"] == "sent"
    found = re.search(rf"{BASE}(/{letter}/[\w-]+)", shop.mail()["body"])
    assert found
    return found[1]


def history(shop: Shop) -> list[Any]:
    """What Ada's consent went through: the facts, oldest first, of all that was accepted so far."""
    ((position,),) = shop.house.sql("SELECT last_value FROM position")
    items = shop.get("/api/v1/profiles/user:ada/timeline", str(position))["items"]
    return [each["properties"] for each in reversed(items) if each["event"] == "consent_changed"]


def test_the_preference_page_shows_every_topic_and_undoes_what_the_person_chose(shop: Shop) -> None:
    shop.identify("ada")
    shop.put(
        "/api/v1/topics/offers", {"title": "Offers of the week", "description": "Each Friday", "default": "opt_in"}
    )
    path, client = link(shop, "p", topic="news"), shop.house.client
    page = client.get(path)
    assert ("news" in page.text, "Offers of the week" in page.text, "Each Friday" in page.text) == (True, True, True)
    assert client.post(path, data={"topic": "news", "state": "opted_out"}).status_code == 200
    assert shop.say("ada", topic="news")["reason"] == "no_consent"
    assert client.post(path, data={"topic": "news", "state": "opted_in"}).status_code == 200
    assert shop.say("ada", topic="news")["state"] == "sent"
    assert shop.say("ada", topic="offers")["reason"] == "no_consent"
    offers = {"channel": "email", "topic": "offers", "state": "opted_in"}
    saved = client.post(path, data=offers)
    assert 'aria-label="Stop: Offers of the week (Mail)"' in saved.text
    assert shop.say("ada", topic="offers")["state"] == "sent"


def test_a_choice_is_one_fact_with_source_and_proof_however_often_the_form_is_sent(shop: Shop) -> None:
    shop.identify("ada")
    path, client = link(shop, "p", topic="news"), shop.house.client
    for _ in range(3):
        assert client.get(path).status_code == 200
        assert client.post(path, data={"channel": "email", "topic": "", "state": "opted_out"}).status_code == 200
    said = [{key: each[key] for key in ("channel", "topic", "state", "source")} for each in history(shop)]
    assert said == [{"channel": "email", "topic": None, "state": "opted_out", "source": "preferences"}]
    assert shop.say("ada", topic="news")["reason"] == "no_consent"
    assert shop.house.sql("SELECT count(*)::integer FROM veto") == [(0,)]


def test_looking_and_wrong_choices_change_nothing(shop: Shop) -> None:
    shop.identify("ada")
    path, client = link(shop, "p", topic="news"), shop.house.client
    assert client.get(path).headers["cache-control"] == "no-store"
    assert client.head(path).status_code == 200
    wrong = [
        {}, {"state": "opted_out", "topic": "other"}, {"state": "opted_out", "channel": "pigeon"},
        {"state": "neutral", "topic": "news"}, {"topic": "news"},
    ]  # fmt: skip
    for form in wrong:
        answer = client.post(path, data=form)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_consent")
    assert history(shop) == []


def test_pages_speak_the_customers_language_and_lead_to_each_other(shop: Shop) -> None:
    shop.identify("ada", locale="ja-JP")
    path, client = link(shop, "p"), shop.house.client
    page = client.get(path, headers={"Accept-Language": "en"})
    assert '<html lang="ja">' in page.text
    unsubscribe = shop.unsubscribe_path()
    found = re.search(r'href="\.\.(/p/[\w-]+)"', client.get(unsubscribe).text)
    assert found
    assert client.get(found[1]).text == page.text


def test_links_that_are_not_ours_are_answered_the_same(shop: Shop) -> None:
    shop.identify("ada")
    path, client = link(shop, "p"), shop.house.client
    token = path.removeprefix("/p/")
    hostile = [
        "x", token[:-1], token + "A", token[::-1], "A" * 64, "..%2f..%2fetc", "<b>", "ア" * 21, "-" * 4000,
        token[:40] + ("A" if token[40] != "A" else "B") + token[41:],
    ]  # fmt: skip
    for letter in "pv":
        for each in hostile:
            asked = [client.get(f"/{letter}/{each}")]
            asked += [client.post(f"/p/{each}", data={"state": "opted_out"})] if letter == "p" else []
            assert {(answer.status_code, answer.json()["code"]) for answer in asked} == {(404, "not_found")}, each
    assert client.get(f"/v/{token}").json()["code"] == "not_found"


def test_the_view_is_what_was_sent_and_has_no_power_over_us(shop: Shop) -> None:
    shop.identify("ada", name="<script>alert(1)</script>")
    script = LINKED["body"] + "<script>document.title = 'mine'</script>"
    path = link(shop, "v", {**LINKED, "body": script})
    sent = shop.mail()["body"]
    shop.put("/api/v1/templates/hello", {**LINKED, "body": "another"})
    answer = shop.house.client.get(path)
    assert answer.text == sent
    policy = answer.headers["content-security-policy"]
    assert ("script-src" in policy, "allow-scripts" in policy, "allow-same-origin" in policy) == (False, False, False)
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "noindex" in answer.headers["x-robots-tag"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_text_that_looks_like_markup_is_viewed_as_text(shop: Shop) -> None:
    shop.identify("ada")
    body = {**LINKED, "format": "liquid+text", "body": "1 < 2 <b>bold</b> {{ message.view_url }}"}
    answer = shop.house.client.get(link(shop, "v", body))
    assert answer.text.startswith("<pre>1 &lt; 2 &lt;b&gt;bold&lt;/b&gt; ")


def test_what_is_no_longer_kept_is_not_found(shop: Shop) -> None:
    shop.identify("ada")
    path, client = link(shop, "v"), shop.house.client
    shop.house.sql("UPDATE message SET body = NULL")
    assert (client.get(path).status_code, client.get(path).json()["code"]) == (404, "not_found")
    kept, choices = link(shop, "v"), link(shop, "p")
    assert client.get(kept).status_code == 200
    shop.house.sql("DELETE FROM profile")
    for each in (kept, choices):
        assert (client.get(each).status_code, client.get(each).json()["code"]) == (404, "not_found")
