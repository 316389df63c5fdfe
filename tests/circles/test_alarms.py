"""Alarms over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kizuna.alarms import store
from kizuna.alarms.alarm import Place
from kizuna.alarms.watch import watch
from kizuna.runtime.database import connect


def turn(house: Any, tmp_path: Path) -> int:
    from kizuna.config import Config

    with connect(house.database.url, autocommit=True) as connection:
        return watch(connection, Config(data=tmp_path, lake_url=str(tmp_path / "lake")))


def test_an_alarm_is_listed_and_resolved_by_hand(house: Any, tmp_path: Path) -> None:
    key = house.bearer(house.workspace())
    assert house.client.get("/api/v1/alarms", headers=key).json() == {"items": [], "next_cursor": None}
    house.sql("INSERT INTO veto VALUES (1, '\\x01', 'v', 'email', '', 1)")
    turn(house, tmp_path)
    [alarm] = house.client.get("/api/v1/alarms", headers=key).json()["items"]
    assert (alarm["rule"], alarm["state"], alarm["scope"]) == ("vetoes_unfolded", "raised", "workspace")
    answer = house.client.post(f"/api/v1/alarms/{alarm['id']}/resolve", headers=key)
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["resolved_by"]) == ("resolved", "key")
    assert house.client.get("/api/v1/alarms?state=raised", headers=key).json()["items"] == []

    assert turn(house, tmp_path) == 0  # seen to by hand: silent until the rule held once
    house.sql("DELETE FROM veto")
    turn(house, tmp_path)
    house.sql("INSERT INTO veto VALUES (1, '\\x01', 'v', 'email', '', 1)")
    assert turn(house, tmp_path) == 1


def test_an_alarm_of_the_installation_is_seen_and_not_resolved_by_hand(house: Any) -> None:
    key = house.bearer(house.workspace())
    with connect(house.database.url, autocommit=True) as connection, connection.cursor() as cursor:
        store.raise_alarms(cursor, {Place(0, "disk_full", "/data"): "full"})
    [alarm] = house.client.get("/api/v1/alarms", headers=key).json()["items"]
    assert alarm["scope"] == "installation"
    assert house.client.post(f"/api/v1/alarms/{alarm['id']}/resolve", headers=key).status_code == 409


def test_another_workspaces_alarm_is_not_there(house: Any) -> None:
    a, b = house.workspace("a"), house.workspace("b")
    number = int(a["id"].removeprefix("wsp_"))
    with connect(house.database.url, autocommit=True) as connection, connection.cursor() as cursor:
        store.raise_alarms(cursor, {Place(number, "campaign_paused", "spring"): "too many complaints"})
    assert house.client.get("/api/v1/alarms", headers=house.bearer(b)).json()["items"] == []
    [alarm] = house.client.get("/api/v1/alarms", headers=house.bearer(a)).json()["items"]
    path = f"/api/v1/alarms/{alarm['id']}/resolve"
    assert house.client.post(path, headers=house.bearer(b)).status_code == 404
    assert house.client.post(path, headers=house.key(a, "analyst")).status_code == 403
    assert house.client.post(path, headers=house.key(a, "editor")).status_code == 200


def test_pages_follow_each_other(house: Any) -> None:
    key = house.bearer(house.workspace())
    with connect(house.database.url, autocommit=True) as connection, connection.cursor() as cursor:
        store.raise_alarms(cursor, {Place(1, "guard", f"s{n}"): "m" for n in range(5)})
    seen: list[str] = []
    path = "/api/v1/alarms?limit=2"
    while True:
        page = house.client.get(path, headers=key).json()
        seen += [item["subject"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        path = f"/api/v1/alarms?limit=2&cursor={page['next_cursor']}"
    assert seen == [f"s{n}" for n in reversed(range(5))]
