"""Identity by external ids: they join as anonymous ids do, without anybody waiting in a ring."""

from __future__ import annotations

from random import Random

import pytest

from kizuna.core import exact_json, ids
from kizuna.core.clock import DAY
from kizuna.profiles.section import Profile
from kizuna.testing.world import World


def survivor(world: World, **who: str) -> bytes:
    """Where the profile lives on."""
    found = world.id(**who)
    for _ in range(100):
        into = world.record(found)["profiles"].merged_into
        if not into:
            return found
        found = into
    raise AssertionError("pointers go round")


def reasons(world: World, **who: str) -> list[tuple[str, str, str]]:
    said = [exact_json.decode(fact.properties) for fact in world.facts_of(name="identity_refused", **who)]
    return [(each["type"], each["id"], each["reason"]) for each in said]


@pytest.mark.parametrize("known_first", [True, False])
def test_a_known_customer_takes_over_the_anonymous_one_with_the_same_id(known_first: bool) -> None:
    world = World()
    said = [
        lambda: world.say("identify", user="ada", traits={"plan": "gold"}, external=["x1"]),
        lambda: world.say("identify", anon="a1", traits={"city": "Kyoto"}, external=["x1"]),
    ]
    for say in said if known_first else reversed(said):
        say()
        world.settle()
    ada = world.profile(user="ada")
    assert ada.traits == {"plan": "gold", "city": "Kyoto"}
    assert (ada.anonymous_ids, ada.external_ids) == (["a1"], [("crm", "x1")])
    assert survivor(world, anon="a1") == world.id(user="ada")
    (fact,) = world.facts_of(user="ada", name="profile_merged")
    merged = {"from": ids.show("prf", world.id(anon="a1")), "anonymous_id": "a1"}
    assert exact_json.decode(fact.properties) == merged


def test_what_a_known_customer_does_is_folded_on_the_united_history() -> None:
    world = World()
    world.say("identify", anon="a1", traits={"city": "Kyoto"}, external=["x1"])
    world.settle()
    world.say("track", user="ada", name="Viewed", external=["x1"])
    world.say("track", user="ada", name="Bought")
    assert world.heard == []  # it waits for what the id names
    world.settle()
    assert [moment.name for moment in world.heard] == ["Viewed", "Bought"]
    names = [fact.name for fact in world.facts_of(user="ada")]
    assert names[0] == "profile_merged"


def test_what_waits_for_one_id_after_another_keeps_its_order() -> None:
    world = World()
    world.say("track", user="ada", name="First", external=["x1", "x2"])
    world.say("track", user="ada", name="Second", external=["x3"])
    world.say("identify", user="ada", anon="a1", traits={"n": 1})
    world.say("identify", user="ada", anon="a2", traits={"n": 2})
    world.say("track", user="ada", name="Third")
    world.settle()
    assert [moment.name for moment in world.heard] == ["First", "Second", "Third"]
    assert world.profile(user="ada").traits == {"n": 2}
    assert world.profile(user="ada").anonymous_ids == ["a1", "a2"]


def test_two_anonymous_ones_are_one_and_a_known_one_takes_both() -> None:
    world = World()
    for anon in ("a1", "a2", "a3"):
        world.say("identify", anon=anon, traits={anon: True}, external=["x1"])
        world.settle()
    first = survivor(world, anon="a1")
    assert first == min(world.id(anon=anon) for anon in ("a1", "a2", "a3"))
    assert {survivor(world, anon="a2"), survivor(world, anon="a3")} == {first}
    assert world.record(first)["profiles"].traits == {"a1": True, "a2": True, "a3": True}
    world.say("identify", user="ada", anon="a3", traits={})
    world.settle()
    assert survivor(world, anon="a1") == world.id(user="ada")
    assert world.profile(user="ada").traits == {"a1": True, "a2": True, "a3": True}
    world.say("track", anon="a2", name="Viewed", external=["x2"])
    world.settle()
    assert ("crm", "x2") in world.profile(user="ada").external_ids


def test_two_customers_are_never_joined_and_the_second_does_not_go_by_the_id() -> None:
    world = World()
    for who in ("ada", "grace", "grace"):
        world.say("identify", user=who, traits={"name": who}, external=["x1"])
        world.settle()
    assert (world.profile(user="ada").traits, world.profile(user="grace").traits) == (
        {"name": "ada"},
        {"name": "grace"},
    )
    assert world.profile(user="ada").external_ids == [("crm", "x1")]
    assert world.profile(user="grace").external_ids == []
    assert reasons(world, user="grace") == [("crm", "x1", "other_customer")]
    world.say("identify", anon="a1", traits={"late": True}, external=["x1"])
    world.settle()
    assert survivor(world, anon="a1") == world.id(user="ada")


def test_an_id_whose_anonymous_holder_became_another_customer_is_refused() -> None:
    world = World()
    world.say("track", anon="a1", name="Viewed", external=["x1"])
    world.say("identify", user="ada", anon="a1", traits={})
    world.settle()
    world.say("identify", user="grace", traits={"name": "Grace"}, external=["x1"])
    world.settle()
    assert reasons(world, user="grace") == [("crm", "x1", "other_customer")]
    assert world.profile(user="grace").waiting_for == ""
    world.say("identify", anon="a9", traits={}, external=["x1"])
    world.settle()
    assert survivor(world, anon="a9") == world.id(user="ada")


def test_naming_an_id_does_not_keep_an_identify_of_the_same_moment_from_joining() -> None:
    world = World()
    world.say("track", anon="a1", name="Viewed", external=["x1", "x2"])
    world.say("identify", user="ada", anon="a1", traits={}, external=["x1", "x2"])
    world.settle()
    assert survivor(world, anon="a1") == world.id(user="ada")
    assert world.profile(user="ada").waiting_for == ""
    assert reasons(world, user="ada") == []


def test_placeholders_are_no_external_ids() -> None:
    world = World()
    world.say("identify", user="ada", traits={}, external=["null", "0000"])
    world.say("track", anon="null", name="Viewed", external=["x1"])
    assert world.relayed == []
    assert world.profile(user="ada").external_ids == []
    assert reasons(world, user="ada") == [("crm", "null", "blocked"), ("crm", "0000", "blocked")]
    assert reasons(world, anon="null") == [("crm", "x1", "blocked")]


def test_an_external_id_refused_for_the_limit_is_taken_a_month_later() -> None:
    world = World()
    for number in range(20):
        world.say("identify", user="ada", anon=f"a{number}", traits={}, at=DAY)
        world.settle()
    world.say("track", user="ada", name="Viewed", external=["x1", "x1"], at=2 * DAY)
    assert reasons(world, user="ada") == [("crm", "x1", "limit")]
    assert world.profile(user="ada").external_ids == []
    world.say("track", user="ada", name="Viewed", external=["x1", "x1"], at=31 * DAY)
    world.settle()
    assert world.profile(user="ada").external_ids == [("crm", "x1")]
    assert [moment.name for moment in world.heard] == ["Viewed", "Viewed"]


@pytest.mark.parametrize("holder", ["ada", ""])
def test_an_id_that_many_share_joins_no_more_than_the_limit(holder: str) -> None:
    world = World()
    if holder:
        world.say("identify", user=holder, traits={}, external=["household"])
    for number in range(40):
        world.say("identify", anon=f"a{number}", traits={}, external=["household"], at=DAY + number)
        world.settle()
    apart = {survivor(world, anon=f"a{number}") for number in range(40)}
    assert len(apart) == (21 if holder else 20)  # twenty are joined to the holder, the others stay who they are
    assert world.effects.counts["identity:refused"] == (20 if holder else 19)


@pytest.mark.parametrize("seed", range(100))
def test_two_customers_stay_two_whatever_their_visitors_say(seed: int) -> None:
    random, world, said = Random(seed), World(), 0
    for _ in range(60):
        anon, user = f"a{random.randrange(8)}", random.choice(["ada", "grace"])
        external = [f"x{n}" for n in random.sample(range(6), random.randrange(3))]
        match random.randrange(5):
            case 0:
                world.say("identify", user=user, anon=anon, traits={}, external=external)
            case 1:
                world.say("alias", user=user, name=anon)
            case 2:
                world.say("track", user=user, name="Viewed", external=external)
                said += 1
            case _:
                world.say("track", anon=anon, name="Viewed", external=external)
                said += 1
        for _ in range(random.randrange(6)):
            deliver_one(world)
    world.settle()
    assert {survivor(world, user=user) for user in ("ada", "grace")} == {world.id(user="ada"), world.id(user="grace")}
    assert all(survivor(world, anon=f"a{number}") for number in range(8))
    assert not set(world.profile(user="ada").anonymous_ids) & set(world.profile(user="grace").anonymous_ids)
    assert all(
        not record["profiles"].waiting_for and not record["profiles"].parked for record in world.records.values()
    )
    assert len(world.heard) == said


@pytest.mark.parametrize("seed", range(150))
def test_whatever_is_said_in_whatever_order_the_same_ones_are_one(seed: int) -> None:
    """Against union-find, with answers arriving late and among each other's questions."""
    random, world = Random(seed), World()
    one: dict[str, str] = {}
    said = 0

    def top(name: str) -> str:
        while one.get(name, name) != name:
            name = one[name]
        return name

    for _ in range(40):
        anon, external = f"a{random.randrange(6)}", [f"x{n}" for n in random.sample(range(5), random.randrange(3))]
        names = [anon, *external]
        match random.randrange(4):
            case 0:
                world.say("identify", user="ada", anon=anon, traits={}, external=external)
                names.append("ada")
            case 1:
                said += 1
                world.say("track", user="ada", name="Viewed", external=external)
                names[0] = "ada"
            case _:
                said += 1
                world.say("track", anon=anon, name="Viewed", external=external)
        for name in names[1:]:
            one[top(name)] = top(names[0])
        for _ in range(random.randrange(6)):
            deliver_one(world)
    world.settle()
    for left in range(6):
        for right in range(6):
            joined = survivor(world, anon=f"a{left}") == survivor(world, anon=f"a{right}")
            assert joined == (top(f"a{left}") == top(f"a{right}")), (left, right)
    assert all(
        not record["profiles"].waiting_for and not record["profiles"].parked for record in world.records.values()
    )
    assert len(world.heard) == said
    assert all(lives(world, record["profiles"]) for record in world.records.values())


def deliver_one(world: World) -> None:
    if world.delivered < len(world.effects.relays):
        item, _ = world.effects.relays[world.delivered]
        world.delivered += 1
        world.fold(item)


def lives(world: World, profile: Profile) -> bool:
    """Ada never becomes a pointer."""
    return profile.user_id != "ada" or not profile.merged_into
