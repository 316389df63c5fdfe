"""Identity: anonymous to known through the log, with parking, forwarding and future items."""

from __future__ import annotations

from kizuna.core import exact_json
from kizuna.core.clock import DAY, HOUR
from kizuna.engine.moment import RULING
from kizuna.testing.world import World

PLACEHOLDERS = ("null", "undefined", "0", "00000000-0000-0000-0000-000000000000", "anonymous", "unknown")


def test_identify_takes_over_the_anonymous_history_before_it_is_folded() -> None:
    world = World()
    world.say("track", anon="a1", name="Page Viewed", traits={})
    world.say("identify", anon="a1", traits={"plan": "free", "city": "Kyoto"}, at=10)
    world.say("identify", user="ada", anon="a1", traits={"plan": "gold"}, at=20)
    world.settle()
    ada = world.profile(user="ada")
    assert ada.traits == {"plan": "gold", "city": "Kyoto"}
    assert ada.anonymous_ids == ["a1"]
    assert world.profile(anon="a1").merged_into == world.id(user="ada")


def test_events_between_identify_and_the_answer_wait_in_order() -> None:
    world = World()
    world.say("identify", user="ada", anon="a1", traits={"n": 1}, at=10)
    world.say("identify", user="ada", traits={"n": 2}, at=20)
    assert world.profile(user="ada").traits == {}
    world.settle()
    assert world.profile(user="ada").traits == {"n": 2}
    names = [fact.name for fact in world.facts_of(user="ada")]
    assert names[0] == "profile_merged"


def test_later_anonymous_events_are_forwarded() -> None:
    world = World()
    world.say("identify", user="ada", anon="a1", traits={}, at=10)
    world.settle()
    world.say("identify", anon="a1", traits={"late": True}, at=30)
    world.settle()
    assert world.profile(user="ada").traits == {"late": True}


def test_an_anonymous_id_of_another_customer_is_refused_and_not_asked_again() -> None:
    world = World()
    world.say("identify", user="ada", anon="shared", traits={"name": "Ada"}, at=10)
    world.settle()
    world.say("identify", user="grace", anon="shared", traits={"name": "Grace"}, at=20)
    world.settle()
    assert world.profile(user="grace").traits == {"name": "Grace"}
    assert world.profile(user="grace").anonymous_ids == []
    assert world.profile(anon="shared").merged_into == world.id(user="ada")
    before = len(world.relayed)
    world.say("identify", user="grace", anon="shared", traits={}, at=30)
    world.settle()
    assert len(world.relayed) == before


def test_on_equal_times_the_known_profiles_trait_wins() -> None:
    world = World()
    world.say("identify", anon="a1", traits={"plan": "anonymous"}, at=10)
    world.say("identify", user="ada", traits={"plan": "known"}, at=10)
    world.say("alias", user="ada", name="a1", at=20)
    world.settle()
    assert world.profile(user="ada").traits == {"plan": "known"}


def test_a_trait_said_late_does_not_overwrite_a_newer_one() -> None:
    world = World()
    world.say("identify", user="ada", traits={"plan": "new"}, timestamp=5 * HOUR, at=6 * HOUR)
    world.say("identify", user="ada", traits={"plan": "old", "city": None}, timestamp=4 * HOUR, at=7 * HOUR)
    assert world.profile(user="ada").traits == {"plan": "new"}


def test_placeholders_join_nobody() -> None:
    world = World()
    for anonymous in PLACEHOLDERS:
        world.say("identify", user="ada", anon=anonymous, traits={}, at=10)
    assert world.relayed == []
    refused = [exact_json.decode(fact.properties) for fact in world.facts_of(user="ada", name="identity_refused")]
    assert [(each["id"], each["reason"]) for each in refused] == [(value, "blocked") for value in PLACEHOLDERS]
    world.say("identify", user="ada", anon="null", traits={}, at=20)
    assert len(world.facts_of(user="ada", name="identity_refused")) == len(PLACEHOLDERS)
    assert world.effects.counts["identity:refused"] == len(PLACEHOLDERS) + 1


def test_a_placeholder_as_user_id_takes_nobody_over() -> None:
    world = World()
    world.say("identify", user="undefined", anon="a1", traits={}, at=10)
    assert world.relayed == []
    assert len(world.facts_of(user="undefined", name="identity_refused")) == 1


def test_twenty_anonymous_ids_a_month_join_and_a_month_later_twenty_more() -> None:
    world = World()
    for number in range(25):
        world.say("identify", user="ada", anon=f"a{number}", traits={}, at=DAY + number)
        world.settle()
    assert len(world.profile(user="ada").anonymous_ids) == 20
    reasons = [exact_json.decode(f.properties)["reason"] for f in world.facts_of(user="ada", name="identity_refused")]
    assert reasons == ["limit"] * 5
    world.say("identify", user="ada", anon="a24", traits={}, at=31 * DAY - 1)
    assert world.profile(user="ada").waiting_for == ""
    world.say("identify", user="ada", anon="a24", traits={}, at=31 * DAY)
    world.settle()
    assert "a24" in world.profile(user="ada").anonymous_ids


def test_a_hundred_joins_are_all_of_one_profile() -> None:
    world = World()
    for number in range(105):
        world.say("identify", user="ada", anon=f"a{number}", traits={}, at=(number + 1) * 2 * DAY)
        world.settle()
    assert len(world.profile(user="ada").anonymous_ids) == 100
    assert len(world.facts_of(user="ada", name="identity_refused")) == 5


def test_an_id_of_another_customer_is_recorded_as_refused() -> None:
    world = World()
    for who in ("ada", "grace"):
        world.say("identify", user=who, anon="shared", traits={}, at=10)
        world.settle()
    (fact,) = world.facts_of(user="grace", name="identity_refused")
    said = {"type": "anonymous_id", "id": "shared", "reason": "other_customer"}
    assert exact_json.decode(fact.properties) == said


def test_an_event_of_the_future_happens_at_its_time() -> None:
    world = World()
    world.say("track", user="ada", name="Order Completed", timestamp=2 * DAY, at=DAY)
    assert [m.name for m in world.heard] == []
    world.tick(2 * DAY - 1)
    assert [m.name for m in world.heard] == []
    world.tick(2 * DAY)
    assert [(m.name, m.timestamp) for m in world.heard] == [("Order Completed", 2 * DAY)]


def test_an_identify_of_the_future_is_taken_as_of_now() -> None:
    world = World()
    world.say("identify", user="ada", traits={"plan": "gold"}, timestamp=9 * DAY, at=DAY)
    assert world.profile(user="ada").trait_times == {"plan": DAY}


def test_what_is_forwarded_counts_as_seen_and_keeps_its_place_among_equal_times() -> None:
    world = World()
    world.say("identify", user="ada", anon="a1", traits={}, at=10)
    world.settle()
    world.say("track", anon="a1", name="First", timestamp=25, at=30)
    world.say("track", user="ada", name="Second", timestamp=25, at=31)
    world.settle()
    ada = world.record(world.id(user="ada"))
    assert ada.seen_at == 25
    first, second = sorted(world.heard, key=lambda moment: moment.arrival)
    assert (first.name, second.name) == ("First", "Second")


def test_what_is_kept_back_remembers_the_program_it_was_said_under() -> None:
    world = World()
    world.record(world.id(user="ada")).program = 3
    world.say("identify", user="ada", anon="a1", traits={}, at=10)
    world.say("track", user="ada", name="Viewed", at=11)
    world.record(world.id(user="ada")).program = 4
    world.settle()
    assert [moment.program for moment in world.heard] == [3]
    world.say("track", user="ada", name="Viewed", at=12)
    assert [moment.program for moment in world.heard] == [3, RULING]
