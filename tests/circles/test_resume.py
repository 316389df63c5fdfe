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
