from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from litestar import post
from litestar.testing import TestClient
from msgspec import Struct

from kizuna import server
from kizuna.config import Config
from kizuna.core.errors import Invalid, KizunaError, NotSettled, TooMany, Unavailable, Unprocessable
from kizuna.edge.problem import from_kizuna, status_of
from kizuna.runtime.database import Database


class Inner(Struct):
    number: int
    kind: Literal["small", "big"] = "small"


class Outer(Struct, forbid_unknown_fields=True):
    role: str
    inner: list[Inner] = []
    sort: str = ""


@post("/typed")
async def typed(data: Outer, limit: int = 0) -> None: ...


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    app = server.create(Config(), Database("postgresql://nobody@127.0.0.1:1/none"), routes=[typed])
    app.on_startup.clear()
    app.on_shutdown.clear()
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/role", "missing"),
        ({"role": 1}, "/role", "invalid"),
        ({"role": "a", "z": 1}, "/z", "unknown"),
        ({"role": "a", "inner": [{"number": "x"}]}, "/inner/0/number", "invalid"),
        ([1], "", "invalid"),
    ],
)
def test_a_wrong_field_is_pointed_at(client: Any, body: Any, pointer: str, code: str) -> None:
    answer = client.post("/typed", json=body)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code), answer.text


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"role": "a", "z": 1}, "Object contains unknown field `z`; known are inner, role, sort"),
        ({"role": "a", "inner": [{"number": 1, "kind": "x"}]}, "Invalid enum value 'x'; write one of big, small"),
    ],
)
def test_what_may_stand_there_is_said(client: Any, body: Any, message: str) -> None:
    [error] = client.post("/typed", json=body).json()["errors"]
    assert error["message"] == message


def test_a_body_that_is_not_there_is_asked_for(client: Any) -> None:
    assert client.post("/typed").json()["errors"] == [{"pointer": "", "code": "missing", "message": "send a JSON body"}]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid("x"), 400),
        (Invalid("x", code="template_limit"), 422),
        (Unprocessable("x"), 422),
        (NotSettled("x"), 504),
        (Unavailable("x"), 503),
        (KizunaError("x"), 400),
    ],
)
def test_an_error_has_the_status_its_kind_says(error: KizunaError, status: int) -> None:
    assert status_of(error) == status


@pytest.mark.parametrize(
    ("error", "wait"),
    [(TooMany("x", retry_after=0), "1"), (TooMany("x", retry_after=7200), "3600"), (Unavailable("x"), "1")],
)
def test_a_client_is_told_how_long_to_wait(error: KizunaError, wait: str) -> None:
    assert from_kizuna(None, error).headers["Retry-After"] == wait  # type: ignore[arg-type]
