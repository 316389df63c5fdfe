"""Identity over the whole product: external ids join what was said under different names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from kizuna.testing.shop import Shop, identify, track

BUYERS = {"did": "Order Completed", "count": {"gte": 3}}


def named(event: dict[str, Any], *external: str) -> dict[str, Any]:
    """The event, said with external ids as device libraries write them."""
    listed = [{"id": each, "type": "crm", "collection": "users", "encoding": "none"} for each in external]
    return {**event, "context": {**event.get("context", {}), "externalIds": listed}}


def test_what_was_said_under_one_external_id_is_one_customers(shop: Shop, data_folder: Path) -> None:
    shop.segment("buyers", BUYERS)
    shop.send(named(track("~a1", "Order Completed", total=1), "c-1"))
    shop.send(named(track("~a2", "Order Completed", total=2), "c-1"), identify("~a2", city="Kyoto"))
    shop.send(named(identify("ada", plan="gold"), "c-1"), track("ada", "Order Completed", total=3))
    ada = shop.profile("ada")
    assert ada["traits"] == {"plan": "gold", "city": "Kyoto"}
    names = {(each["type"], each["id"]) for each in ada["identities"]}
    assert names == {("user_id", "ada"), ("anonymous_id", "a1"), ("anonymous_id", "a2"), ("crm", "c-1")}
    assert shop.profile("~a1")["id"] == shop.profile("~a2")["id"] == ada["id"]
    assert shop.members("buyers") == {"ada"}
    assert shop.ask("POST", "/api/v1/segments/preview", {"where": BUYERS})["count"] == 1
    orders = [each["properties"]["total"] for each in shop.timeline("ada") if each["event"] == "Order Completed"]
    assert sorted(orders) == [1, 2, 3]
    assert len(shop.all("/api/v1/profiles")) == 1
    shop.send(track("~a2", "Order Completed", total=4), named(track("~a3", "Order Completed", total=5), "c-1"))
    assert len(shop.facts("ada", "profile_merged")) >= 2
    orders = [each["properties"]["total"] for each in shop.timeline("ada") if each["event"] == "Order Completed"]
    assert sorted(orders) == [1, 2, 3, 4, 5]
    command = [sys.executable, "-P", "-m", "kizuna", "doctor", "--data", str(data_folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stdout + done.stderr


def test_two_customers_with_one_external_id_stay_two_and_the_timeline_says_so(shop: Shop) -> None:
    shop.send(named(identify("ada", name="Ada"), "c-1"))
    assert shop.profile("ada")  # settled: the id is hers before grace names it
    shop.send(named(identify("grace", name="Grace"), "c-1", "null"))
    assert shop.profile("ada")["id"] != shop.profile("grace")["id"]
    said = {each["properties"]["id"]: each["properties"]["reason"] for each in shop.facts("grace", "identity_refused")}
    assert said == {"c-1": "other_customer", "null": "blocked"}
    assert {each["type"] for each in shop.profile("grace")["identities"]} == {"user_id"}
