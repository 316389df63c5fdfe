"""The log goes out again: to signed hooks, files and object storage; at least once, under the same ids."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kizuna.accounts import workspaces
from kizuna.providers import standard_webhooks
from kizuna.runtime.database import Database
from kizuna.testing.killing import Killable
from kizuna.testing.receiver import HANGS_UP, Receiver, Told
from kizuna.testing.shop import Shop, track


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def feed(shop: Shop, name: str, to: dict[str, Any], **options: Any) -> Any:
    return shop.ask("PUT", f"/api/v1/feeds/{name}", {"to": to, **options})


def heard(hook: Receiver, count: int) -> list[Any]:
    """The next requests, in the order of their arrival; none came that was not looked for."""
    for _ in range(count):
        assert hook.arrived.acquire(timeout=30), f"only {len(hook.asked)} came"
    assert not hook.arrived.acquire(blocking=False)
    return hook.asked[-count:]


def until(shop: Shop, name: str, **wanted: Any) -> Any:
    """The feed, once it is as wanted."""
    for _ in range(600):
        found = shop.ask("GET", f"/api/v1/feeds/{name}")
        if all(found[key] == value for key, value in wanted.items()):
            return found
        time.sleep(0.05)
    raise AssertionError(f"{found} is not {wanted}")


def test_a_hook_hears_what_it_asked_for_signed_and_in_order(shop: Shop, hook: Receiver) -> None:
    made = feed(shop, "crm", {"kind": "webhook", "url": hook.url}, events=["Order Completed", "segment_*"])
    assert made["secret"].startswith("whsec_")
    assert "secret" not in feed(
        shop, "crm", {"kind": "webhook", "url": hook.url}, events=["Order Completed", "segment_*"]
    )
    shop.segment("buyers", {"did": "Order Completed"})
    for number in range(3):
        shop.track("ada", "Order Completed", order_id=f"A-{number}")
        shop.track("ada", "Product Viewed")
    told = heard(hook, 4)
    bodies = [json.loads(each.body) for each in told]
    assert [body["type"] for body in bodies if body["type"] != "segment_entered"] == ["Order Completed"] * 3
    orders = [body["data"]["properties"]["order_id"] for body in bodies if body["type"] == "Order Completed"]
    assert orders == ["A-0", "A-1", "A-2"]
    entered = next(body for body in bodies if body["type"] == "segment_entered")
    assert entered["data"]["profile"] == shop.profile("ada")["id"]
    for each, body in zip(told, bodies, strict=True):
        assert each.headers["webhook-id"] == body["id"]
        assert standard_webhooks.verify(made["secret"], each.headers, each.body, time.time())
        assert not standard_webhooks.verify(made["secret"], each.headers, each.body + b" ", time.time())
    assert until(shop, "crm", rows_ahead=0)["entries"] == 4


def test_what_fails_comes_again_under_its_id_and_what_is_refused_is_listed(shop: Shop, hook: Receiver) -> None:
    feed(shop, "crm", {"kind": "webhook", "url": hook.url}, events=["Order Completed"])
    hook.answers.put(Told(503, {"Retry-After": "0"}))
    hook.answers.put(Told(HANGS_UP))
    shop.track("ada", "Order Completed", order_id="A-1")
    [first] = heard(hook, 1)
    until(shop, "crm", tries=1)
    shop.ask("POST", "/api/v1/feeds/crm/resume")  # now, instead of in a second or two
    [second] = heard(hook, 1)
    until(shop, "crm", tries=1)
    hook.answers.put(Told(422, body={"wrong": "the order"}))
    shop.ask("POST", "/api/v1/feeds/crm/resume")
    [third] = heard(hook, 1)
    assert first.body == second.body == third.body
    assert first.headers["webhook-id"] == third.headers["webhook-id"]
    assert until(shop, "crm", refused=1, rows_ahead=0)["trouble"] is None
    [refused] = shop.ask("GET", "/api/v1/feeds/crm/refused")["items"]
    assert refused["id"] == third.headers["webhook-id"]
    assert "the order" in refused["answer"]
    assert refused["entry"] == json.loads(third.body)


def test_a_dead_hook_keeps_nobody_else_waiting_and_gone_parks_it(shop: Shop, hook: Receiver) -> None:
    with Receiver(Told("hangs")) as dead:
        feed(shop, "dead", {"kind": "webhook", "url": dead.url})
        feed(shop, "gone", {"kind": "webhook", "url": f"{hook.url}/gone"}, events=["Left"])
        feed(shop, "alive", {"kind": "webhook", "url": hook.url}, events=["Order Completed"])
        shop.track("ada", "Order Completed")
        assert dead.arrived.acquire(timeout=30)
        heard(hook, 1)
        until(shop, "alive", entries=1)
        hook.answers.put(Told(410))
        shop.track("ada", "Left")
        heard(hook, 1)
        assert until(shop, "gone", state="parked")["trouble"].startswith("410")
        shop.ask("POST", "/api/v1/feeds/gone/rewind", {"to": "2020-01-01T00:00:00Z"})
        assert shop.ask("POST", "/api/v1/feeds/gone/resume")["state"] == "on"
        heard(hook, 1)
        shop.ask("DELETE", "/api/v1/feeds/dead", expect=204)
        assert [each["name"] for each in shop.ask("GET", "/api/v1/feeds")["items"]] == ["alive", "gone"]


def test_after_a_rotation_both_secrets_sign(shop: Shop, hook: Receiver) -> None:
    old = feed(shop, "crm", {"kind": "webhook", "url": hook.url, "batch": True}, events=["Order Completed"])["secret"]
    new = shop.ask("POST", "/api/v1/feeds/crm/rotate")["secret"]
    shop.send(*(track("ada", "Order Completed", order_id=str(number)) for number in range(20)))
    [told] = heard(hook, 1)
    assert told.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["data"]["properties"]["order_id"] for line in told.body.splitlines()] == [
        str(number) for number in range(20)
    ]
    for secret in (old, new):
        assert standard_webhooks.verify(secret, told.headers, told.body, time.time())
    assert old not in str(shop.ask("GET", "/api/v1/feeds/crm"))


def test_object_storage_gets_pieces_under_numbers(shop: Shop, hook: Receiver) -> None:
    to = {"kind": "object_storage", "bucket": "kizuna", "endpoint": hook.url, "prefix": "out/", "access_key_id": "AK"}
    made = feed(
        shop, "lake", {**to, "secret_access_key": "hidden"}, pieces={"items": 5, "every": "1d"}, **{"from": "start"}
    )
    assert "hidden" not in str(made)
    shop.track("ada", "Order Completed")
    [first] = heard(hook, 1)
    assert (first.method, first.path) == ("PUT", "/kizuna/out/0000000001.jsonl.gz")
    assert "Credential=AK/" in first.headers["authorization"]
    assert "x-amz-content-sha256" in first.headers["authorization"]
    shop.send(*(track("ada", "Order Completed", number=number) for number in range(5)))  # full before the day is over
    [second] = heard(hook, 1)
    assert second.path == "/kizuna/out/0000000002.jsonl.gz"
    assert len(gzip.decompress(second.body).splitlines()) == 5


def test_an_export_says_what_feeds_say(shop: Shop, hook: Receiver) -> None:
    feed(shop, "all", {"kind": "webhook", "url": hook.url, "batch": True})
    shop.template()
    shop.journey(
        "hi",
        {
            "entry": {"on": {"event": "Joined"}},
            "steps": [{"id": "m", "send": {"channel": "email", "template": "hello"}}],
        },
    )
    shop.identify("ada", email="ada@example.com")
    shop.track("ada", "Joined", plan="pro")
    assert len(shop.outbox()) == 1
    until(shop, "all", rows_ahead=0)
    told = {json.loads(line)["id"]: json.loads(line) for each in hook.asked for line in each.body.splitlines()}
    lines = shop.get("/api/v1/export/events").splitlines()
    events = {json.loads(line)["id"]: json.loads(line) for line in lines}
    assert len(events) == len(lines)
    # The lake keeps changes of profiles in a table of their own, not among events.
    assert events == {key: each for key, each in told.items() if each["type"] != "profile_updated"}
    some = shop.get("/api/v1/export/events", event="message_*").splitlines()
    assert {json.loads(line)["type"] for line in some} == {"message_planned", "message_sent"}
    [message] = [json.loads(line) for line in shop.get("/api/v1/export/messages").splitlines()]
    assert (message["journey"], message["state"], message["template"]) == ("hi", "sent", "hello")
    assert shop.call("GET", "/api/v1/export/messages?to=2020-01-01").body == ""
    assert shop.call("GET", "/api/v1/export/events?from=never").status == 400
    assert shop.call("GET", "/api/v1/export/events", key=shop.made["write_key"]).status == 403


def test_hostile_feeds_are_refused_at_their_place(shop: Shop, hook: Receiver) -> None:
    def refused(name: str, body: Any) -> tuple[int, Any, list[str]]:
        answer = shop.call("PUT", f"/api/v1/feeds/{name}", body)
        return answer.status, answer.body["code"], [each["pointer"] for each in answer.body.get("errors", [])]

    good = {"kind": "webhook", "url": hook.url}
    assert refused("Up", {"to": good}) == (422, "invalid_feed", ["/name"])
    assert refused("x", {"to": {"kind": "pigeon"}}) == (422, "invalid_feed", ["/to/kind"])
    assert refused("x", {"to": {**good, "url": "file:///etc/passwd"}})[:2] == (422, "invalid_feed")
    assert refused("x", {"to": {**good, "secret": "whsec_!"}})[:2] == (422, "invalid_feed")
    assert refused("x", {"to": {**good, "path": "/"}}) == (422, "invalid_feed", ["/to/path"])
    assert refused("x", {"to": good, "events": []}) == (422, "invalid_feed", ["/events"])
    assert refused("x", {"to": good, "pieces": {"items": 0}}) == (422, "invalid_feed", ["/pieces/items"])
    assert refused("x", {"to": good, "pieces": {"every": "1y"}}) == (422, "invalid_feed", ["/pieces/every"])
    assert shop.call("GET", "/api/v1/feeds/none").status == 404


def test_a_feed_to_a_private_place_tells_nobody(shop: Shop) -> None:
    feed(shop, "inside", {"kind": "webhook", "url": "http://169.254.169.254/latest"}, events=["Order Completed"])
    shop.track("ada", "Order Completed")
    assert until(shop, "inside", tries=1, entries=0)["trouble"]


def test_killed_at_any_moment_nothing_is_lost_and_ids_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that tells is killed while a hook fails at random; files and hook end up with the same entries."""
    data = tmp_path / "data"
    monkeypatch.setenv("KIZUNA_ALLOW_PRIVATE_TARGETS", "127.0.0.0/8")
    with Receiver() as hook, Killable(data, "--workers", "1") as up:
        shop = Shop(up.url, asyncio.run(make_workspace(up.database_url)))
        feed(shop, "hook", {"kind": "webhook", "url": hook.url}, events=["Order Completed"])
        feed(shop, "files", {"kind": "files"}, events=["Order Completed"], pieces={"items": 50, "every": "1s"})
        sent = 0
        for round_number in range(5):
            for _ in range(3):
                hook.answers.put(Told(HANGS_UP))
            shop.send(*(track(f"c{n % 7}", "Order Completed", number=sent + n) for n in range(60)))
            sent += 60
            assert hook.arrived.acquire(timeout=30)
            while not up.kill("archive"):  # it is being started again
                time.sleep(0.05)
            if round_number % 2:
                shop.ask("POST", "/api/v1/feeds/hook/resume")
        for _ in range(600):
            shop.ask("POST", "/api/v1/feeds/hook/resume")
            if all(shop.ask("GET", f"/api/v1/feeds/{name}")["rows_ahead"] == 0 for name in ("hook", "files")):
                break
            time.sleep(0.1)
        folder = next((data / "exports").iterdir()) / "files"
        shop.http.close()
        lines = [
            json.loads(line)
            for path in sorted(folder.glob("*.gz"))
            for line in gzip.decompress(path.read_bytes()).splitlines()
        ]
    by_hook = {json.loads(each.body)["id"]: json.loads(each.body) for each in hook.asked}
    by_file = {line["id"]: line for line in lines}
    assert len(by_file) == len(lines) == sent  # files: each once
    assert by_hook == by_file
    assert sorted(line["data"]["properties"]["number"] for line in lines) == list(range(sent))


async def make_workspace(url: str) -> dict[str, str]:
    database = Database(url, name="test")
    await database.open()
    try:
        return await workspaces.create(database, "shop")
    finally:
        await database.close()
