"""Who may read what lies in the shop's pages: a write key stands in every page, so knowing it says nothing."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from kizuna.testing.pages import PROVIDER, Browser, say, signed_in, titles, token_of
from kizuna.testing.shop import Shop, identify, track


def test_who_claims_to_be_somebody_reads_nothing_of_theirs(site: Shop) -> None:
    site.send(identify("victim", name="Vic"))
    say(site, "victim", "inbox")
    mallory = Browser(site, "m1")
    assert mallory.pull() == []
    site.send(identify("victim~m1"))  # with the public write key; the two are one record now
    assert site.profile("~m1")["id"] == site.profile("victim")["id"]
    assert mallory.pull() == []
    assert mallory.answer["needs"] == "user_token"
    claims = Browser(site, "m1", "victim")
    assert claims.pull() == []
    assert claims.answer["needs"] == "user_token"
    forged = Browser(site, "m1", "victim", token_of("mallory")).ask("/in-page/pull")
    assert (forged.status, forged.body["code"]) == (403, "invalid_user_token")
    assert len(signed_in(site, "victim").pull()) == 1


def test_an_external_id_is_no_way_around_the_wall(site: Shop) -> None:
    named = {"context": {"externalIds": [{"id": "c-17", "type": "crm", "collection": "users", "encoding": "none"}]}}
    site.send({**identify("~v1", name="Vic"), **named})
    say(site, "~v1", "inbox")
    site.send({**track("~m1", "Viewed"), **named})
    assert site.profile("~m1")["id"] == site.profile("~v1")["id"]
    mallory = Browser(site, "m1")
    assert (mallory.pull(), mallory.answer["needs"]) == ([], "user_token")


def test_an_open_identity_takes_the_browsers_word(site: Shop) -> None:
    provider = {"kind": "in_page", "settings": {"identity": "open"}}
    shown = site.ask("PUT", "/api/v1/providers/site", provider)
    assert [each["code"] for each in shown["warnings"]] == ["open"]
    assert "made" not in shown  # the secret that was given stays
    site.send(identify("ada~a1"))
    say(site, "ada", "inbox")
    assert titles(Browser(site, "elsewhere", "ada").pull()) == ["inbox"]
    assert titles(Browser(site, "a1").pull()) == ["inbox"]


def test_the_secret_is_made_and_told_once(shop: Shop) -> None:
    provider = {"kind": "in_page", "settings": {}}
    made = shop.ask("PUT", "/api/v1/providers/site", provider)["made"]["secret"]
    assert len(made) >= 32
    assert "made" not in shop.ask("PUT", "/api/v1/providers/site", provider)
    shown = shop.get("/api/v1/providers/site")
    assert (shown["secrets"], shown["settings"], made in str(shown)) == (["secret"], {}, False)
    shop.ask("PUT", "/api/v1/templates/note", {"channel": "inbox", "body": "Hi"})
    shop.send(identify("ada"))
    say(shop, "ada", "note", "inbox")
    token = hmac.digest(made.encode(), b"ada", "sha256").hex()
    assert len(Browser(shop, "a1", "ada", token).pull()) == 1


def test_a_visitors_shelf_comes_along_when_they_sign_in(site: Shop) -> None:
    site.send(track("~a1", "Viewed"), track("~a2", "Viewed"), identify("ada"))
    for who, template in (("~a1", "card"), ("~a2", "inbox"), ("ada", "banner")):
        say(site, who, template)
    phone = Browser(site, "a1")
    (card,) = phone.pull()
    site.send(identify("ada~a1"), identify("ada~a2"))
    ada = signed_in(site, "ada")
    assert titles(ada.pull()) == ["banner", "card", "inbox"]
    assert (phone.pull(), phone.answer["gone"], phone.answer["needs"]) == ([], [card["id"]], "user_token")
    assert phone.act(card, "dismiss") == 1  # its token is still good
    assert site.facts("ada", "message_dismissed")
    assert ada.pull() == []
    assert ada.answer["gone"] == [card["id"]]
    assert titles(site.get("/api/v1/profiles/user:ada/in-page")["items"]) == ["banner", "inbox"]


def test_a_token_of_another_shop_does_nothing(site: Shop, open_shop: Callable[..., Shop]) -> None:
    site.send(identify("ada"))
    say(site, "ada", "inbox")
    (item,) = signed_in(site, "ada").pull()
    other = open_shop()
    other.ask("PUT", "/api/v1/providers/site", PROVIDER)
    assert signed_in(other, "ada").pull() == []
    assert signed_in(other, "ada").act(item, "delete") == 0
    assert titles(signed_in(site, "ada").pull()) == ["inbox"]
    say(site, "ada", "card")
    mail = site.get("/api/v1/messages")["items"][0]["id"]
    assert signed_in(site, "ada").act({"token": mail}, "delete") == 0
    changed = item["token"][:-1] + ("A" if item["token"][-1] != "A" else "B")
    assert signed_in(site, "ada").act({"token": changed}, "delete") == 0


def test_a_friend_of_a_channel_is_no_browser(site: Shop) -> None:
    site.send(track("~line:U4af4980629", "Viewed"))
    say(site, "~line:U4af4980629", "inbox")
    guess = Browser(site, "line:U4af4980629")
    assert (guess.pull(), guess.answer["needs"]) == ([], "user_token")
