"""A shop that uses a running Kizuna as a user would: over HTTP, and in a workspace whose clock moves when told."""

from __future__ import annotations

import itertools
import re
from typing import Any

import httpx
from msgspec import Struct

START = "2026-03-02T10:00:00Z"
PATIENCE = "60s"

_numbers = itertools.count(1)


class Answer(Struct):
    """What came back: status, JSON, position."""

    status: int
    body: Any
    position: str


class Shop:
    """One workspace. `position` is that of the latest write; reads wait for it."""

    def __init__(self, url: str, made: dict[str, str]) -> None:
        self.made = made
        self.http = httpx.Client(base_url=url, timeout=120)
        self.position = ""

    def call(self, method: str, path: str, body: Any = None, *, key: str = "", **headers: str) -> Answer:
        """Any request; keeps the position of what was written."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        authorization = {"Authorization": f"Bearer {key or self.made['api_key']}"}
        found = self.http.request(method, path, json=body, headers={**authorization, **headers})
        position = found.headers.get("kizuna-position", "")
        if position and method != "GET":
            self.position = str(max(int(self.position or 0), int(position)))
        is_json = found.headers.get("content-type", "").partition(";")[0].endswith(("/json", "+json"))
        return Answer(found.status_code, found.json() if is_json and found.content else found.text, position)

    def ask(self, method: str, path: str, body: Any = None, *, expect: int = 200, **headers: str) -> Any:
        answer = self.call(method, path, body, **headers)
        assert answer.status == expect, f"{method} {path}: {answer.status} {answer.body}"  # noqa: S101
        return answer.body

    def get(self, path: str, **params: Any) -> Any:
        """As of all that was written here."""
        asked = {**params, **({"after": self.position, "wait": PATIENCE} if self.position else {})}
        return self.ask("GET", str(httpx.URL(path, params=asked)))

    def all(self, path: str, **params: Any) -> list[Any]:
        """Every item of a list, page by page."""
        items: list[Any] = []
        page = self.get(path, **params)
        items += page["items"]
        while page["next_cursor"]:
            page = self.get(path, **params, cursor=page["next_cursor"])
            items += page["items"]
        return items

    # what customers do ------------------------------------------------------------------------------------------------

    def send(self, *events: dict[str, Any]) -> None:
        """One batch."""
        self.ask("POST", "/v1/batch", {"batch": list(events)}, key=self.made["write_key"])

    def track(self, who: str, event: str, at: str = "", **properties: Any) -> None:
        self.send(track(who, event, at, **properties))

    def identify(self, who: str, at: str = "", **traits: Any) -> None:
        self.send(identify(who, at, **traits))

    # what the shop does -----------------------------------------------------------------------------------------------

    def segment(self, name: str, where: Any, expect: int = 200) -> Any:
        return self.ask("PUT", f"/api/v1/segments/{name}", {"where": where}, expect=expect)

    def members(self, segment: str) -> set[str]:
        """The user ids (or `~` and the anonymous id) of the members."""
        return {name_of(each["identities"]) for each in self.all(f"/api/v1/segments/{segment}/members", limit=500)}

    def journey(self, name: str, document: Any, **options: Any) -> None:
        self.ask("PUT", f"/api/v1/journeys/{name}", document)
        self.ask("POST", f"/api/v1/journeys/{name}/publish", options or None)

    def counts(self, journey: str) -> Any:
        return self.get(f"/api/v1/journeys/{journey}")["counts"]

    def template(self, name: str = "hello", subject: str = "Hi", body: str = "<p>Hello</p>") -> None:
        document = {"channel": "email", "subject": subject, "body": body, "format": "liquid+html"}
        self.ask("PUT", f"/api/v1/templates/{name}", document)

    def outbox(self) -> list[Any]:
        return self.all("/api/v1/outbox", limit=200)

    def profile(self, who: str) -> Any:
        return self.get(f"/api/v1/profiles/{ref(who)}")

    def timeline(self, who: str) -> list[Any]:
        return self.all(f"/api/v1/profiles/{ref(who)}/timeline", limit=500)

    def facts(self, who: str, name: str) -> list[Any]:
        """Oldest first."""
        return [each for each in self.timeline(who)[::-1] if each["event"] == name and each["type"] == "fact"]

    def advance(self, length: str) -> str:
        return self.ask("POST", "/api/v1/clock", {"advance": length})["now"]

    def to(self, time: str) -> str:
        return self.ask("POST", "/api/v1/clock", {"to": time})["now"]


def ref(who: str) -> str:
    """`ada` is a user, `~a1` an anonymous id."""
    return f"anon:{who[1:]}" if who.startswith("~") else f"user:{who}"


def name_of(identities: list[dict[str, str]]) -> str:
    named = {each["type"]: each["id"] for each in identities}
    return named.get("user_id") or "~" + named["anonymous_id"]


def said(kind: str, who: str, at: str = "", **fields: Any) -> dict[str, Any]:
    """One event of a batch; `ada~a1` names both ids."""
    user, _, anonymous = who.partition("~")
    names = {"userId": user, "anonymousId": anonymous}
    own = {"type": kind, "messageId": f"m{next(_numbers)}", **({"timestamp": at} if at else {})}
    return {**own, **{name: value for name, value in names.items() if value}, **fields}


def track(who: str, event: str, at: str = "", **properties: Any) -> dict[str, Any]:
    return said("track", who, at, event=event, properties=properties)


def identify(who: str, at: str = "", **traits: Any) -> dict[str, Any]:
    return said("identify", who, at, traits=traits)


def link_of(text: str, kind: str) -> str:
    """The path of the first link of a kind (`c`, `o`, `u`) in a mail."""
    found = re.search(rf"https?://[^/\"'<> ]+(/{kind}/[^\"'<> ]+)", text)
    assert found, f"no /{kind}/ link"  # noqa: S101
    return found[1]
