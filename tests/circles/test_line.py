"""Friends of a LINE account: who comes and goes is consent, who is written to answers, and each thing counts once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from kizuna.testing.receiver import Receiver, Told
from kizuna.testing.shop import Shop

ADA, BOB = "U" + "a" * 32, "U" + "b" * 32


@pytest.fixture
def line() -> Iterator[Receiver]:
    with Receiver(Told(200, body={"sentMessages": [{"id": "1"}]})) as receiver:
        yield receiver


@pytest.fixture
def friends(shop: Shop, line: Receiver) -> Shop:
    settings = {"token": "t", "channel_secret": "s", "endpoint": line.url}
    shop.ask("PUT", "/api/v1/providers/line", {"kind": "line", "settings": settings})
    shop.ask("PUT", "/api/v1/templates/hi", {"channel": "line", "body": "{{ profile.traits.name }}さん"})
    shop.identify("ada", name="Ada", line_id=ADA)
    shop.profile("ada")  # folded: LINE's words find her
    return shop


def event(kind: str, who: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "webhookEventId": name, "source": {"type": "user", "userId": who}, **more}


def tell(shop: Shop, *events: dict[str, Any], secret: str = "s", expect: int = 200) -> int:
    url = shop.ask("GET", "/api/v1/providers/line")["reports_url"]
    body = json.dumps({"events": events}).encode()
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    answer = httpx.post(url, content=body, headers={"X-Line-Signature": signature})
    assert answer.status_code == expect, answer.text
    shop.position = answer.headers.get("kizuna-position", shop.position)
    return answer.json().get("taken", 0)


def say(shop: Shop, who: str = "user:ada") -> Any:
    """Write to her, and wait for what comes of it."""
    body = {"profile": who, "channel": "line", "template": "hi"}
    name = shop.ask("POST", "/api/v1/messages", body, expect=202)["id"]
    for _ in range(600):
        found = shop.get(f"/api/v1/messages/{name}")
        if found["state"] not in ("planned", "claimed", "handed"):
            return found
    raise AssertionError(found)


def test_friends_are_written_to_and_who_blocks_is_not(friends: Shop, line: Receiver) -> None:
    assert tell(friends, event("follow", ADA, "e1")) == 1
    assert say(friends)["state"] == "sent"
    assert json.loads(line.asked[0].body) == {"to": ADA, "messages": [{"type": "text", "text": "Adaさん"}]}
    assert tell(friends, event("unfollow", ADA, "e2")) == 1
    refused = say(friends)
    assert (refused["state"], refused["reason"]) == ("skipped", "no_consent")
    assert tell(friends, event("follow", ADA, "e3")) == 1  # its own act, with its proof
    assert say(friends)["state"] == "sent"
    changed = friends.facts("ada", "consent_changed")
    assert [each["properties"]["state"] for each in changed] == ["opted_in", "opted_out", "opted_in"]
    assert changed[0]["properties"] == {"channel": "line", "topic": None, "state": "opted_in", "source": "line"}


def test_a_reply_answers_the_newest_message_and_counts_once(friends: Shop) -> None:
    friends.segment("talks", {"replied": {"channel": "line"}, "within": "14d", "count": {"is": 1}})
    sent = say(friends)
    words = event("message", ADA, "e1", message={"type": "text", "text": "在庫は？"})
    assert tell(friends, words, words) == 1
    assert tell(friends, words) == 0
    (reply,) = [each for each in friends.timeline("ada") if each["event"] == "message_replied"]
    assert reply["properties"]["text"] == "在庫は？"
    assert reply["properties"]["message"] == sent["id"]
    assert friends.members("talks") == {"ada"}


def test_what_is_told_at_once_by_many_counts_once(friends: Shop) -> None:
    words = event("message", ADA, "e1", message={"type": "text", "text": "はい"})
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: tell(friends, words, event("follow", ADA, "e2")), range(8))) == 2
    assert len([each for each in friends.timeline("ada") if each["event"] == "message_replied"]) == 1


def test_a_block_told_late_does_not_undo_a_return(open_shop: Callable[..., Shop]) -> None:
    shop, now = open_shop(clock="live"), int(time.time() * 1000)
    shop.ask("PUT", "/api/v1/providers/line", {"kind": "line", "settings": {"token": "t", "channel_secret": "s"}})
    shop.identify("ada", line_id=ADA)
    shop.profile("ada")
    assert tell(shop, event("follow", ADA, "e2", timestamp=now)) == 1
    assert shop.profile("ada")["consent"]["line"]["state"] == "opted_in"
    assert tell(shop, event("unfollow", ADA, "e1", timestamp=now - 60_000)) == 0
    assert tell(shop, event("unfollow", ADA, "e3", timestamp=now + 60_000)) == 1  # a clock ahead of ours
    assert shop.profile("ada")["consent"]["line"]["state"] == "opted_out"


def test_a_stranger_becomes_a_profile_that_identify_joins(friends: Shop) -> None:
    assert tell(friends, event("follow", BOB, "e1"), event("message", BOB, "e2")) > 0
    found = friends.get(f"/api/v1/profiles/anon:line:{BOB}")
    assert found["traits"] == {"line_id": BOB}
    friends.identify(f"bob~line:{BOB}", name="Bob")
    assert friends.profile("bob")["consent"]["line"]["state"] == "opted_in"
    assert say(friends, "user:bob")["state"] == "sent"


def test_others_are_not_believed(friends: Shop) -> None:
    tell(friends, event("unfollow", ADA, "e1"), secret="guess", expect=401)
    assert tell(friends, {"type": "beacon"}, event("follow", "nobody", "e2"), event("things", ADA, "e3")) == 0
    assert tell(friends) == 0
    url = friends.ask("GET", "/api/v1/providers/line")["reports_url"]
    assert httpx.get(url).status_code == 404
    assert say(friends)["state"] == "sent"


def test_meta_gets_its_challenge_back(shop: Shop) -> None:
    settings = {"token": "t", "number_id": "1", "app_secret": "s", "verify_token": "word"}
    url = shop.ask("PUT", "/api/v1/providers/wa", {"kind": "whatsapp", "settings": settings})["reports_url"]
    asked = {"hub.mode": "subscribe", "hub.verify_token": "word", "hub.challenge": "42"}
    answer = httpx.get(url, params=asked)
    assert (answer.status_code, answer.text) == (200, "42")
    assert answer.headers["content-type"].startswith("text/plain")
    assert httpx.get(url, params={**asked, "hub.verify_token": "x"}).status_code == 404
    assert httpx.get(url[:-1] + ("A" if url[-1] != "A" else "B"), params=asked).status_code == 401


def test_slack_is_written_to_by_a_journey(shop: Shop, line: Receiver) -> None:
    shop.ask("PUT", "/api/v1/providers/slack", {"kind": "slack", "settings": {"url": f"{line.url}/services/T/B/x"}})
    steps = [{"id": "tell", "webhook": {"provider": "slack", "body": {"text": "{{ profile.traits.name }} bought"}}}]
    shop.journey("tell", {"entry": {"on": {"event": "Order Completed"}}, "steps": steps})
    shop.identify("ada", name="Ada")
    shop.track("ada", "Order Completed")
    assert line.arrived.acquire(timeout=60)
    assert (line.asked[0].path, json.loads(line.asked[0].body)) == ("/services/T/B/x", {"text": "Ada bought"})
