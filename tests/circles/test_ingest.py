"""Ingest from outside: recorded requests byte for byte, the real Segment client, and a network that fails."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.server
import json
import socket
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg
import pytest
from segment.analytics.client import Client

from kizuna.core import clock
from kizuna.runtime.folder import Running
from kizuna.testing.shop import START, Shop

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = next(
    folder
    for folder in (ROOT.parent / "shared" / "data" / "sdk-recordings", ROOT / "tests" / "data" / "sdk-recordings")
    if folder.is_dir()
)
RECORDED_KEY = "WRITE_KEY_PY"
DAY = "2026-03-02"  # of START
Open = Callable[..., Shop]


def send(shop: Shop, path: str, body: Any, key: str | None = None, status: int = 200, **headers: str) -> dict[str, Any]:
    """A request of the tracking API as raw as wished; its JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    key = shop.made["write_key"] if key is None else key
    said = {"Authorization": f"Bearer {key}"} if key else {}
    said |= {name.replace("_", "-"): value for name, value in headers.items()}
    answer = shop.http.post(path, content=content, headers=said)
    assert answer.status_code == status, answer.text
    position = answer.headers.get("kizuna-position")
    if position:
        shop.position = str(max(int(shop.position or 0), int(position)))
    return answer.json()


def messages(shop: Shop) -> Counter[str]:
    """How often each message is in anybody's timeline."""
    found: Counter[str] = Counter()
    for profile in shop.all("/api/v1/profiles", limit=200):
        for entry in shop.all(f"/api/v1/profiles/{profile['id']}/timeline", limit=500):
            if entry["message_id"]:
                found[entry["message_id"]] += 1
    return found


def of_timeline(shop: Shop, who: str) -> list[tuple[str, str]]:
    """(type, event) of what the customer did, oldest first."""
    return [(each["type"], each["event"]) for each in shop.timeline(who)[::-1] if each["type"] != "fact"]


# recorded requests --------------------------------------------------------------------------------------------------


def recordings() -> list[dict[str, Any]]:
    return [each for file in sorted(RECORDINGS.glob("segment_py*.json")) for each in json.loads(file.read_bytes())]


def replay(url: str, recorded: dict[str, Any], body: bytes, key: str = RECORDED_KEY) -> int:
    """Send a request with the very headers it was recorded with, in their order; the status."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=30)
    connection.putrequest(recorded["method"], recorded["target"], skip_host=True, skip_accept_encoding=True)
    for name, value in recorded["headers"]:
        if name == "Authorization":
            value = f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"
        connection.putheader(name, str(len(body)) if name == "Content-Length" else value)
    connection.endheaders(body)
    answer = connection.getresponse()
    assert json.loads(answer.read())["success"] is True
    connection.close()
    return answer.status


def test_recorded_requests_are_taken_once_byte_for_byte(open_shop: Open, running: Running) -> None:
    shop = open_shop(clock="live")
    with psycopg.connect(running.database_url) as connection:  # so that the bytes need no change at all
        connection.execute(
            "INSERT INTO api_key (hash, workspace, id, role, created_at) VALUES (%s, %s, 'kid_recorded', 'ingest', 0)",
            [hashlib.sha256(RECORDED_KEY.encode()).digest(), int(shop.made["id"].removeprefix("wsp_"))],
        )
    expected = {item["messageId"] for recorded in recordings() for item in recorded["json"]["batch"]}
    for _ in range(2):
        for recorded in recordings():
            assert replay(running.url, recorded, base64.b64decode(recorded["body_base64"])) == 200
    shop.position = str(latest_position(running))
    assert messages(shop) == dict.fromkeys(expected, 1)
    assert shop.all("/api/v1/rejected") == []


def test_recorded_requests_are_taken_with_our_own_key(open_shop: Open, running: Running) -> None:
    shop = open_shop(clock="live")
    key, expected = shop.made["write_key"], set[str]()
    for recorded in recordings():
        packed = recorded.get("decoded_from") == "gzip"
        body = base64.b64decode(recorded["body_base64"])
        body = (gzip.decompress(body) if packed else body).replace(RECORDED_KEY.encode(), key.encode())
        assert replay(running.url, recorded, gzip.compress(body) if packed else body, key) == 200
        expected |= {item["messageId"] for item in recorded["json"]["batch"]}
    shop.position = str(latest_position(running))
    assert messages(shop) == dict.fromkeys(expected, 1)
    known = shop.profile("user-1")
    assert known["traits"]["name"] == "山田 愛子"
    assert {"type": "anonymous_id", "id": "anon-1"} in known["identities"]
    assert "nulls" not in known["traits"]


def latest_position(running: Running) -> int:
    with psycopg.connect(running.database_url) as connection:
        row = connection.execute("SELECT last_value FROM position").fetchone()
    assert row
    return row[0]


# the real client ----------------------------------------------------------------------------------------------------


@pytest.fixture
def client_of() -> Iterator[Callable[..., Client]]:
    """Real clients, unchanged; what one could not deliver fails the test."""
    opened: list[Client] = []
    undelivered: list[Any] = []

    def open_one(shop: Shop, **options: Any) -> Client:
        options = {"host": str(shop.http.base_url).rstrip("/"), "upload_interval": 0.05, **options}
        client = Client(shop.made["write_key"], on_error=lambda *what: undelivered.append(what), **options)
        opened.append(client)
        return client

    yield open_one
    for client in opened:
        client.shutdown()
    assert not undelivered


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_everything_the_real_client_says_arrives_once(
    open_shop: Open, client_of: Callable[..., Client], running: Running, *, packed: bool
) -> None:
    shop = open_shop(clock="live")
    client = client_of(shop, gzip=packed)
    client.track(anonymous_id="a1", event="Product Viewed", properties={"sku": "茶碗", "price": 9.99})
    client.identify("ada", {"name": "愛 \U0001f375", "email": "ada@example.com", "age": 36}, anonymous_id="a1")
    client.track("ada", "Order Completed", {"total": 27.5, "products": [{"sku": "茶碗", "quantity": 2}]})
    client.page("ada", "Docs", "Home", {"url": "https://shop.example/"})
    client.screen("ada", None, "Cart", {"n": 1})
    client.group("ada", "acme", {"plan": "gold"})
    client.alias("a0", "ada")
    for number in range(250):
        client.track(f"bulk-{number % 5}", "Bulk", {"n": number}, message_id=f"bulk {number}")
    client.flush()
    shop.position = str(latest_position(running))
    ada = shop.profile("ada")
    assert ada["traits"] == {"name": "愛 \U0001f375", "email": "ada@example.com", "age": 36}
    names = {(each["type"], each["id"]) for each in ada["identities"]}
    assert {("user_id", "ada"), ("anonymous_id", "a0"), ("anonymous_id", "a1")} <= names
    assert Counter(of_timeline(shop, "ada")) == {
        ("track", "Product Viewed"): 1, ("identify", "identify"): 1, ("track", "Order Completed"): 1,
        ("page", "Page Viewed"): 1, ("screen", "Screen Viewed"): 1, ("group", "acme"): 1, ("alias", "a0"): 1,
    }  # fmt: skip
    ordered = next(each for each in shop.timeline("ada") if each["event"] == "Order Completed")
    assert ordered["properties"] == {"total": 27.5, "products": [{"sku": "茶碗", "quantity": 2}]}
    page = next(each for each in shop.timeline("ada") if each["event"] == "Page Viewed")
    assert page["properties"] == {"url": "https://shop.example/", "name": "Home", "category": "Docs"}
    assert all(len(of_timeline(shop, f"bulk-{number}")) == 50 for number in range(5))


class Front:
    """Stands between client and product and fails as told, one word a request; then it only passes on."""

    def __init__(self, behind: str, *mishaps: str) -> None:
        self.mishaps = list(mishaps)
        self.passed: list[int] = []
        self.retries: list[str | None] = []
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                front.retries.append(self.headers.get("x-retry-count"))
                match front.mishaps.pop(0) if front.mishaps else "":
                    case "500":
                        self.answer(500, b"{}")
                    case "429":
                        self.answer(429, b"{}", ("retry-after", "1"))
                    case "lost answer":
                        self.pass_on(behind, body)
                        self.close_connection = True
                        self.connection.shutdown(socket.SHUT_RDWR)
                    case _:
                        self.answer(*self.pass_on(behind, body))

            def pass_on(self, behind: str, body: bytes) -> tuple[int, bytes]:
                request = urllib.request.Request(behind + self.path, body, dict(self.headers.items()))
                with urllib.request.urlopen(request, timeout=30) as answer:
                    front.passed.append(answer.status)
                    return answer.status, answer.read()

            def answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
                self.send_response(status)
                for name, value in (("content-length", str(len(body))), *headers):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Front:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def test_a_failing_network_costs_no_message_and_doubles_none(
    open_shop: Open, client_of: Callable[..., Client], running: Running
) -> None:
    shop = open_shop(clock="live")
    with Front(running.url, "500", "lost answer", "429", "lost answer") as front:
        client = client_of(shop, host=front.url)
        for number in range(20):
            client.track("ada", "Bought", {"n": number})
        client.flush()
        shop.position = str(latest_position(running))
    assert front.passed.count(200) >= 3  # the same batch was committed more than once
    assert "1" in front.retries
    bought = [each for each in shop.timeline("ada") if each["event"] == "Bought"]
    assert sorted(each["properties"]["n"] for each in bought) == list(range(20))


# forms of a request -------------------------------------------------------------------------------------------------

PATHS = {
    "track": ("track", "t"), "identify": ("identify", "i"), "page": ("page", "p"), "screen": ("screen", "s"),
    "group": ("group", "g"), "alias": ("alias", "a"), "batch": ("batch", "b", "import"),
}  # fmt: skip


def test_every_path_takes_its_event(shop: Shop) -> None:
    sent: list[str] = []
    for kind, words in PATHS.items():
        for path in [f"{prefix}/{word}" for prefix in ("/v1", "") for word in words]:
            message = path.replace("/", " ")
            event = {"userId": "ada", "messageId": message, "event": "Seen", "groupId": "g", "previousId": "a9"}
            body = {"batch": [{**event, "type": "track"}]} if kind == "batch" else event
            assert send(shop, path, body) == {"success": True}
            sent.append(message)
    assert messages(shop) == dict.fromkeys(sent, 1)
    for path in ("/v1/m", "/m"):
        assert send(shop, path, {"series": []}, key="") == {"success": True}
    assert shop.http.post("/v1/nothing", json={}).status_code == 404


def test_a_key_may_come_in_three_ways(shop: Shop) -> None:
    key = shop.made["write_key"]
    basic = {"Authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"}
    no_colon = {"Authorization": f"Basic {base64.b64encode(key.encode()).decode()}"}
    bearer = {"Authorization": f"Bearer {shop.made['api_key']}"}
    event = {"userId": "ada", "event": "Seen"}
    in_item = {"batch": [{**event, "type": "track", "writeKey": key}]}
    for headers, path, body in [
        (basic, "/v1/track", event), (no_colon, "/v1/track", event), ({}, "/v1/track", {**event, "writeKey": key}),
        ({}, "/v1/b", {"batch": [{**event, "type": "track"}], "writeKey": key}), ({}, "/v1/b", in_item),
        (bearer, "/v1/track", {**event, "writeKey": key}), (basic, "/v1/track", {**event, "writeKey": key}),
    ]:  # fmt: skip
        assert send(shop, path, body, key="", **headers) == {"success": True}
    assert len(of_timeline(shop, "ada")) == 7


def test_wrong_missing_and_disagreeing_keys_are_refused(open_shop: Open) -> None:
    ours, theirs = open_shop(), open_shop()
    event = {"userId": "ada", "event": "Seen", "type": "track"}
    both = {"writeKey": theirs.made["write_key"]}
    for body, key, code in [
        (event, "", "unknown_write_key"), (event, "wk_wrong", "unknown_write_key"),
        ({**event, "writeKey": "wk_wrong"}, "", "unknown_write_key"), ({**event, **both}, None, "keys_disagree"),
        ({**event, "writeKey": "wk_wrong"}, None, "unknown_write_key"),
    ]:  # fmt: skip
        assert send(ours, "/v1/track", body, key, status=401)["code"] == code
    mixed = {"batch": [{**event, "writeKey": ours.made["write_key"]}, {**event, **both}]}
    assert send(ours, "/v1/batch", mixed, "", status=401)["code"] == "keys_disagree"
    unreadable = {"Authorization": "Basic !!"}
    assert send(ours, "/v1/track", event, "", status=401, **unreadable)["code"] == "unknown_write_key"
    assert ours.call("GET", "/api/v1/profiles/user:ada").status == 404
    assert theirs.call("GET", "/api/v1/profiles/user:ada").status == 404


def test_settings_and_preflight_answer_browsers(shop: Shop) -> None:
    key, page = shop.made["write_key"], {"Origin": "https://shop.example"}
    for path in (f"/v1/projects/{key}/settings", f"/projects/{key}/settings"):
        answer = shop.http.get(path, headers=page)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        said = answer.json()["integrations"]["Segment.io"]
        assert said["apiKey"] == key
        assert said["apiHost"] == f"{shop.http.base_url.host}:{shop.http.base_url.port}/v1"
    assert shop.http.get("/v1/projects/wk_wrong/settings").status_code == 401
    asks = {**page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for path in ("/v1/t", "/v1/batch", "/m", f"/v1/projects/{key}/settings"):
        answer = shop.http.options(path, headers=asks)
        assert answer.status_code in (200, 204)
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert "Authorization" in answer.headers["access-control-allow-headers"]
        assert "Origin" in answer.headers["vary"]
    refused = shop.http.post("/v1/t", content=b"{", headers=page)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (400, "https://shop.example")


def test_content_types_lie_and_encodings_are_undone(shop: Shop) -> None:
    def body(number: int) -> bytes:
        return json.dumps({"userId": "ada", "event": "Seen", "messageId": f"c{number}"}).encode()

    chunks = [body(6)[:20], body(6)[20:]]
    send(shop, "/v1/t", body(1), Content_Type="text/plain")
    send(shop, "/v1/t", b"\xef\xbb\xbf" + body(2), Content_Type="application/x-www-form-urlencoded")
    send(shop, "/v1/t", gzip.compress(body(3)), Content_Encoding="gzip", Content_Type="text/plain")
    send(shop, "/v1/t", gzip.compress(body(4)[:9]) + gzip.compress(body(4)[9:]), Content_Encoding="gzip")
    send(shop, "/v1/t", b" \n" + body(5) + b"\r\n")
    key = {"Authorization": f"Bearer {shop.made['write_key']}"}
    assert shop.http.post("/v1/t", content=iter(chunks), headers=key).status_code == 200
    shop.advance("0s")
    assert messages(shop) == {f"c{number}": 1 for number in range(1, 7)}
    assert send(shop, "/v1/t", b"\x1f\x8bno", status=400, Content_Encoding="gzip")["code"] == "invalid_gzip"
    assert send(shop, "/v1/t", body(7), status=400, Content_Encoding="br")["code"] == "invalid_encoding"


# time and identity of events ----------------------------------------------------------------------------------------


def test_a_wrong_clock_of_the_sender_is_corrected(shop: Shop) -> None:
    event = {"type": "track", "userId": "ada", "event": "Seen", "messageId": "skewed"}
    batch = [{**event, "timestamp": "2031-01-01T10:00:00Z"}]
    send(shop, "/v1/batch", {"batch": batch, "sentAt": "2031-01-01T10:00:30Z"})
    [seen] = [each for each in shop.timeline("ada") if each["event"] == "Seen"]
    assert (seen["timestamp"], seen["received_at"]) == (f"{DAY}T09:59:30Z", START)


def test_the_same_message_counts_once_across_requests_and_people(shop: Shop) -> None:
    event = {"userId": "ada", "event": "Seen", "messageId": "same"}
    first = send(shop, "/v1/track", event)
    assert send(shop, "/v1/track", event) == first == {"success": True}
    send(shop, "/v1/batch", {"batch": [{**event, "type": "track"}] * 3})
    send(shop, "/v1/track", {**event, "event": "Something else"})
    assert of_timeline(shop, "ada") == [("track", "Seen")]
    shop.advance("89d")
    send(shop, "/v1/track", event)
    assert of_timeline(shop, "ada") == [("track", "Seen")]
    shop.advance("2d")
    send(shop, "/v1/track", event)
    assert of_timeline(shop, "ada") == [("track", "Seen")] * 2


def test_a_request_repeated_under_its_idempotency_key_is_taken_once(shop: Shop) -> None:
    events = {"batch": [{"type": "track", "userId": "ada", "event": name} for name in ("One", "Two")]}
    for _ in range(2):
        send(shop, "/v1/batch", events, Idempotency_Key="import 7")
    assert of_timeline(shop, "ada") == [("track", "One"), ("track", "Two")]
    send(shop, "/v1/batch", events)
    assert len(of_timeline(shop, "ada")) == 4


WELCOME = {
    "entry": {"on": {"event": "Signed Up"}, "again": "always", "max_age": "72h"},
    "steps": [{"id": "mail", "send": {"channel": "email", "template": "hello"}}],
}


def signed_up(shop: Shop, who: str, at: str = "", **fields: Any) -> None:
    event = {"type": "track", "userId": who, "event": "Signed Up", **({"timestamp": at} if at else {})}
    mail = {"type": "identify", "userId": who, "traits": {"email": f"{who}@example.com"}}
    send(shop, "/v1/batch", {"batch": [mail, event], **fields})


def test_backfill_counts_and_triggers_nothing(shop: Shop) -> None:
    shop.template()
    shop.journey("welcome", WELCOME)
    shop.segment("signed", {"did": "Signed Up"})
    signed_up(shop, "ada", integrations={"Kizuna": {"backfill": True}})
    signed_up(shop, "grace")
    broken = b'{"type":"track","event":"Signed Up","userId":"eve","properties":{"n":NaN}},'
    flagged = json.dumps({"integrations": {"Kizuna": {"backfill": True}}}).encode()
    event = b'{"type":"track","event":"Signed Up","userId":"joan"}'
    refused = send(shop, "/v1/batch", flagged[:-1] + b',"batch":[' + broken + event + b"]}")
    assert [each["index"] for each in refused["results"]] == [0]  # what the batch says of all survives a bad item
    assert shop.members("signed") == {"ada", "grace", "joan"}
    assert shop.counts("welcome")["entered"] == 1
    assert [each["to"] for each in shop.outbox()] == ["grace@example.com"]


def test_late_events_count_at_their_own_time_and_old_ones_start_nothing(shop: Shop) -> None:
    shop.template()
    shop.journey("welcome", WELCOME)
    shop.segment("lately", {"did": "Signed Up", "within": "7d"})
    signed_up(shop, "ada", "2026-02-28T10:00:00Z")
    signed_up(shop, "grace", "2026-02-26T10:00:00Z")
    assert shop.counts("welcome")["entered"] == 1  # grace's is older than 72 h
    assert shop.members("lately") == {"ada", "grace"}
    shop.to("2026-03-05T10:00:00Z")
    assert shop.members("lately") == {"ada"}


def test_an_event_dated_ahead_acts_when_the_clock_reaches_it(shop: Shop) -> None:
    shop.template()
    shop.journey("welcome", WELCOME)
    shop.segment("signed", {"did": "Signed Up"})
    signed_up(shop, "ada", "2026-03-04T12:00:00Z")
    assert shop.members("signed") == set()
    assert shop.outbox() == []
    shop.to("2026-03-04T11:59:59Z")
    assert (shop.members("signed"), shop.counts("welcome")["entered"]) == (set(), 0)
    shop.advance("1s")
    assert shop.members("signed") == {"ada"}
    [mail] = shop.outbox()
    assert clock.read_time(mail["at"]) == clock.read_time("2026-03-04T12:00:00Z")
    [entered] = shop.facts("ada", "segment_entered")
    assert entered["timestamp"] == "2026-03-04T12:00:00Z"
