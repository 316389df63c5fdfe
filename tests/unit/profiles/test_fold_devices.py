"""Devices in the record: who has one, and how it goes to somebody else or away."""

from __future__ import annotations

from kizuna.core import exact_json, ids
from kizuna.engine.moment import Item
from kizuna.profiles.device import MOST_DEVICES, Device
from kizuna.profiles.fold import GONE
from kizuna.testing.world import World


def tokens(world: World, *, user: str = "", anon: str = "") -> list[str]:
    return [device.token for device in world.profile(user=user, anon=anon).devices]


def removed(world: World, *, user: str = "", anon: str = "") -> list[str]:
    facts = world.facts_of(user=user, anon=anon, name="device_removed")
    return [exact_json.decode(fact.properties)["reason"] for fact in facts]


def test_any_event_shows_a_device() -> None:
    world = World()
    world.say("track", user="ada", name="App Opened", device="t1")
    world.say("identify", user="ada", device="t2")
    world.say("track", user="ada", name="App Opened", device="t1")
    assert tokens(world, user="ada") == ["t1", "t2"]


def test_a_device_is_with_who_showed_it_last() -> None:
    world = World()
    for user in ("ada", "grace", "ada"):
        world.say("identify", user=user, device="t1")
        world.settle()
        other = {"ada": "grace", "grace": "ada"}[user]
        assert (tokens(world, user=user), tokens(world, user=other)) == (["t1"], [])
    assert removed(world, user="ada") == removed(world, user="grace") == ["moved"]


def test_a_device_of_a_visitor_comes_along_and_can_still_move() -> None:
    world = World()
    world.say("track", anon="a1", name="App Opened", device="t1")
    world.settle()
    world.say("identify", user="ada", anon="a1", device="t1")
    world.settle()
    assert tokens(world, user="ada") == ["t1"]
    world.say("identify", user="grace", device="t1")
    world.settle()
    assert (tokens(world, user="ada"), tokens(world, user="grace")) == ([], ["t1"])


def test_a_report_takes_a_dead_device_out() -> None:
    world = World()
    world.say("identify", user="ada", device="t1")
    world.say("identify", user="ada", device="t2")
    said = {"device": Device("ios", "t1").id, "reason": "unregistered: 410"}
    for name in ("r1", "r2"):  # said twice, true once
        report = Item(world.id(user="ada"), name, "report", GONE, world.now, exact_json.encode(said))
        world.fold(report)
    assert tokens(world, user="ada") == ["t2"]
    (fact,) = world.facts_of(user="ada", name="device_removed")
    assert exact_json.decode(fact.properties) == {
        "device": Device("ios", "t1").id, "type": "ios", "reason": "unregistered", "answer": "unregistered: 410",
    }  # fmt: skip
    assert fact.caused_by == "r1"


def test_many_devices_make_room() -> None:
    world = World()
    for number in range(MOST_DEVICES + 3):
        world.say("track", user="ada", name="App Opened", device=f"t{number}")
    assert tokens(world, user="ada") == [f"t{number}" for number in range(3, MOST_DEVICES + 3)]
    assert removed(world, user="ada") == ["too_many"] * 3


def test_the_record_of_a_device_is_nobody() -> None:
    world = World()
    world.say("identify", user="ada", device="t1")
    world.settle()
    record = world.record(ids.profile_id(1, "device", Device("ios", "t1").id))
    assert record["profiles"].merged_into == world.id(user="ada")
