"""What holds for every route: errors, limits, headers, sessions, repeated writes."""

from __future__ import annotations

from typing import Any

import pytest
from litestar import Response, get, post

from kizuna import app
from kizuna.accounts.caller import Caller
from kizuna.core.errors import Conflict, FieldError, Invalid, TooMany, Unprocessable

OURS = {"Origin": "http://testserver.local"}


class Written:
    """Counts what the example route did."""

    times = 0


@post("/api/v1/things/{name:str}")
async def write_thing(name: str, data: dict[str, Any], caller: Caller) -> Response[dict[str, Any]]:
    Written.times += 1
    if data.get("refuse"):
        raise Conflict("no", code="refused")
    return Response({"name": name, "number": Written.times, "said": data}, headers={"Kizuna-Position": "7"})


@get("/api/v1/things/{name:str}/parts")
async def read_thing(name: str, caller: Caller) -> dict[str, str]:
    return {"name": name}


@get("/fails/{how:str}")
async def fail(how: str) -> None:
    raise {
        "invalid": Invalid("bad", errors=[FieldError("/a", "missing", "give a")]),
        "unprocessable": Unprocessable("no such segment", code="unknown_segment"),
        "template": Invalid("unreadable", code="template_error"),
        "many": TooMany("slow down", retry_after=9),
        "deep": RecursionError(),
        "bug": ZeroDivisionError("secret detail"),
    }[how]


EXAMPLES = [write_thing, read_thing, fail]


@pytest.fixture
def house(open_house: Any) -> Any:
    Written.times = 0
    return open_house(routes=[*app.ROUTES, *EXAMPLES])


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == code
    assert {"type", "title", "status", "detail"} <= body.keys()
    return body


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("invalid", 400, "invalid"),
        ("unprocessable", 422, "unknown_segment"),
        ("template", 422, "template_error"),
        ("many", 429, "too_many"),
        ("deep", 400, "too_deep"),
        ("bug", 500, "internal_error"),
    ],
)
def test_every_error_is_a_problem_document(house: Any, how: str, status: int, code: str) -> None:
    answer = house.client.get(f"/fails/{how}")
    body = problem(answer, status, code)
    assert "secret detail" not in answer.text
    if how == "invalid":
        assert body["errors"] == [{"pointer": "/a", "code": "missing", "message": "give a"}]
    if how == "many":
        assert answer.headers["retry-after"] == "9"


def test_what_the_framework_refuses_is_a_problem_document(house: Any) -> None:
    key = house.bearer(house.workspace())
    problem(house.client.get("/api/v1/nothing"), 404, "not_found")
    wrong_method = house.client.put("/api/v1/workspace", json={})
    problem(wrong_method, 405, "method_not_allowed")
    assert "GET" in wrong_method.headers["allow"]
    problem(house.client.get("/api/v1/workspace"), 401, "not_signed_in")
    problem(house.client.get("/api/v1/workspace", headers={"Authorization": "Bearer key_x"}), 401, "invalid_key")
    problem(house.client.get("/api/v1/workspace", headers={"Authorization": "Basic eDo="}), 401, "invalid_key")
    problem(house.client.get("/api/v1/keys?limit=0", headers=key), 400, "invalid")
    problem(house.client.get("/api/v1/keys?cursor=%00", headers=key), 400, "invalid_text")
    problem(house.client.get("/api/v1/workspace?after=x", headers=key), 400, "invalid_position")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"a": ', "invalid_json"),
        (b'{"a": NaN}', "invalid_json"),
        (b'{"a": "\\ud800"}', "invalid_json"),
        (b'{"a": "\xff"}', "invalid_json"),
        (b'{"a": "\\u0000"}', "invalid_text"),
        (b'{"a": 1e999}', "invalid_number"),
        (b'{"a":' + b"[" * 40 + b"]" * 40 + b"}", "too_deep"),
        (b"[" * 100_000, "invalid_json"),
        (b"[1]", "invalid"),
        (b"", "invalid"),
    ],
)
def test_a_body_that_could_do_harm_is_refused(house: Any, body: bytes, code: str) -> None:
    answer = house.client.post("/api/v1/things/a", content=body, headers=house.bearer(house.workspace()))
    problem(answer, 400, code)
    assert Written.times == 0


def test_a_body_over_the_limit_is_refused(house: Any) -> None:
    answer = house.client.post("/api/v1/things/a", content=b" " * 5_000_000, headers=house.bearer(house.workspace()))
    problem(answer, 413, "too_large")


def test_an_encoded_slash_stays_in_its_segment(house: Any) -> None:
    key = house.bearer(house.workspace())
    for sent, meant in [
        ("user:a%2Fb", "user:a/b"),
        ("a%2f%2Fb", "a//b"),
        ("%E7%B5%86%2F", "絆/"),
    ]:
        assert house.client.get(f"/api/v1/things/{sent}/parts", headers=key).json() == {"name": meant}
    assert house.client.get("/api/v1/things/a/parts", headers=key).json() == {"name": "a"}


def test_security_headers_are_on_every_answer(house: Any) -> None:
    for path in ("/", "/health/live", "/api/v1/nothing", "/fails/bug"):
        headers = house.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
    assert house.client.get("/api/v1/nothing").headers["cache-control"] == "no-store"


def test_health_metrics_and_openapi_answer(house: Any) -> None:
    workspace = house.workspace()
    assert house.client.get("/health/live").json() == {"status": "ok"}
    assert house.client.get("/health/ready").json() == {"status": "ok"}
    assert house.client.head("/health/live").status_code == 200
    metrics = house.client.get("/metrics").text
    assert f'kizuna_log_lag_rows{{workspace="{workspace["id"]}"}} 0.0' in metrics
    assert "process_resident_memory_bytes" in metrics
    schema = house.client.get("/api/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    assert "/api/v1/keys" in schema["paths"]


# repeated writes ----------------------------------------------------------------------------------------------------


def test_a_write_repeated_under_its_key_is_done_once(house: Any) -> None:
    headers = house.bearer(house.workspace()) | {"Idempotency-Key": "k1"}
    first = house.client.post("/api/v1/things/a", json={"x": 1}, headers=headers)
    second = house.client.post("/api/v1/things/a", json={"x": 1}, headers=headers)
    assert first.status_code == second.status_code == 201
    assert second.json() == first.json()
    assert second.headers["kizuna-position"] == "7"
    assert second.headers["idempotency-replayed"] == "true"
    assert Written.times == 1
    problem(house.client.post("/api/v1/things/a", json={"x": 2}, headers=headers), 409, "idempotency_conflict")
    problem(house.client.post("/api/v1/things/b", json={"x": 1}, headers=headers), 409, "idempotency_conflict")
    other = house.bearer(house.workspace("other")) | {"Idempotency-Key": "k1"}
    assert house.client.post("/api/v1/things/a", json={"x": 2}, headers=other).json()["number"] == 2


def test_a_refused_write_may_be_repeated(house: Any) -> None:
    headers = house.bearer(house.workspace()) | {"Idempotency-Key": "k1"}
    problem(house.client.post("/api/v1/things/a", json={"refuse": True}, headers=headers), 409, "refused")
    assert house.client.post("/api/v1/things/a", json={"x": 1}, headers=headers).status_code == 201


def test_a_repeated_write_needs_the_right_too(house: Any) -> None:
    workspace = house.workspace()
    analyst = house.key(workspace, "analyst")
    house.client.post("/api/v1/things/a", json={}, headers=house.bearer(workspace) | {"Idempotency-Key": "k1"})
    problem(
        house.client.post("/api/v1/things/a", json={}, headers=analyst | {"Idempotency-Key": "k1"}), 403, "not_allowed"
    )


def test_a_key_is_kept_nowhere_readable(house: Any) -> None:
    headers = house.bearer(house.workspace()) | {"Idempotency-Key": "k1"}
    made = house.client.post("/api/v1/keys", json={"role": "agent"}, headers=headers).json()
    again = house.client.post("/api/v1/keys", json={"role": "agent"}, headers=headers).json()
    assert again == made | {"key": None}
    [(everything,)] = house.sql("SELECT string_agg(encode(body, 'escape'), '') FROM idempotency")
    assert made["key"] not in everything


# keys and roles -----------------------------------------------------------------------------------------------------


def test_keys_are_made_listed_and_taken_back(house: Any) -> None:
    owner = house.bearer(house.workspace())
    made = house.client.post("/api/v1/keys", json={"role": "analyst"}, headers=owner).json()
    assert set(made) == {"id", "key", "role"}
    analyst = {"Authorization": f"Bearer {made['key']}"}
    assert house.client.get("/api/v1/workspace", headers=analyst).status_code == 200
    listed = house.client.get("/api/v1/keys", headers=owner).json()
    assert {key["role"] for key in listed["items"]} == {"owner", "ingest", "analyst"}
    assert all(set(key) == {"id", "role", "created_at"} for key in listed["items"])
    assert house.client.delete(f"/api/v1/keys/{made['id']}", headers=owner).status_code == 204
    problem(house.client.get("/api/v1/workspace", headers=analyst), 401, "invalid_key")
    problem(house.client.delete(f"/api/v1/keys/{made['id']}", headers=owner), 404, "not_found")
    problem(house.client.post("/api/v1/keys", json={"role": "king"}, headers=owner), 400, "invalid_role")


def test_a_role_may_do_what_it_is_for(house: Any) -> None:
    workspace = house.workspace()
    may = {"analyst": (200, 403, 403), "agent": (200, 403, 403), "editor": (200, 201, 403), "ingest": (403, 403, 403)}
    for role, expected in may.items():
        key = house.key(workspace, role)
        got = (
            house.client.get("/api/v1/workspace", headers=key).status_code,
            house.client.post("/api/v1/things/a", json={}, headers=key).status_code,
            house.client.get("/api/v1/keys", headers=key).status_code,
        )
        assert got == expected, role


# sessions -----------------------------------------------------------------------------------------------------------


def test_the_set_up_link_works_once(house: Any) -> None:
    assert house.client.get("/api/console/state").json() == {"needs_setup": True, "signed_in": False}
    stale, token = house.setup_token(), house.setup_token()
    owner = {"token": stale, "name": "Ada", "email": "Ada@Example.com", "password": house.password}
    problem(house.client.post("/api/console/setup", json=owner), 403, "invalid_token")
    short = house.client.post("/api/console/setup", json=owner | {"token": token, "password": "short"})
    assert problem(short, 400, "password_too_short")["errors"][0]["pointer"] == "/password"
    made = house.client.post("/api/console/setup", json=owner | {"token": token})
    assert made.status_code == 200
    cookie = made.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and cookie.startswith("kizuna_session=")
    problem(house.client.post("/api/console/setup", json=owner | {"token": token}), 409, "already_set_up")
    assert house.client.get("/api/console/state").json() == {"needs_setup": False, "signed_in": True}
    assert house.setup_token() is None
    assert house.client.get("/api/console/me").json()["email"] == "ada@example.com"


def test_a_member_sees_every_workspace_and_names_one(house: Any) -> None:
    shop, cafe = house.workspace("shop"), house.workspace("喫茶 絆", zone="Asia/Tokyo", currency="JPY")
    house.own()
    me = house.client.get("/api/console/me").json()
    assert [(found["name"], found["zone"]) for found in me["workspaces"]] == [
        ("shop", "UTC"),
        ("喫茶 絆", "Asia/Tokyo"),
    ]
    for named in (cafe["id"], "%E5%96%AB%E8%8C%B6%20%E7%B5%86"):
        answer = house.client.get("/api/v1/workspace", headers={"Kizuna-Workspace": named})
        assert answer.json()["name"] == "喫茶 絆"
    assert house.client.get(f"/api/v1/workspace?workspace={shop['id']}").json()["name"] == "shop"
    problem(house.client.get("/api/v1/workspace"), 400, "workspace_required")
    problem(house.client.get("/api/v1/workspace", headers={"Kizuna-Workspace": "wsp_99"}), 404, "not_found")


def test_an_owner_makes_workspaces_a_key_does_not(house: Any) -> None:
    body = {"name": "new", "clock": "test", "start": "2026-01-01T00:00:00Z", "currency": "EUR"}
    problem(
        house.client.post("/api/v1/workspaces", json=body, headers=house.bearer(house.workspace())), 403, "needs_member"
    )
    house.own()
    made = house.client.post("/api/v1/workspaces", json=body, headers=OURS)
    assert made.status_code == 201 and set(made.json()) == {"id", "name", "write_key", "api_key"}
    assert (
        house.client.get("/api/v1/workspace", headers=house.bearer(made.json())).json()["now"] == "2026-01-01T00:00:00Z"
    )
    problem(house.client.post("/api/v1/workspaces", json=body, headers=OURS), 409, "name_taken")
    wrong = house.client.post("/api/v1/workspaces", json={"name": "x", "zone": "Mars", "currency": "yen"}, headers=OURS)
    assert {error["pointer"] for error in problem(wrong, 400, "invalid")["errors"]} == {"/zone", "/currency"}


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, OURS | {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_page_of_another_origin_changes_nothing(house: Any, headers: dict[str, str]) -> None:
    house.own()
    workspace = house.workspace()
    named = {"Kizuna-Workspace": workspace["id"]}
    problem(house.client.post("/api/v1/things/a", json={}, headers=named | headers), 403, "cross_origin")
    assert Written.times == 0
    assert house.client.post("/api/v1/things/a", json={}, headers=named | OURS).status_code == 201
    if headers:
        body = {"email": "ada@example.com", "password": house.password}
        problem(house.client.post("/api/console/sign-in", json=body, headers=headers), 403, "cross_origin")


def test_signing_in_gives_a_new_session_and_ends_the_old(house: Any) -> None:
    house.own()
    before = house.client.cookies["kizuna_session"]
    body = {"email": " ADA@example.com", "password": house.password}
    assert house.client.post("/api/console/sign-in", json=body).status_code == 200
    after = house.client.cookies["kizuna_session"]
    assert before != after
    house.client.cookies = {"kizuna_session": before}
    problem(house.client.get("/api/console/me"), 401, "session_ended")
    house.client.cookies = {"kizuna_session": after}
    assert house.client.get("/api/console/me").status_code == 200
    assert house.client.post("/api/console/sign-out").status_code == 200
    house.client.cookies = {"kizuna_session": after}
    problem(house.client.get("/api/console/me"), 401, "session_ended")


@pytest.mark.parametrize("column, age", [("used_at", "12.1 hours"), ("created_at", "7.1 days")])
def test_a_session_ends_when_idle_or_old(house: Any, column: str, age: str) -> None:
    house.own()
    house.sql(f"UPDATE session SET {column} = {column} - extract(epoch FROM interval '{age}')::bigint * 1000000")
    problem(house.client.get("/api/console/me"), 401, "session_ended")


def test_behind_https_the_cookie_is_bound_to_the_host(open_house: Any) -> None:
    house = open_house(public_url="https://kizuna.example")
    owner = {"token": house.setup_token(), "name": "Ada", "email": "ada@example.com", "password": house.password}
    answer = house.client.post("/api/console/setup", json=owner, headers={"Origin": "https://kizuna.example"})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-kizuna_session=") and "; Secure" in cookie and "; Path=/" in cookie
    assert "strict-transport-security" in answer.headers


def test_attempts_to_sign_in_are_limited_for_a_while(house: Any) -> None:
    house.own()
    wrong, right = ({"email": "ada@example.com", "password": text} for text in ("wrong", house.password))
    unknown = house.client.post("/api/console/sign-in", json={"email": "eve@example.com", "password": "wrong"})
    problem(unknown, 401, "wrong_password")
    assert house.client.post("/api/console/sign-in", json=right).status_code == 200
    for _ in range(19):
        problem(house.client.post("/api/console/sign-in", json=wrong), 401, "wrong_password")
    refused = house.client.post("/api/console/sign-in", json=right)
    problem(refused, 429, "too_many_attempts")
    assert 3000 < int(refused.headers["retry-after"]) <= 3600
    house.sql("UPDATE sign_in_attempt SET at = at - 3600000000 WHERE subject LIKE 'address:%%'")
    assert house.client.post("/api/console/sign-in", json=right).status_code == 200  # 19 on the account are within it


def test_the_console_answers_its_own_addresses_only(house: Any) -> None:
    page = {"Accept": "text/html,*/*"}
    for path in ("/", "/profiles/prf_1", "/setup?token=x"):
        answer = house.client.get(path, headers=page)
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
    problem(house.client.get("/api/v1/nothing", headers=page), 404, "not_found")
    problem(house.client.get("/assets/none.js", headers={"Accept": "*/*"}), 404, "not_found")
