"""An SMS goes out over a gateway, and what comes back of it: delivery, STOP, START, an opt-out at the carrier."""

from __future__ import annotations

import hmac
import itertools
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from kizuna.testing.receiver import Receiver, Told
from kizuna.testing.shop import Shop

ADA = "+819012345678"


@pytest.fixture
def api() -> Iterator[Receiver]:
    with Receiver(Told(201, body={"sid": "SM1"})) as receiver:
        yield receiver


@pytest.fixture
def url(shop: Shop, api: Receiver) -> str:
    """Where Twilio reports to; Ada may be written to."""
    provider = {"kind": "twilio", "settings": {"account": "AC1", "token": "t", "from": "+15005550006"}}
    url = shop.ask("PUT", "/api/v1/providers/text", provider)["reports_url"]
    provider["settings"] |= {"status_callback": url, "endpoint": api.url}
    shop.ask("PUT", "/api/v1/providers/text", provider)
    shop.ask("PUT", "/api/v1/templates/hello", {"channel": "sms", "body": "Hi {{ profile.traits.name }}"})
    steps = [{"id": "text", "send": {"channel": "sms", "template": "hello", "topic": "news"}}]
    shop.journey("j", {"entry": {"on": {"event": "Go"}, "again": "always"}, "steps": steps})
    shop.identify("ada", phone="090-1234-5678", country="JP", name="Ada")
    return url


def say(shop: Shop, state: str = "sent") -> dict[str, Any]:
    """One more message to Ada, when it has come to its end."""
    known = {each["id"] for each in shop.all("/api/v1/messages")}
    shop.track("ada", "Go")
    for _ in range(600):
        found = [each for each in shop.all("/api/v1/messages") if each["id"] not in known and each["state"] == state]
        if found:
            return found[0]
    raise AssertionError(shop.all("/api/v1/messages"))


def until(is_so: Callable[[], bool]) -> None:
    """Asks until it is so; each look waits for what is folded."""
    for _ in range(600):
        if is_so():
            return
    raise AssertionError("it never came true")


def tell(shop: Shop, url: str, key: str = "t", **form: str) -> bool:
    content = "".join(name + value for name, value in sorted(form.items()))
    signature = b64encode(hmac.digest(key.encode(), (url + content).encode(), "sha1")).decode()
    answer = httpx.post(url, data=form, headers={"X-Twilio-Signature": signature})
    shop.position = answer.headers.get("kizuna-position", shop.position)
    if answer.status_code != 401:
        assert (answer.status_code, answer.content) == (204, b"")  # what else we answered might be sent to Ada
    return answer.status_code == 204 and "kizuna-position" in answer.headers


def test_stop_opts_out_of_the_channel_and_start_opts_in_with_its_proof(shop: Shop, api: Receiver, url: str) -> None:
    message = say(shop)
    assert message["address"] == ADA
    assert b"To=%2B819012345678" in api.asked[0].body
    assert f"message%3D{message['id']}".encode() in api.asked[0].body
    assert tell(shop, f"{url}?message={message['id']}", MessageStatus="delivered")
    said = {"SmsStatus": "received", "From": ADA, "To": "+15005550006"}
    assert not tell(shop, url, "other", MessageSid="SM2", Body="停止", **said)
    shop.segment("answered", {"replied": {"channel": "sms", "journey": "j"}})
    assert shop.members("answered") == set()
    assert tell(shop, url, MessageSid="SM2", Body="Thanks!", **said)
    assert shop.members("answered") == {"ada"}
    assert not tell(shop, url, MessageSid="SM2", Body="Thanks!", **said)
    assert tell(shop, url, MessageSid="SM3", Body="配信停止", **said)
    assert say(shop, "skipped")["reason"] == "no_consent"
    assert not tell(shop, url, MessageSid="SM4", Body="START", **(said | {"From": "+819000000000"}))
    assert tell(shop, url, MessageSid="SM4", Body="HELP", **said)
    assert say(shop, "skipped")["reason"] == "no_consent"
    assert tell(shop, url, MessageSid="SM5", Body="再開", **said)
    assert say(shop)["address"] == ADA
    timeline = [each for each in shop.all("/api/v1/profiles/user:ada/timeline") if each["event"] == "message_replied"]
    heard = sorted((each["properties"]["text"], each["properties"].get("keyword")) for each in timeline)
    assert heard == [("HELP", "help"), ("Thanks!", None), ("再開", "start"), ("配信停止", "stop")]
    assert {each["properties"]["message"] for each in timeline} == {message["id"]}


def test_stop_holds_for_all_with_the_number_and_start_for_those_who_have_it_still(shop: Shop, url: str) -> None:
    shop.identify("bob", phone=ADA)
    shop.track("bob", "Go")
    say(shop)
    said = {"SmsStatus": "received", "From": ADA}
    assert tell(shop, url, MessageSid="SM1", Body="Please stop!", **said)
    shop.identify("bob", phone="+14155550100")
    assert tell(shop, url, MessageSid="SM2", Body="Unstop", **said)
    consent = {who: shop.profile(who)["consent"] for who in ("ada", "bob")}
    assert "opted_in" in str(consent["ada"])
    assert "opted_out" in str(consent["bob"])


def test_the_words_are_answered_once_and_not_for_ever(shop: Shop, api: Receiver, url: str) -> None:
    own = {"account": "AC1", "from": "+15005550006", "status_callback": url, "endpoint": api.url}
    shop.ask("PUT", "/api/v1/providers/text", {"kind": "twilio", "settings": own | {"answers_keywords": False}})
    numbers = itertools.count()
    say(shop)

    def texted(words: str, sid: str = "", address: str = ADA) -> list[str]:
        """What is said to it."""
        before = len(api.asked)
        sid = sid or f"SM{next(numbers)}"
        tell(shop, url, MessageSid=sid, Body=words, SmsStatus="received", From=address)
        shop.get("/api/v1/outbox")
        until(
            lambda: not any(each["state"] in ("planned", "claimed", "handed") for each in shop.all("/api/v1/messages"))
        )
        return [parse_qs(each.body.decode())["Body"][0] for each in api.asked[before:]]

    (told,) = texted("HELP", "once")
    assert told.startswith(shop.made["name"])
    assert "STOP" in told
    assert texted("HELP", "once") == []
    (told,) = texted("もう送らないで")
    assert "配信を停止しました" in told
    assert texted("STOP") == []
    assert "opted_out" in str(shop.profile("ada")["consent"])
    shop.ask(
        "PUT", "/api/v1/policy", {"answers": {"start": {"en": "Welcome back", "ja": "おかえりなさい"}, "help": False}}
    )
    assert texted("再開") == ["おかえりなさい"]
    assert texted("ヘルプ") == []
    assert len(texted("Stop!")) == 1  # of another opt-out
    assert texted("START") == ["Welcome back"]
    assert texted("stop texting me") == []  # five were said today
    shop.ask("PUT", "/api/v1/policy", {})
    assert len(texted("info", address="+14155550100")) == 1  # whom nobody knows
    said = [each for each in shop.timeline("ada") if str(each["properties"].get("template")).startswith("answer:")]
    ends = Counter((each["event"], each["properties"].get("reason")) for each in said)
    assert ends["message_sent", None] == 5
    assert ends["message_skipped", "answered_before"] == ends["message_skipped", "answered_often"] == 1
    planned = next(each for each in said if each["event"] == "message_planned")
    assert planned["caused_by"]


def test_what_the_provider_answers_itself_is_left_to_it(shop: Shop, api: Receiver, url: str) -> None:
    message = say(shop)
    said = {"SmsStatus": "received", "From": ADA}
    assert tell(shop, url, MessageSid="SM1", Body="STOP", **said)
    assert tell(shop, url, MessageSid="SM2", Body="halt", OptOutType="HELP", **said)
    assert [each["id"] for each in shop.all("/api/v1/messages")] == [message["id"]]
    assert "opted_out" in str(shop.profile("ada")["consent"])


def test_who_told_the_carrier_to_stop_is_opted_out(shop: Shop, api: Receiver, url: str) -> None:
    api.told = Told(400, body={"code": 21610})
    assert say(shop, "unsubscribed")["reason"].startswith("400")
    assert say(shop, "skipped")["reason"] == "no_consent"
