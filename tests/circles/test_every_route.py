"""Every route of the app against what no honest client sends: a typed refusal, soon, in bounded memory.

The walk reads the route table, so a new route is walked by being there."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import runpy
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import cache
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from msgspec import Struct
from msgspec.structs import replace

from kizuna import server
from kizuna.accounts import installation, members
from kizuna.app import ROUTES
from kizuna.config import Config
from kizuna.runtime.database import Database
from kizuna.runtime.folder import Running
from kizuna.testing.memory import in_bounded_memory
from kizuna.testing.shop import Shop

TENANCY = runpy.run_path(str(Path(__file__).with_name("test_tenancy.py")))  # says what good requests look like
SOON = 10.0  # seconds of one answer, on a busy machine; what would hang takes for ever
MEGABYTES = 250  # more than before: four requests at a time, each unpacked as far as the limit of 32 MiB
DEEP = 100_000
LARGE = 41 << 20  # bytes; over every limit of a body
CONNECTIONS = 4
DEAR = ("/backtest", "/sql", "/insight/messages")  # each good request asks the lake: these get fewer of them


class Route(Struct, frozen=True):
    """One method of one path, with what its description says."""

    method: str
    template: str
    is_wire: bool  # of the tracking API, which has refusals of its own form
    is_public: bool
    wants_member: bool
    good: Any  # a body that could be taken, where one is known
    keys: tuple[str, ...]  # of an object that is its body
    queries: tuple[str, ...]  # the parameters it knows
    is_twin: bool  # another path of a handler that was walked already
    known: str = ""  # the address of something that is there, with its query

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    def path(self, value: str = "") -> str:
        """The address of something that is there, if anything is; with `value` in place of each parameter."""
        if self.known and not value:
            return self.known
        return "/".join((value or "none") if part.startswith("{") else part for part in self.template.split("/"))


class Ask(Struct, frozen=True):
    """One request; `about` says what is wrong with it."""

    route: Route
    about: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = {}
    declared: int = 0  # bytes that are promised and never sent


class Answer(Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


@cache
def app() -> Litestar:
    return server.create(Config(), Database("", name="nobody's"))


@cache
def routes() -> list[Route]:
    described = app().openapi_schema.to_schema()
    schemas = described["components"].get("schemas", {})

    def keys(template: str, method: str) -> tuple[str, ...]:
        operation = described["paths"].get(_plain(template), {}).get(method.lower(), {})
        body = operation.get("requestBody", {}).get("content", {})
        schema: Any = next(iter(body.values()))["schema"] if body else {}
        schema = next((each for each in schema.get("oneOf", []) if "$ref" in each), schema)
        schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
        return tuple(schema.get("properties", {}))

    def queries(template: str, method: str) -> tuple[str, ...]:
        operation = described["paths"].get(_plain(template), {}).get(method.lower(), {})
        return tuple(each["name"] for each in operation.get("parameters", []) if each["in"] == "query")

    found: list[Route] = []
    seen: set[Any] = set()
    for method, template, handler in TENANCY["endpoints"](app()):
        good = TENANCY["BODIES"].get(f"{method} {template}")
        known = dict.fromkeys([*keys(template, method), *(good or {})])
        wanted = handler.parsed_fn_signature.parameters
        route = Route(
            method=method,
            template=template,
            is_wire=bool(handler.opt.get("ingest")),
            is_public="caller" not in wanted and "member" not in wanted,
            wants_member="member" in wanted,
            good=good,
            keys=tuple(known),
            queries=queries(template, method),
            is_twin=handler.fn in seen,
        )
        found.append(route)
        seen.add(handler.fn)
    return found


def _plain(template: str) -> str:
    """`/a/{name:str}` as the description writes it."""
    return template.replace(":str}", "}").replace(":int}", "}").replace(":path}", "}")


# what is sent -------------------------------------------------------------------------------------------------------

WRONG: list[Any] = [
    None, True, -1, 10**30, "", "x" * 10_000, "a\u202e\U0001f4a9\n", [None], {}, {"": {"": []}},
]  # fmt: skip
RAW = {
    "NaN": b"NaN",
    "infinity": b"-Infinity",
    "too large a number": b"1e999",
    "too large an integer": b"9" * 5_000,
    "lone surrogate": b'"\\ud800"',
    "escaped NUL": b'"a\\u0000"',
    "NUL": b'"\x00"',
    "broken UTF-8": b'"\xff\xfe"',
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "duplicate keys": b'{"a":1,"a":{"a":[],"a":2}}',
}
WHOLE = {
    "nothing": b"",
    "a list": b"[]",
    "a list of objects": b"[{}]",
    "a text": b'"x"',
    "a number": b"17",
    "null": b"null",
    "an empty object": b"{}",
    "half an object": b'{"a":',
    "an unknown key": b'{"nobody_knows_it":1}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "endless lists": b"[" * DEEP,
}
TYPES = ("text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "application/msgpack", "a/b;c=\xff")
FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
FORMS = (
    (FORM, b"channel=%00&topic=%FF&state=opted_out"), (FORM, b"channel=email&state=opted_out&topic=" + b"x" * 10_000),
    (FORM, b"channel=email&channel=sms&state=opted_out&state=1&unsubscribe=topic&unsubscribe=channel"),
    (FORM, b"channel=email&topic=%00&state=opted_out&unsubscribe=%00"), (FORM, b"&=&%&;" * 1_000),
    (FORM, b"channel=%ED%A0%80&topic=%ED%A0%80&state=opted_out"), (FORM, b"a=1&" * 100_000),
    (PARTS, b"--x\r\ncontent-disposition: form-data; name=channel\r\n\r\nemail\r\n--x"), (PARTS, b"--y--"),
    (PARTS, b'--x\r\ncontent-disposition: form-data; name="channel"; filename="a"\r\n\r\nemail\r\n--x--\r\n'),
    (PARTS, b'--x\r\ncontent-disposition: form-data; name="state"\r\n\r\n\xff\x00\r\n--x--\r\n'),
    ("multipart/form-data; boundary=", b"--\r\n"), ("multipart/form-data; boundary=\xff", b"--\xff\r\n\r\n--\xff--"),
)  # fmt: skip
SEGMENTS = (
    "%00", "%2F..%2F..%2Fetc%2Fpasswd", "..%2f", "%2e%2e", "x" * 10_000, "%FF%FE", "%ED%A0%80", "-1", "9" * 30,
    "%27%20OR%201%3D1--", "%7B%7B7%7D%7D", "*", "%F0%9F%92%A9", "%0D%0AX%3A1", "user:", "prf_zzz", "email:%20", "a.gif",
)  # fmt: skip
VALUES = ("-1", "1e9", "9" * 30, "garbage", "%00", "%FF", "9999-99-99")
OFTEN = ("limit", "cursor", "from", "to", "workspace")  # sent to every route, whether it knows them or not
TAILS = ("?&&==&%", "?after=1&wait=forever", "?limit=1&limit=x&%00=1", "?" + "a=1&" * 2_000)
HEADERS = (
    {"Kizuna-After": "garbage"}, {"Kizuna-Workspace": "%FF%00"}, {"Accept-Language": "ja;q=nan,en;q=1e999,*;q=x"},
    {"Cookie": "kizuna_session=\xff; =;"}, {"Content-Encoding": "gzip"}, {"Content-Encoding": "br"},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"}, {"Host": "a b\xff"}, {"Range": "bytes=9-1"},
    {"Idempotency-Key": "x" * 300}, {"Idempotency-Key": "\xff\x01"},
)  # fmt: skip
KEYS = ("Bearer key_" + "x" * 43, "Bearer \xff\xfe", "Bearer ", "Basic OjpcXA")


def bodies(route: Route) -> Iterator[Ask]:
    """Each key of the body with each wrong value, and each whole that is no body."""
    good = route.good if isinstance(route.good, dict) else {}
    is_dear = route.template.endswith(DEAR)
    for key in () if route.is_twin else route.keys or ("a",):
        for value in WRONG[3::9] if is_dear else WRONG:
            yield Ask(route, f"{key}: {str(value)[:30]!r}", route.path(), json.dumps({**good, key: value}).encode())
    first = (route.keys or ("a",))[0]
    for about, raw in RAW.items():
        others = json.dumps({key: value for key, value in good.items() if key != first}).encode()[1:]
        body = b"{" + json.dumps(first).encode() + b":" + raw + (b"," if len(others) > 1 else b"") + others
        yield Ask(route, about, route.path(), body)
    for about, body in list(WHOLE.items())[:: 3 if route.is_twin else 1]:
        yield Ask(route, about, route.path(), body)
    for kind in () if route.is_twin or is_dear else TYPES:
        yield Ask(route, f"content type {kind!r}", route.path(), json.dumps(good).encode(), {"Content-Type": kind})
    if route.is_public and "{" in route.template:
        for kind, body in FORMS:
            yield Ask(route, "a form", route.path(), body, {"Content-Type": kind})
    yield Ask(route, "a body over the limit", route.path(), b'{"a":"', declared=LARGE)
    if route.is_twin:
        return
    yield Ask(route, "a bomb", route.path(), _bomb(), {"Content-Encoding": "gzip"})
    yield Ask(route, "half a gzip", route.path(), _bomb()[:200], {"Content-Encoding": "gzip"})


@cache
def _bomb() -> bytes:
    return gzip.compress(b" " * LARGE, 6)


def addresses(route: Route) -> Iterator[Ask]:
    """Each wrong name in the path, each wrong value in the query."""
    body = b"{}" if route.method not in ("GET", "DELETE") else b""
    if route.is_twin:
        return
    if "{" in route.template:
        for segment in SEGMENTS:
            yield Ask(route, "path", route.path(segment), body)
    if route.method == "GET":
        values = VALUES[:: 4 if route.template.endswith(DEAR) else 1]
        unknown = [name for name in OFTEN if name not in route.queries]
        for value in values:
            for name in (*route.queries, "after"):
                yield Ask(route, "query", f"{route.path()}?{name}={value}", body)
            yield Ask(route, "query", f"{route.path()}?{'&'.join(f'{name}={value}' for name in unknown)}", body)
    for tail in TAILS:
        yield Ask(route, "query", route.path() + tail, body)


def headers(route: Route) -> Iterator[Ask]:
    """Wrong keys, and wrong headers beside a right one."""
    body = json.dumps(route.good or {}).encode() if route.method not in ("GET", "DELETE") else b""
    if route.is_twin:
        return
    for key in KEYS:
        yield Ask(route, f"key {key[:20]!r}", route.path(), b"{}" if body else b"", {"Authorization": key})
    for more in HEADERS[:: 9 if route.template.endswith(DEAR) else 1]:
        yield Ask(route, f"header {str(more)[:40]}", route.path(), body, more)


# how it is sent and what must come back -----------------------------------------------------------------------------


class Line:
    """A connection that is used again while it lasts."""

    def __init__(self, url: str, credentials: dict[str, dict[str, str]]) -> None:
        self._address = url.removeprefix("http://")
        self._credentials = credentials
        self._connection = HTTPConnection(self._address, timeout=60)

    def send(self, ask: Ask) -> Answer:
        began = time.monotonic()
        try:
            answer = self._send(ask)
        except (HTTPException, OSError):  # the server hung up after an earlier answer
            self._connection.close()
            answer = self._send(ask)
        if ask.declared or answer.headers.get("connection") == "close":
            self._connection.close()
        return replace(answer, seconds=time.monotonic() - began)

    def close(self) -> None:
        self._connection.close()

    def _send(self, ask: Ask) -> Answer:
        route, connection = ask.route, self._connection
        kind = "wire" if route.is_wire else "member" if route.wants_member else "none" if route.is_public else "caller"
        said = {**self._credentials[kind], "Content-Type": "application/json", **ask.headers}
        connection.putrequest(route.method, ask.path, skip_host="Host" in said, skip_accept_encoding=True)
        for name, value in said.items():
            connection.putheader(name, value.encode("latin-1"))
        if ask.body or route.method not in ("GET", "DELETE"):
            connection.putheader("Content-Length", str(ask.declared or len(ask.body)))
        connection.endheaders(ask.body or None)
        with connection.getresponse() as found:
            shown = {name.lower(): value for name, value in found.getheaders()}
            return Answer(found.status, shown, found.read(), 0)


def complaints(ask: Ask, answer: Answer) -> Iterator[str]:
    """What is not as it must be."""
    kind = answer.headers.get("content-type", "")
    if answer.status >= 500:
        yield "an answer of the 5xx kind"
    if answer.seconds > SOON:
        yield f"took {answer.seconds:.1f} s"
    if answer.status >= 400 and ask.route.is_wire and kind == "application/json":
        said = json.loads(answer.body)
        if said.get("success") is not False or not said.get("code"):
            yield "not a refusal as the tracking API writes it"
    elif answer.status >= 400 and ask.route.known and kind.startswith("text/html"):
        if b"<h1>" not in answer.body:
            yield "not a page for the customer"
    elif answer.status >= 400:
        said = json.loads(answer.body) if kind == "application/problem+json" else {}
        if said.get("status") != answer.status or not said.get("code") or not said.get("detail"):
            yield "not a problem document"
    wanted = {"x-content-type-options": "nosniff"}
    if ask.route.template.startswith("/api/"):
        wanted |= {"cache-control": "no-store", "x-frame-options": "DENY", "referrer-policy": "same-origin"}
    yield from (f"no {name}: {value}" for name, value in wanted.items() if answer.headers.get(name) != value)
    if kind.count("charset") > 1:
        yield "says its charset twice"
    if "frame-ancestors" not in answer.headers.get("content-security-policy", ""):
        yield "no content security policy"


def walk(asks: Iterable[Ask], line: Any) -> None:
    """Sends all; fails with all that was answered wrongly, each kind of mistake of a route once."""
    wrong: dict[tuple[str, str], str] = {}

    def send_all(mine: list[Ask]) -> None:
        own = stack.enter_context(closing(line()))
        for ask in mine:
            answer = own.send(ask)
            for complaint in complaints(ask, answer):
                said = f"{answer.status} {answer.headers.get('content-type')} {answer.body[:200]!r}"
                wrong.setdefault(
                    (str(ask.route), complaint),
                    f"{ask.about} {ask.path[:80]!r} {ask.body[:80]!r} was answered by {said}",
                )

    everything = list(asks)
    with ExitStack() as stack, ThreadPoolExecutor(CONNECTIONS) as threads:
        list(threads.map(send_all, (everything[start::CONNECTIONS] for start in range(CONNECTIONS))))
    listed = (f"{route}: {complaint}: {example}" for (route, complaint), example in sorted(wrong.items()))
    assert not wrong, "\n".join(listed)


@pytest.fixture
def line(shop: Shop, running: Running) -> Any:
    """Opens connections that hold the right credentials for every kind of route."""

    async def sign_in() -> str:
        database = Database(running.database_url, name="test")
        await database.open()
        try:
            token = await installation.issue_setup_token(database) or ""
            owner = {"name": "Ada", "email": "ada@example.com", "password": "correct horse battery staple"}
            if not token:
                return await members.sign_in(
                    database, email=owner["email"], password=owner["password"], address="127.0.0.1", replaces=None
                )
            return await members.setup(database, token=token, **owner)
        finally:
            await database.close()

    credentials = {
        "none": {},
        "caller": {"Authorization": f"Bearer {shop.made['api_key']}"},
        "wire": {"Authorization": f"Bearer {shop.made['write_key']}"},
        "member": {"Cookie": f"kizuna_session={asyncio.run(sign_in())}", "Sec-Fetch-Site": "same-origin"},
    }
    return lambda: Line(running.url, credentials)


LINKED = (
    '<a href="https://example.com/">x</a><a href="{{ message.preferences_url }}">p</a>'
    '<a href="{{ message.unsubscribe_url }}">u</a><a href="{{ message.view_url }}">v</a>'
)


@pytest.fixture
def walked(shop: Shop) -> list[Route]:
    """All routes, with the addresses of what a customer, a message and a provider of the shop have."""
    shop.identify("ada", email="ada@example.com")
    shop.template(body=LINKED)
    shop.profile("ada")  # whom a message can be for only once they are folded
    said = {"profile": "user:ada", "channel": "email", "template": "hello", "topic": "news"}
    message = shop.ask("POST", "/api/v1/messages", said, expect=202)["id"]
    [mail] = shop.outbox()
    settings = {"token": "t", "from": "news@shop.example", "endpoint": "http://127.0.0.1:9"}  # where nobody listens
    shop.ask("PUT", "/api/v1/providers/mail", {"kind": "postmark", "channel": "email", "settings": settings})
    reports = shop.ask("GET", "/api/v1/providers/mail")["reports_url"]
    known = {"/reports/{name:str}/{token:str}": reports.partition("/reports/")[2]}
    for letter, token in re.findall(r"/([upcvo])/([\w.-]+)", mail["body"] + str(mail["headers"])):
        known[f"/{letter}/{{token:str}}" if letter != "o" else "/o/{name:str}"] = token
    assert len(known) == 6, known
    for route in routes():
        if "{ref:str}" in route.template:
            known[route.template] = "user:ada"
        elif "{message:str}" in route.template:
            known[route.template] = message
    return [
        replace(route, known=re.sub(r"\{.*\}", lambda _, found=known[route.template]: found, route.template))
        if route.template in known
        else route
        for route in routes()
    ]


def test_a_hostile_body_is_refused_by_every_route(line: Any, running: Running, walked: list[Route]) -> None:
    with in_bounded_memory(running, MEGABYTES):
        asked = [ask for route in walked if route.method not in ("GET", "DELETE") for ask in bodies(route)]
        walk(asked, line)


def test_a_hostile_address_is_refused_by_every_route(line: Any, running: Running, walked: list[Route]) -> None:
    with in_bounded_memory(running, MEGABYTES):
        walk((ask for route in walked for ask in addresses(route)), line)


def test_hostile_keys_and_headers_are_refused_by_every_route(line: Any, running: Running, walked: list[Route]) -> None:
    with in_bounded_memory(running, MEGABYTES):
        walk((ask for route in walked for ask in headers(route)), line)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (Answer(500, {"content-type": "application/problem+json"}, b"{}", 0), "an answer of the 5xx kind"),
        (Answer(400, {"content-type": "application/problem+json"}, b'{"status":400}', 0), "not a problem document"),
        (Answer(200, {}, b"", 2 * SOON), "took 20.0 s"),
        (Answer(200, {}, b"", 0), "no content security policy"),
        (Answer(200, {}, b"", 0), "no cache-control: no-store"),
    ],
)
def test_the_walk_would_see_it(answer: Answer, complaint: str) -> None:
    route = next(each for each in routes() if each.template == "/api/v1/segments/{name:str}")
    assert complaint in list(complaints(Ask(route, "", ""), answer))


def test_the_walk_goes_to_every_route_of_the_app() -> None:
    walked = {each.template for each in routes()}
    assert not {path for route in ROUTES for path in getattr(route, "paths", ())} - walked
