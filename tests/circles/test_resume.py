"""What was parked or refused, taken up again over HTTP when the cause is gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kizuna.config import Config
from kizuna.testing.crew import Crew


@pytest.fixture
def crew(house: Any) -> Iterator[None]:
    with Crew(Config(database_url=house.database.url), sends=False):
        yield


def identify(house: Any, workspace: dict[str, str], user: str, **traits: Any) -> str:
    body = {"type": "identify", "userId": user, "traits": traits}
    headers = {"Authorization": f"Bearer {workspace['write_key']}"}
    answer = house.client.post("/v1/batch", json={"batch": [body]}, headers=headers)
    assert answer.status_code == 200
    return answer.headers["Kizuna-Position"]


def test_a_parked_profile_is_resumed_when_the_cause_is_gone(house: Any, crew: None) -> None:
    workspace = house.workspace()
    key, path = house.bearer(workspace), "/api/v1/profiles/user:ada"
    house.sql("ALTER TABLE profile ADD CONSTRAINT odd CHECK (NOT traits ? 'odd')")
    identify(house, workspace, "ada", odd=True)
    position = identify(house, workspace, "ada", plan="gold")
    assert house.client.get(f"{path}?after={position}", headers=key).status_code == 404  # all of it is parked
    answer = house.client.post(f"{path}/resume", headers=key)
    assert (answer.status_code, answer.json()["code"]) == (409, "still_parked")
    assert "odd" in answer.json()["detail"]

    house.sql("ALTER TABLE profile DROP CONSTRAINT odd")
    answer = house.client.post(f"{path}/resume", headers=key)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Kizuna-Position"]
    assert house.client.get(path, headers=key).json()["traits"] == {"odd": True, "plan": "gold"}
    assert house.client.post(f"{path}/resume", headers=key).json()["code"] == "not_parked"
    assert house.client.post("/api/v1/profiles/user:nobody/resume", headers=key).status_code == 404
    assert house.client.post(f"{path}/resume", headers=house.key(workspace, "agent")).status_code == 403


def refused(house: Any, key: dict[str, str]) -> list[dict[str, Any]]:
    return house.client.get("/api/v1/rejected", headers=key).json()["items"]


def test_events_that_were_too_large_are_taken_when_the_limit_was_raised(open_house: Any) -> None:
    small, large = open_house(max_event=2048), open_house(max_event=1 << 20)
    workspace = small.workspace()
    key, write = small.bearer(workspace), {"Authorization": f"Bearer {workspace['write_key']}"}
    long = {"userId": "ada", "event": "Long", "properties": {"text": "x" * 200_000}}
    other = {"userId": "ada", "event": "Odd", "type": "what"}
    assert small.client.post("/v1/track", json=long, headers=write).status_code == 200  # its type is in the path
    batch = {"batch": [{**long, "type": "track", "messageId": "m2"}, other]}
    assert small.client.post("/v1/batch", json=batch, headers=write).status_code == 200
    assert [row["code"] for row in refused(small, key)] == ["invalid_type", "too_large", "too_large"]
    assert all(len(row["body"]) <= 65_536 for row in refused(small, key))

    answer = small.client.post("/api/v1/rejected/replay", headers=key)
    assert (answer.json()["replayed"], answer.json()["refused"]) == (0, 3)

    answer = large.client.post("/api/v1/rejected/replay", json={"code": "too_large"}, headers=key)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["replayed"], answer.json()["refused"]) == (2, 0)
    assert [row["code"] for row in refused(large, key)] == ["invalid_type"]
    again = {**long, "type": "track", "messageId": "m2"}
    assert (
        small.client.post("/v1/batch", json={"batch": [again]}, headers=write).status_code == 200
    )  # the client's retry
    with Crew(Config(database_url=large.database.url), sends=False):
        path = f"/api/v1/profiles/user:ada?after={answer.headers['Kizuna-Position']}"
        assert large.client.get(path, headers=key).status_code == 200
    found = large.sql("SELECT sum(items)::int FROM log WHERE kind = 0")
    assert found == [(2,)]


def test_replaying_the_named_ones_page_by_page(house: Any) -> None:
    workspace = house.workspace()
    key, write = house.bearer(workspace), {"Authorization": f"Bearer {workspace['write_key']}"}
    bad = [{"userId": "ada", "event": f"E{n}", "type": "what"} for n in range(5)]
    house.client.post("/v1/batch", json={"batch": bad}, headers=write)
    rows = [row["id"] for row in refused(house, key)][::-1]
    house.sql("UPDATE rejected SET body = convert_to(replace(convert_from(body, 'UTF8'), 'what', 'track'), 'UTF8')")
    named = house.client.post("/api/v1/rejected/replay", json={"ids": [rows[4]]}, headers=key).json()
    assert (named["replayed"], named["next_cursor"]) == (1, rows[4])
    page = house.client.post("/api/v1/rejected/replay", json={"limit": 3}, headers=key).json()
    assert (page["replayed"], page["next_cursor"]) == (3, rows[2])
    page = house.client.post(
        "/api/v1/rejected/replay", json={"limit": 3, "cursor": page["next_cursor"]}, headers=key
    ).json()
    assert page["replayed"] == 1
    end = house.client.post("/api/v1/rejected/replay", headers=key).json()
    assert end == {"replayed": 0, "refused": 0, "next_cursor": None}
    wrong = house.client.post("/api/v1/rejected/replay", json={"ids": ["x"]}, headers=key)
    assert wrong.json()["code"] == "invalid_replay"
