"""Bad input against the whole product: a typed answer or a rejected event, soon, in little memory, and nothing lost."""

from __future__ import annotations

import gzip
import json
import random
import socket
import string
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from kizuna.runtime.folder import Running
from kizuna.testing.memory import in_bounded_memory
from kizuna.testing.shop import Shop

Open = Callable[..., Shop]
SOON = 5.0  # seconds, on a busy machine; what would hang takes for ever
MEGABYTE = 1 << 20


@contextmanager
def soon(seconds: float = SOON) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The document of a refusal by the API."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert (found["code"], found["status"]) == (code, status)
    assert {"type", "title", "detail"} <= found.keys()
    return found


def refusal(answer: httpx.Response, status: int, code: str) -> None:
    """A refusal in the words of the tracking API."""
    assert answer.status_code == status, answer.text
    assert (answer.json()["success"], answer.json()["code"]) == (False, code)


def send(shop: Shop, body: bytes, path: str = "/v1/batch", **headers: str) -> httpx.Response:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    said = {"Authorization": f"Bearer {shop.made['write_key']}", **said}
    answer = shop.http.post(path, content=body, headers=said)
    shop.position = answer.headers.get("kizuna-position", shop.position)
    return answer


def ask(shop: Shop, method: str, path: str, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    said = {"Authorization": f"Bearer {shop.made['api_key']}", **headers}
    return shop.http.request(method, path, content=content, headers=said)


def events(shop: Shop, who: str) -> list[str]:
    return [each["message_id"] for each in shop.timeline(who)[::-1] if each["message_id"]]


# bodies -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"17",
        b'{"batch":',
        b'{"batch":{}}',
        b'{"batch":[{"userId":"ada"}',
        b"\x00",
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_an_unreadable_body_is_refused(shop: Shop, body: bytes) -> None:
    refusal(send(shop, body), 400, "invalid_json")
    if not body.startswith(b'{"batch'):
        refusal(send(shop, body, "/v1/track"), 400, "invalid_json")


def test_a_body_over_the_limit_is_refused_in_bounded_memory(shop: Shop, running: Running) -> None:
    blanks = b'{"batch":[' + b" " * 40_000_000 + b"]}"
    with in_bounded_memory(running, 100), soon(10):
        refusal(send(shop, blanks), 400, "too_large")
        key = {"Authorization": f"Bearer {shop.made['write_key']}"}
        chunked = shop.http.post("/v1/batch", content=iter([b" " * MEGABYTE] * 40), headers=key)
        refusal(chunked, 400, "too_large")
        problem(ask(shop, "PUT", "/api/v1/segments/a", blanks), 413, "too_large")


def test_a_bomb_stays_small(shop: Shop, running: Running) -> None:
    bomb = gzip.compress(b" " * 200_000_000, 6)
    nothings = gzip.compress(b"") * 100_000
    with in_bounded_memory(running, 150), soon(20):
        refusal(send(shop, bomb, Content_Encoding="gzip"), 400, "too_large")
        refusal(send(shop, nothings, Content_Encoding="gzip"), 400, "invalid_gzip")
        refusal(send(shop, gzip.compress(gzip.compress(bomb)), Content_Encoding="gzip"), 400, "invalid_json")


def test_a_tangled_body_holds_nobody_up(open_shop: Open, running: Running) -> None:
    shop, other = open_shop(), open_shop()
    tangled = [
        b"[" * 5_000_000, b'{"batch":' + b"[" * 5_000_000, b'{"batch":[' + b"[]," * 1_500_000,
        b'{"batch":[' + b'{"a":' * 900_000, b'{"batch":[' * 500_000, b'{"batch":["' + b'\\"' * 3_000_000,
    ]  # fmt: skip
    slowest = 0.0
    done = threading.Event()

    def live() -> None:
        nonlocal slowest
        while not done.wait(0.02):
            began = time.monotonic()
            assert other.http.get("/health/live").status_code == 200
            slowest = max(slowest, time.monotonic() - began)

    beside = threading.Thread(target=live)
    beside.start()
    with in_bounded_memory(running, 200), soon(30):
        for body in tangled:
            refusal(send(shop, body), 400, "invalid_json")
    done.set()
    beside.join()
    assert slowest < 2


def test_more_events_than_memory_should_hold_are_refused(shop: Shop, running: Running) -> None:
    with in_bounded_memory(running, 400), soon(20):
        refusal(send(shop, b'{"batch":[' + b"0," * 16_000_000 + b"0]}"), 400, "too_large")
        refusal(send(shop, b'{"batch":[' + b"0," * 300_000 + b"0]}"), 400, "too_large")
        context = b'"context":{"a":"' + b"x" * MEGABYTE + b'"}'
        refusal(send(shop, b'{"batch":[' + b"{}," * 1000 + b"{}]," + context + b"}"), 400, "too_large")


def test_a_batch_of_thousands_is_taken_whole(shop: Shop) -> None:
    events = [{"type": "track", "userId": f"u{n % 50}", "event": "Bulk", "messageId": f"b{n}"} for n in range(3000)]
    with soon(20):
        assert send(shop, json.dumps({"batch": events}).encode()).json() == {"success": True}
        assert len(shop.timeline("u7")) >= 60


# events -------------------------------------------------------------------------------------------------------------

EVENT = b'{"type":"track","event":"Bad","userId":"eve",'
BAD_EVENTS = {
    "not a number": (EVENT + b'"properties":{"n":NaN}}', "invalid_json"),
    "infinity": (EVENT + b'"properties":{"n":-Infinity}}', "invalid_json"),
    "too large a number": (EVENT + b'"properties":{"n":1e999}}', "invalid_number"),
    "too large an integer": (EVENT + b'"properties":{"n":' + b"9" * 400 + b"}}", "invalid_number"),
    "too small a number": (EVENT + b'"properties":{"n":1e-99999999}}', "invalid_number"),
    "lone surrogate": (EVENT + b'"properties":{"t":"\\ud800"}}', "invalid_json"),
    "lone surrogate in a key": (EVENT + b'"properties":{"\\udfff":1}}', "invalid_json"),
    "escaped NUL": (EVENT + b'"properties":{"t":"a\\u0000"}}', "invalid_text"),
    "NUL": (EVENT + b'"properties":{"t":"a\x00"}}', "invalid_json"),
    "broken UTF-8": (EVENT + b'"properties":{"t":"\xff"}}', "invalid_json"),
    "nested deeply": (EVENT + b'"properties":' + b'{"d":' * 40 + b"1" + b"}" * 41, "too_deep"),
    "nested very deeply": (EVENT + b'"properties":' + b'{"d":' * 50_000 + b"1" + b"}" * 50_001, "invalid_json"),
    "too large": (EVENT + b'"properties":{"t":"' + b"x" * 600_000 + b'"}}', "too_large"),
    "no event": (b'{"type":"track","userId":"eve"}', "no_event"),
    "no identity": (b'{"type":"track","event":"x","userId":null,"anonymousId":""}', "no_identity"),
    "no type": (b'{"event":"x","userId":"eve"}', "invalid_type"),
    "long id": (b'{"type":"track","event":"x","userId":"' + b"x" * 300 + b'"}', "too_long"),
    "huge id": (b'{"type":"track","event":"x","userId":' + b"9" * 5000 + b"}", "invalid_item"),
    "list for an object": (EVENT + b'"properties":[1]}', "invalid_item"),
    "no object": (b"17", "invalid_item"),
    "text": (b'"event"', "invalid_item"),
}


def test_a_bad_event_is_rejected_with_its_reason_and_its_neighbours_are_kept(shop: Shop) -> None:
    for number, (name, (bad, code)) in enumerate(BAD_EVENTS.items()):
        first, last = (
            json.dumps({"type": "track", "event": "Good", "userId": "ada", "messageId": f"{number} {place}"}).encode()
            for place in ("first", "last")
        )
        with soon():
            answer = send(
                shop, b'{"batch":[' + first + b"," + bad + b"," + last + b'],"sentAt":"2026-03-02T10:00:00Z"}'
            )
        assert answer.status_code == 200, name
        [result] = answer.json()["results"]
        assert (result["index"], result["code"]) == (1, code), name
    good = [f"{number} {place}" for number in range(len(BAD_EVENTS)) for place in ("first", "last")]
    assert events(shop, "ada") == good
    rejected = shop.all("/api/v1/rejected", limit=5)[::-1]
    assert [each["code"] for each in rejected] == [code for _, code in BAD_EVENTS.values()]
    assert [each["body"][:40] for each in rejected if each["code"] == "no_event"] == ['{"type":"track","userId":"eve"}']
    assert all(each["message"] and each["at"] and each["source"] == "segment" for each in rejected)
    problem(ask(shop, "GET", "/api/v1/profiles/user:eve", b""), 404, "not_found")


@pytest.mark.parametrize("name", ["not a number", "lone surrogate", "nested very deeply", "escaped NUL", "no event"])
def test_a_bad_event_alone(shop: Shop, name: str) -> None:
    body, code = BAD_EVENTS[name]
    answer = send(shop, body, "/v1/track")
    if code == "invalid_json":
        refusal(answer, 400, code)  # nothing of it can be read
    else:
        assert (answer.status_code, answer.json()["results"][0]["code"]) == (200, code)
        assert [each["code"] for each in shop.all("/api/v1/rejected")] == [code]


WEIRD_CONTEXTS: list[Any] = [
    {"externalIds": 5},
    {"externalIds": [5, {"id": 5}, {"id": "x" * 1000, "type": []}]},
    {"timezone": "../../etc"},
    {"timezone": "Mars/Olympus", "locale": 5},
    {"locale": "x" * 9000},
    {"device": 5},
    {"device": {"token": [], "type": {}}},
    {"consent": 5},
    {"consent": {"categoryPreferences": [1]}},
    {"consent": {"categoryPreferences": {"": 1, "a": None}}},
    {"campaign": 5, "page": [], "traits": 7, "ip": {}},
    {"x": [[[]]] * 9},
]
WEIRD_TRAITS: list[Any] = [
    {"email": 5, "phone": [], "name": {"a": 1}},
    {"email": {"a": "b"}},
    {"email": ""},
    {"": "", " ": " "},
    {"a.b": 1, "*": 2},
    {"n": 10**300, "m": -(10**300), "f": 1e-300},
    {"id": "x", "created_at": "never", "birthday": "2025-02-30"},
    {"email": "".join(random.Random(1).choices(string.ascii_letters, k=9000))},
    {"phone": "９" * 5000},
]


def test_odd_values_stop_nobody(shop: Shop) -> None:
    """What is JSON is kept; a worker that fell over it would keep everybody waiting."""
    shop.segment("mailed", {"all": [{"trait": "email", "contains": "a"}, {"did": "Odd"}]})
    shop.segment("much", {"sum": {"event": "Odd", "property": "n"}, "within": "30d", "gte": 1})
    times = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "not a time", -5, 1e300, True, {}]
    said = [{"type": "track", "event": "Odd", "userId": "eve", "context": context} for context in WEIRD_CONTEXTS]
    said += [{"type": "identify", "userId": f"odd {n}", "traits": traits} for n, traits in enumerate(WEIRD_TRAITS)]
    said += [{"type": "track", "event": "Odd", "userId": "eve", "timestamp": at} for at in times]
    said += [
        {"type": "track", "event": "Odd", "userId": "eve", "properties": {"n": n}} for n in ("1e999999999", [], "x")
    ]
    said += [{"type": "alias", "userId": "eve", "previousId": "eve"}, {"type": "group", "userId": "eve", "groupId": 7}]
    for each in said:
        assert send(shop, json.dumps({"batch": [each]}).encode()).status_code == 200
    assert send(shop, json.dumps({"userId": "ada", "event": "After"}).encode(), "/v1/track").status_code == 200
    with soon(20):
        assert [each["event"] for each in shop.timeline("ada") if each["type"] == "track"] == ["After"]
    assert shop.profile("odd 4")["traits"] == {"a.b": 1, "*": 2}
    long = WEIRD_TRAITS[7]["email"]
    assert shop.get(f"/api/v1/profiles/email:{long.upper()}")["traits"] == {"email": long}
    assert shop.members("mailed") == set()
    assert {each["code"] for each in shop.all("/api/v1/rejected")} == {"invalid_item"}


# the API ------------------------------------------------------------------------------------------------------------

BAD_BODIES = [
    (b'{"where": ', "invalid_json"),
    (b'{"where":{"trait":"a","is":NaN}}', "invalid_json"),
    (b'{"where":{"trait":"a","is":"\\ud800"}}', "invalid_json"),
    (b'{"where":{"trait":"a","is":1e999}}', "invalid_number"),
    (b'{"where":{"trait":"a","is":1e-99999999}}', "invalid_number"),
    (b'{"where":{"trait":"a","is":"\\u0000"}}', "invalid_text"),
    (b'{"where":' + b'{"not":' * 60 + b'{"all":[]}' + b"}" * 61, "too_deep"),
    (b"[" * 1_000_000, "invalid_json"),
    (b'{"where":' + b'{"not":' * 100_000, "invalid_json"),
]


@pytest.mark.parametrize(("body", "code"), BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_a_bad_body_of_the_api_is_a_problem_document(shop: Shop, body: bytes, code: str) -> None:
    with soon():
        problem(ask(shop, "PUT", "/api/v1/segments/a", body), 400, code)


def test_wrong_keys_are_problem_documents(shop: Shop) -> None:
    for key in ("wrong", "key_" + "x" * 43, ""):
        answer = shop.http.get("/api/v1/profiles", headers={"Authorization": f"Bearer {key}"} if key else {})
        problem(answer, 401, "invalid_key" if key else "not_signed_in")
    forbidden = shop.http.get("/api/v1/profiles", headers={"Authorization": f"Bearer {shop.made['write_key']}"})
    problem(forbidden, 403, "not_allowed")


LOOPS = {
    "endless": "{% for i in (1..1000000000) %}{% endfor %}",
    "nested": "{% for i in (1..9999) %}{% for j in (1..9999) %}x{% endfor %}{% endfor %}",
    "growing": "{% assign a = 'aaaaaaaa' %}{% for i in (1..90) %}{% assign a = a | append: a %}{% endfor %}{{ a }}",
    "of itself": "{% include 'self' %}",
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_template_that_loops_is_stopped(shop: Shop, name: str) -> None:
    inline = {"channel": "email", "format": "liquid+html", "subject": "s", "body": LOOPS[name]}
    with soon(3):  # 2 s, and a busy machine
        answer = ask(shop, "POST", "/api/v1/templates/render", {"inline": inline, "templates": {"self": LOOPS[name]}})
    problem(answer, 422, "template_limit")
    broken = {**inline, "body": "{% if %}"}
    problem(ask(shop, "POST", "/api/v1/templates/render", {"inline": broken}), 422, "template_error")
    problem(ask(shop, "PUT", "/api/v1/templates/broken", broken), 422, "template_error")


def test_a_template_that_loops_only_when_sent_costs_its_message_only(shop: Shop) -> None:
    shop.template("loop", body=LOOPS["endless"])
    shop.template("hello")
    for template in ("loop", "hello"):
        steps = [{"id": "mail", "send": {"channel": "email", "template": template}}]
        shop.journey(template, {"entry": {"on": {"event": "Go"}}, "steps": steps})
    shop.identify("ada", email="ada@example.com")
    shop.track("ada", "Go")
    assert [each["template"] for each in shop.outbox()] == ["hello"]
    states = {each["template"]: (each["state"], each["reason"]) for each in shop.all("/api/v1/messages")}
    assert states == {"hello": ("sent", None), "loop": ("skipped", "template_error")}


def test_a_rule_with_a_cycle_is_refused(shop: Shop) -> None:
    shop.segment("a", {"all": []})
    shop.segment("b", {"in_segment": "a"})
    shop.segment("c", {"not": {"in_segment": "b"}})
    refused = ask(shop, "PUT", "/api/v1/segments/a", {"where": {"any": [{"in_segment": "c"}]}})
    [wrong] = problem(refused, 422, "cycle")["errors"]
    assert wrong["pointer"].startswith("/where")
    problem(ask(shop, "PUT", "/api/v1/segments/d", {"where": {"in_segment": "d"}}), 422, "cycle")
    problem(ask(shop, "PUT", "/api/v1/segments/d", {"where": {"in_segment": "none"}}), 422, "unknown_segment")
    assert shop.get("/api/v1/segments/a")["where"] == {"all": []}


BAD_RULES = [
    17,
    {},
    {"trait": "a"},
    {"trait": "a", "is": 1, "nonsense": 2},
    {"did": 5},
    {"did": "x", "count": {"gte": -1}},
    {"did": "x", "within": "soon"},
    {"did": "x", "within": "1d", "between": ["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"]},
    {"trait": "a", "matches": "("},
    {"sum": {"event": "x"}, "gte": 1},
    {"any": [{"trait": f"t{n}", "is": n} for n in range(600)]},
    {"sequence": [{"did": "x"}]},
    {"all": {}},
    {"points": {"gte": 1}},
    {"trait": "a", "did": "b", "is": 1},
]


def test_a_rule_that_cannot_be_read_says_where(shop: Shop) -> None:
    for rule in BAD_RULES:
        for method, path in (("PUT", "/api/v1/segments/x"), ("POST", "/api/v1/segments/preview")):
            refused = ask(shop, method, path, {"where": rule})
            code = refused.json()["code"]
            assert code in ("invalid_rule", "too_costly"), (rule, refused.text)
            for wrong in problem(refused, 400, code)["errors"]:
                assert wrong["pointer"].startswith("/where") and wrong["code"] and wrong["message"]


def test_a_hungry_pattern_is_answered_soon(shop: Shop) -> None:
    shop.segment("hungry", {"trait": "name", "matches": "^(a+)+$"})
    shop.identify("ada", name="a" * 5000 + "!")
    with soon(15):
        assert shop.members("hungry") == set()
        assert ask(shop, "POST", "/api/v1/segments/preview", {"where": {"trait": "name", "matches": "(x+x+)+y"}}).json()


BAD_JOURNEYS = {
    "unreachable_step": [{"id": "a", "delay": "1d", "next": "end"}, {"id": "b", "delay": "1d"}],
    "loop_without_wait": [{"id": "a", "update": {"traits": {"x": 1}}, "next": "a"}],
    "unknown_next": [{"id": "a", "delay": "1d", "next": "nowhere"}],
}


def test_a_journey_that_cannot_run_is_refused(shop: Shop) -> None:
    for name, steps in BAD_JOURNEYS.items():
        journey = {"entry": {"on": {"event": "Go"}}, "steps": steps}
        assert ask(shop, "PUT", f"/api/v1/journeys/{name}", journey).status_code == 200  # a draft may be unfinished
        refused = problem(ask(shop, "POST", f"/api/v1/journeys/{name}/publish", b""), 422, "invalid_journey")
        assert name in {wrong["code"] for wrong in refused["errors"]}
        assert all(wrong["pointer"].startswith("/steps") for wrong in refused["errors"])


def test_an_idempotency_key_is_of_one_request(shop: Shop) -> None:
    key = {"Idempotency-Key": "once"}
    first = ask(shop, "PUT", "/api/v1/segments/a", {"where": {"all": []}}, **key)
    again = ask(shop, "PUT", "/api/v1/segments/a", {"where": {"all": []}}, **key)
    assert (first.json(), again.headers["idempotency-replayed"]) == (again.json(), "true")
    problem(ask(shop, "PUT", "/api/v1/segments/a", {"where": {"any": []}}, **key), 409, "idempotency_conflict")
    long = {"Idempotency-Key": "x" * 300}
    problem(ask(shop, "PUT", "/api/v1/segments/a", {"where": {"all": []}}, **long), 400, "invalid_idempotency_key")


def test_odd_addresses_are_problem_documents(shop: Shop) -> None:
    long = "".join(random.Random(2).choices(string.ascii_letters, k=6000))  # too much for an index entry
    template = {"channel": "email", "format": "liquid+html", "subject": "s", "body": "b"}
    problem(ask(shop, "PUT", f"/api/v1/templates/{long}", template), 400, "too_long")
    problem(ask(shop, "PUT", f"/api/v1/segments/{long}", {"where": {"all": []}}), 400, "invalid_name")
    for path, status in {
        "/api/v1/rejected?cursor=%C2%B2": 200,
        "/api/v1/rejected?cursor=99999999999999999999": 200,
        "/api/v1/rejected?limit=0": 400,
        "/api/v1/profiles?cursor=x": 400,
        "/api/v1/profiles/user:a%00": 400,
        "/api/v1/profiles/prf_zzz": 400,
        "/api/v1/profiles/what:ever": 404,
        "/api/v1/clock?after=-1": 400,
        "/api/v1/clock?after=1&wait=forever": 400,
        "/api/v1/outbox?cursor=%FF": 400,
        "/api/v1/outbox?cursor=%C2%B2.%C2%B2": 400,
        "/api/v1/messages?cursor=%C2%B2": 400,
        f"/api/v1/messages?cursor={'9' * 5000}": 400,
        "/api/v1/messages/zz": 400,
        "/api/nothing": 404,
        f"/api/v1/profiles?search={long}": 200,
    }.items():
        answer = ask(shop, "GET", path, b"")
        assert answer.status_code == status, (path, answer.text)
        if status >= 400:
            problem(answer, status, answer.json()["code"])


# connections --------------------------------------------------------------------------------------------------------


def test_connections_that_end_or_wait_hold_nobody_up(shop: Shop, running: Running) -> None:
    host, port = running.url.removeprefix("http://").split(":")
    head = b"POST /v1/batch HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n"
    waiting = [socket.create_connection((host, int(port)), timeout=10) for _ in range(40)]
    for each in waiting:
        each.sendall(head + b'{"batch":[')
    with soon():
        assert send(shop, b'{"userId":"ada","event":"Seen","messageId":"m"}', "/v1/t").status_code == 200
    for each in waiting:
        each.close()
    with soon():
        assert events(shop, "ada") == ["m"]


def test_what_is_no_http_is_refused_in_kind(running: Running) -> None:
    """No route and no middleware sees it, so the protocol itself writes what they would."""
    host, port = running.url.removeprefix("http://").split(":")
    for said, status, code in [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "invalid_http"),
        (b"GET / HTTP/1.1\r\nhost: x\r\nno colon\r\n\r\n", 400, "invalid_http"),
        (b"GET / HTTP/1.1\r\nx: " + b"x" * 17_000 + b"\r\n\r\n", 431, "head_too_large"),
    ]:
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(said)
            head, _, body = b"".join(iter(lambda c=connection: c.recv(65_536), b"")).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status), head
        assert json.loads(body)["code"] == code
        assert {b"content-type: application/problem+json", b"x-content-type-options: nosniff"} <= set(
            head.split(b"\r\n")
        )
