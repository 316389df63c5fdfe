"""A tracking request taken without the router is answered as the router would have it answered."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest

GOOD = {"type": "track", "userId": "ada", "event": "Seen", "messageId": "m1"}
NOT_COMPARED = {"kizuna-position", "date"}


def both(house: Any, path: str, body: bytes, headers: dict[str, str]) -> tuple[httpx.Response, httpx.Response]:
    """The answer on the short way, and the router's: a query is left to it."""
    short, long = (house.client.post(address, content=body, headers=headers) for address in (path, f"{path}?way=long"))
    return short, long


@pytest.mark.parametrize("path", ["/v1/batch", "/import", "/v1/track", "/t"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://shop.example"},
        {"Authorization": "Bearer nobody"},
        {"Authorization": "Basic ???"},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "br"},
    ],
)
def test_both_ways_answer_the_same(house: Any, path: str, headers: dict[str, str]) -> None:
    key = {"writeKey": house.workspace()["write_key"]}
    whole = json.dumps({"batch": [GOOD, {"type": "dance"}], **key}).encode()
    bodies = [whole, json.dumps(GOOD | key).encode(), gzip.compress(whole), b"", b"{", b"[]", b'{"batch":[]}']
    for body in bodies:
        short, long = both(house, path, body, headers)
        assert (short.status_code, short.content) == (long.status_code, long.content)
        assert shown(short) == shown(long)
        assert ("kizuna-position" in short.headers) == ("kizuna-position" in long.headers)


def test_an_error_of_ours_is_the_same_problem_document(house: Any) -> None:
    body = json.dumps({"batch": [GOOD], "writeKey": house.workspace()["write_key"]}).encode()
    house.sql("ALTER TABLE api_key RENAME TO away")
    short, long = both(house, "/v1/batch", body, {})
    assert (short.status_code, short.json()["code"]) == (500, "internal_error")
    assert (short.status_code, short.content, shown(short)) == (long.status_code, long.content, shown(long))


def shown(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in NOT_COMPARED}
