"""Journeys over HTTP, folded by a real engine over the real database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kizuna.core import ids
from kizuna.events import routes as events
from kizuna.events.publish import publish
from kizuna.folds import new_engine
from kizuna.journeys import routes as journeys
from kizuna.runtime.database import connect

WELCOME = {
    "title": "Welcome",
    "entry": {"on": {"event": "Signed Up"}},
    "exit": [{"event": "Left"}],
    "steps": [
        {"id": "wait", "delay": "2d"},
        {"id": "mail", "send": {"channel": "email", "template": "hello"}},
        {"id": "more", "delay": "30d"},
    ],
}


class Shop:
    """A workspace with a test clock, spoken to over HTTP while an engine folds."""

    def __init__(self, house: Any) -> None:
        self.house = house
        self.made = house.workspace("shop", clock="test", start="2026-03-02T10:00:00Z")
        self.headers = house.bearer(self.made)

    def ask(self, method: str, path: str, body: Any = None, *, expect: int = 200) -> dict[str, Any]:
        answer = self.house.client.request(method, path, json=body, headers=self.headers)
        assert answer.status_code == expect, answer.text
        if method != "GET" and expect < 300:
            self.position = answer.headers.get("Kizuna-Position", "")
        return answer.json()

    def journey(self, verb: str = "", body: Any = None, *, expect: int = 200, name: str = "welcome") -> dict[str, Any]:
        path = f"/api/v1/journeys/{name}" + (f"/{verb}" if verb else "")
        return self.ask("POST" if verb else "PUT" if body is not None else "GET", path, body, expect=expect)

    def publish(self, document: Any, name: str = "welcome") -> None:
        self.journey(body=document, name=name)
        self.journey("publish", name=name)

    def track(self, user: str, event: str, **properties: Any) -> None:
        body = {"userId": user, "event": event, "properties": properties, "writeKey": self.made["write_key"]}
        self.ask("POST", "/v1/track", body)

    def counts(self, name: str = "welcome") -> dict[str, Any]:
        path = f"/api/v1/journeys/{name}?after={self.position}&wait=20s"
        return self.ask("GET", path)["counts"]

    def define(self, kind: str, name: str, body: dict[str, Any]) -> None:
        async def work() -> None:
            async with self.house.database.connection() as conn:
                caller = await _workspace(conn, self.made["name"])
                await publish(conn, caller, kind, name, body)

        self.house.client.blocking_portal.call(work)


async def _workspace(conn: Any, name: str) -> Any:
    from kizuna.accounts import store

    return await store.workspace_named(conn, name)


@pytest.fixture
def shop(open_house: Callable[..., Any], database_url: str) -> Iterator[Shop]:
    house = open_house(routes=[*events.ROUTES, *journeys.ROUTES])
    stop = threading.Event()

    def fold() -> None:
        with connect(database_url, name="test work") as connection:
            engine = new_engine(connection)
            engine.own(connection, list(range(engine.programs.partitions)))
            while not stop.is_set():
                if not engine.run(connection):
                    # these journeys ask no rule that looks at history, so there is nothing to fill in
                    connection.execute("UPDATE fill SET state = 'done' WHERE state = 'waiting'")
                    connection.commit()
                    stop.wait(0.01)

    shop = Shop(house)
    worker = threading.Thread(target=fold, daemon=True)
    worker.start()
    yield shop
    stop.set()
    worker.join(10)


def test_a_draft_may_be_unfinished_and_is_published_only_when_whole(shop: Shop) -> None:
    shown = shop.journey(body={"steps": [{"id": "a", "delay": "2 hours"}]})
    assert (shown["status"], shown["version"]) == ("draft", None)
    problem = shop.journey("publish", expect=422)
    assert problem["code"] == "invalid_journey"
    assert {(each["pointer"], each["code"]) for each in problem["errors"]} >= {
        ("/steps/0/delay", "invalid_duration"), ("/entry/on", "no_trigger"),
    }  # fmt: skip
    assert shop.journey("publish", expect=404, name="none")["code"] == "not_found"
    shop.publish(WELCOME)
    shown = shop.journey()
    assert (shown["status"], shown["version"], shown["definition"], shown["draft"]) == ("active", 1, WELCOME, None)
    assert [each["name"] for each in shop.ask("GET", "/api/v1/journeys")["items"]] == ["welcome"]


def test_a_run_from_event_to_end_is_counted(shop: Shop) -> None:
    shop.publish(WELCOME)
    for user in ("ada", "grace"):
        shop.track(user, "Signed Up")
    shop.track("grace", "Left")
    counts = shop.counts()
    assert (counts["entered"], counts["active"], counts["exited"]) == (2, 1, {"exit_event": 1})
    assert counts["steps"]["wait"] == {"entered": 2, "waiting": 1, "left": 1}
    shop.ask("POST", "/api/v1/clock", {"advance": "2d"})
    counts = shop.counts()
    assert counts["steps"]["mail"] == {"entered": 1, "waiting": 0, "left": 1}
    assert shop.house.sql("SELECT state, reason, journey, step FROM message") == [
        ("skipped", "no_address", "welcome", "mail")
    ]
    shop.ask("POST", "/api/v1/clock", {"advance": "30d"})
    assert (shop.counts()["active"], shop.counts()["completed"]) == (0, 1)


def test_a_mail_that_was_planned_is_not_sent_after_the_exit(shop: Shop) -> None:
    shop.define("template", "hello", {"channel": "email", "subject": "Hi", "body": "Hello"})
    steps = [WELCOME["steps"][1], WELCOME["steps"][2]]
    shop.publish({**WELCOME, "steps": steps})
    identify = {"userId": "ada", "traits": {"email": "ada@example.com"}, "writeKey": shop.made["write_key"]}
    shop.ask("POST", "/v1/identify", identify)
    shop.track("ada", "Signed Up")
    _until(lambda: shop.house.sql("SELECT state FROM message") == [("planned",)])
    shop.track("ada", "Left")
    _until(lambda: shop.house.sql("SELECT reason FROM message") == [("exited",)])  # the sender ends it as skipped


def test_pause_resume_and_stop(shop: Shop) -> None:
    shop.publish(WELCOME)
    shop.track("ada", "Signed Up")
    assert shop.journey("resume", expect=409)["code"] == "conflict"
    assert shop.journey("pause") == {"name": "welcome", "version": 1, "status": "paused"}
    shop.track("grace", "Signed Up")
    shop.ask("POST", "/api/v1/clock", {"advance": "3d"})
    counts = shop.counts()
    assert (counts["entered"], counts["steps"]["wait"]["waiting"]) == (1, 1)
    shop.journey("resume")
    assert shop.counts()["steps"]["mail"]["entered"] == 1
    shop.journey("stop")
    counts = shop.counts()
    assert (counts["active"], counts["exited"]) == (0, {"stopped": 1})
    assert shop.journey("pause", expect=409)["code"] == "conflict"


def test_runs_stay_on_their_version_unless_a_map_moves_them(shop: Shop) -> None:
    shop.publish(WELCOME)
    shop.track("ada", "Signed Up")
    shop.publish({**WELCOME, "steps": [{"id": "other", "delay": "1h"}]})
    shop.track("grace", "Signed Up")
    shop.ask("POST", "/api/v1/clock", {"advance": "2d"})
    counts = shop.counts()
    assert counts["steps"]["mail"]["entered"] == 1
    assert counts["steps"]["other"] == {"entered": 1, "waiting": 0, "left": 1}
    shop.journey(body=WELCOME)
    problem = shop.journey("publish", {"migrate": {"other": "nowhere", "never/was": "wait"}}, expect=422)
    assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [
        ("/migrate/never~1was", "unknown_step"), ("/migrate/other", "unknown_next"),
    ]  # fmt: skip
    assert shop.journey("publish", {"migrate": ["wait"]}, expect=400)["errors"][0]["pointer"] == "/migrate"
    assert shop.journey("publish", {"surprise": 1}, expect=400)["errors"][0]["pointer"] == "/surprise"
    shop.journey("publish", {"migrate": {"more": "mail"}})
    counts = shop.counts()
    assert counts["steps"]["mail"]["entered"] == 2
    assert counts["steps"]["more"] == {"entered": 2, "waiting": 1, "left": 1}


def test_api_entry(shop: Shop) -> None:
    shop.publish({"entry": {"on": {"api": True}}, "steps": WELCOME["steps"]})
    shop.track("ada", "Anything")
    shop.counts()
    answer = shop.journey("enter", {"profile": "user:ada", "data": {"price": 1.5}}, expect=202)
    assert answer == {"journey": "welcome", "profile": ids.show("prf", ids.profile_id(_number(shop), "user", "ada"))}
    assert shop.counts()["entered"] == 1
    assert shop.journey("enter", {"profile": "user:nobody"}, expect=404)["code"] == "not_found"
    assert shop.journey("enter", {"profile": "user:ada", "key": "k"}, expect=422)["code"] == "invalid_key"
    shop.publish(WELCOME, name="by_event")
    assert shop.journey("enter", {"profile": "user:ada"}, expect=409, name="by_event")["code"] == "not_api_entry"


def test_members_enter_only_when_asked(shop: Shop) -> None:
    shop.define("segment", "buyers", {"where": {"did": "Bought"}})
    for user in ("ada", "grace"):
        shop.track(user, "Bought")
    document = {"entry": {"on": {"segment_entered": "buyers"}}, "steps": WELCOME["steps"]}
    shop.publish(document)
    assert shop.counts()["entered"] == 0
    shop.journey("publish", {"include_members": True})
    assert shop.counts()["entered"] == 2
    shop.track("linus", "Bought")
    assert shop.counts()["entered"] == 3
    shop.journey(body=WELCOME)
    assert shop.journey("publish", {"include_members": True}, expect=422)["code"] == "no_members"


def test_what_its_steps_cannot_say_is_told_when_it_is_published(shop: Shop) -> None:
    shop.journey(body=WELCOME)
    absent = "no template 'hello': until it is published, its messages are skipped"
    assert shop.journey("publish")["warnings"] == [absent]


def test_rules_about_unknown_segments_are_refused(shop: Shop) -> None:
    shop.journey(body={**WELCOME, "exit": [{"segment_left": "nobody"}]})
    problem = shop.journey("publish", expect=422)
    assert problem["code"] == "unknown_segment"


def test_one_workspace_does_not_see_the_journeys_of_another(shop: Shop) -> None:
    shop.publish(WELCOME)
    shop.headers = shop.house.bearer(shop.house.workspace("other"))
    for verb in ("", "publish", "pause", "resume", "stop"):
        shop.journey(verb, expect=404)
    shop.journey("enter", {"profile": "user:ada"}, expect=404)
    assert shop.ask("GET", "/api/v1/journeys")["items"] == []


def _number(shop: Shop) -> int:
    return shop.house.sql("SELECT id FROM workspace WHERE name = 'shop'")[0][0]


def _until(true: Callable[[], bool]) -> None:
    deadline = threading.Event()
    for _ in range(1000):
        if true():
            return
        deadline.wait(0.01)
    raise AssertionError("it never came about")
