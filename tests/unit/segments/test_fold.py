"""Membership follows events and time: at the very instant, whatever the order in which things are heard."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kizuna.core import clock, exact_json
from kizuna.engine.moment import Moment
from kizuna.segments.history import Past, fill_item, fill_states
from kizuna.segments.section import Segments

HOUR, DAY = clock.HOUR, clock.DAY


def test_a_member_leaves_at_the_very_instant_the_window_passes(world: Any) -> None:
    shop = world({"recent": {"did": "Visit", "within": "7d"}})
    shop.track("Visit")
    came = shop.now
    shop.until(came + 7 * DAY - 1)
    assert shop.members() == {"recent"}
    shop.until(came + 7 * DAY)
    assert shop.members() == set()
    assert shop.facts() == [("segment_entered", "recent", came), ("segment_left", "recent", came + 7 * DAY)]
    assert shop.rows() == {}
    assert shop.effects.counts["segment:recent"] == 0


def test_timers_fire_at_their_own_instants_when_time_leaps(world: Any) -> None:
    shop = world({"quiet": {"all": [{"did": "Visit"}, {"did_not": "Visit", "within": "3d"}]}})
    shop.track("Visit")
    came = shop.now
    shop.until(came + 300 * DAY)
    assert shop.facts() == [("segment_entered", "quiet", came + 3 * DAY)]


def test_a_new_event_restarts_inaction(world: Any) -> None:
    shop = world({"quiet": {"all": [{"did": "Visit"}, {"did_not": "Visit", "within": "3d"}]}})
    shop.track("Visit")
    shop.until(shop.now + 2 * DAY)
    shop.track("Visit")
    again = shop.now
    shop.until(again + 3 * DAY - 1)
    assert shop.members() == set()
    shop.until(again + 3 * DAY)
    assert shop.members() == {"quiet"}


def test_a_late_event_counts_from_its_own_time(world: Any) -> None:
    shop = world({"recent": {"did": "Visit", "within": "7d"}})
    late = shop.now - 7 * DAY + 1
    shop.track("Visit", at=late)
    assert shop.members() == {"recent"}
    shop.until(late + 7 * DAY)
    assert shop.members() == set()
    shop.track("Visit", at=shop.now - 7 * DAY)
    assert shop.members() == set()


def test_a_future_event_counts_when_the_clock_reaches_it(world: Any) -> None:
    shop = world({"came": {"did": "Visit"}})
    due = shop.now + DAY
    shop.track("Visit", at=due)
    assert shop.members() == set()
    shop.until(due)
    assert shop.facts() == [("segment_entered", "came", due)]


def test_counts_fall_one_by_one(world: Any) -> None:
    shop = world({"twice": {"did": "Visit", "count": {"is": 2}, "within": "10d"}})
    first = shop.now
    for day in range(3):
        shop.until(first + day * DAY)
        shop.track("Visit")
    assert shop.members() == set()
    shop.until(first + 10 * DAY)
    assert shop.members() == {"twice"}
    shop.until(first + 11 * DAY)
    assert shop.members() == set()


def test_sums_are_exact_decimals(world: Any) -> None:
    total = {"event": "Order", "property": "total"}
    shop = world({"exact": {"sum": total, "is": 0.3}, "text": {"sum": total, "gte": "0.3"}})
    for amount in ("0.1", 0.1, 0.1, None, "much", True):
        shop.track("Order", total=amount)
    assert shop.members() == {"exact", "text"}


def test_a_windowed_sum_falls_when_an_order_leaves(world: Any) -> None:
    shop = world({"big": {"sum": {"event": "Order", "property": "total"}, "within": "30d", "gte": 100}})
    first = shop.now
    shop.track("Order", total=60)
    shop.until(first + DAY)
    shop.track("Order", total="40.0")
    assert shop.members() == {"big"}
    shop.until(first + 30 * DAY - 1)
    assert shop.members() == {"big"}
    shop.until(first + 30 * DAY)
    assert shop.members() == set()


def test_calendar_months_end_on_the_last_day_in_the_profiles_zone(world: Any) -> None:
    shop = world({"month": {"did": "Visit", "within": "1mo"}}, zone="Asia/Tokyo")
    shop.now = clock.read_time("2026-01-31T00:30:00+09:00") or 0
    shop.track("Visit")
    left = clock.read_time("2026-02-28T00:30:00+09:00") or 0
    shop.until(left - 1)
    assert shop.members() == {"month"}
    shop.until(left)
    assert shop.members() == set()


def test_an_older_event_may_stay_longer_where_a_month_is_shorter(world: Any) -> None:
    shop = world(
        {"year": {"did": "Visit", "within": "1y"}, "both": {"sequence": [{"did": "A"}, {"did": "B"}], "within": "1y"}}
    )
    for text, names in (("2024-02-28T23:00:00Z", ("Visit", "A")), ("2024-02-29T07:00:00Z", ("Visit", "B"))):
        shop.until(clock.read_time(text) or 0)
        for name in names:
            shop.track(name)
    shop.until((clock.read_time("2025-02-28T07:00:00Z") or 0) - 1)
    assert shop.members() == {"year", "both"}
    shop.until(shop.now + 1)  # the leap day's event leaves first: both days are the 28th now
    assert shop.members() == {"year"}
    shop.until(clock.read_time("2025-02-28T23:00:00Z") or 0)
    assert shop.members() == set()


def test_a_value_seen_again_beside_a_local_window_was_still_seen_in_it(world: Any) -> None:
    window = ["2026-03-03", "2026-03-04"]
    shop = world(
        {"seen": {"distinct": {"event": "Visit", "property": "n"}, "gte": 1, "between": window}}, zone="Asia/Tokyo"
    )
    for text in ("2026-03-03T06:00:00Z", "2026-03-03T20:00:00Z"):  # the second is the fourth in Tokyo
        shop.until(clock.read_time(text) or 0)
        shop.track("Visit", n=1)
    assert shop.members() == {"seen"}
    shop.say("identify", zone="Pacific/Apia")  # there both are
    assert shop.members() == {"seen"}


def test_true_is_not_one(world: Any) -> None:
    shop = world({"one": {"last": {"event": "Visit", "property": "n"}, "is": 1}})
    shop.track("Visit", n=True)
    assert shop.members() == set()
    shop.track("Visit", n=1)
    assert shop.members() == {"one"}
    shop.track("Visit", n=True)
    assert shop.members() == set()


def test_a_move_to_another_zone_is_seen_at_once(world: Any) -> None:
    shop = world({"today": {"trait": "due", "within_next": "1d"}}, zone="Asia/Tokyo")
    shop.now = clock.read_time("2026-03-02T12:00:00Z") or 0
    shop.say("identify", due="2026-03-03")  # 15:00Z in Tokyo, noon and midnight apart elsewhere
    assert shop.members() == {"today"}
    shop.until(clock.read_time("2026-03-02T20:00:00Z") or 0)
    assert shop.members() == set()
    shop.say("identify", zone="America/New_York")  # there it begins at 05:00Z
    assert shop.members() == {"today"}
    shop.until((clock.read_time("2026-03-03T05:00:00Z") or 0) + 1)
    assert shop.members() == set()


@pytest.mark.parametrize(
    ("zone", "born", "enters", "leaves"),
    [
        ("Asia/Tokyo", "1990-03-09", "2026-03-03T00:00:00+09:00", "2026-03-10T00:00:00+09:00"),
        ("America/New_York", "1992-02-29", "2026-02-22T00:00:00-05:00", "2026-03-01T00:00:00-05:00"),
        ("America/New_York", "1992-02-29", "2028-02-23T00:00:00-05:00", "2028-03-01T00:00:00-05:00"),
        ("America/New_York", "2000-03-10", "2026-03-04T00:00:00-05:00", "2026-03-11T00:00:00-04:00"),
    ],
)
def test_anniversaries_are_local_days(world: Any, zone: str, born: str, enters: str, leaves: str) -> None:
    shop = world({"soon": {"trait": "birthday", "anniversary": {"within_next": "7d"}}}, zone=zone)
    enter_at, leave_at = clock.read_time(enters) or 0, clock.read_time(leaves) or 0
    shop.now = enter_at - 10 * DAY
    shop.say("identify", birthday=born)
    shop.until(leave_at + DAY)
    assert shop.facts() == [("segment_entered", "soon", enter_at), ("segment_left", "soon", leave_at)]


def test_membership_of_membership_follows_in_the_same_pass(world: Any) -> None:
    shop = world(
        {
            "a": {"in_segment": "z"},
            "m": {"not": {"in_segment": "a"}},
            "z": {"did": "Visit", "within": "1d"},
        }
    )
    shop.say("identify")
    assert shop.members() == {"m"}
    shop.track("Visit")
    assert shop.members() == {"a", "z"}
    shop.until(shop.now + DAY)
    assert shop.members() == {"m"}


def test_consent_is_heard(world: Any) -> None:
    shop = world({"may": {"consent": {"channel": "email"}, "is_not": "opted_out"}})
    shop.say("identify")
    assert shop.members() == {"may"}
    shop.say("consent", channel="email", state="opted_out")
    assert shop.members() == set()


def test_a_blank_record_is_judged_at_birth(world: Any) -> None:
    shop = world({"all": {"all": []}, "none": {"any": []}, "not yet": {"did_not": "Visit"}})
    shop.say("identify")
    assert shop.members() == {"all", "not yet"}


def test_a_rule_waits_for_history_and_then_speaks_once(world: Any) -> None:
    shop = world({"old": {"did": "Login"}}, {"came": {"did": "Visit"}, "away": {"did_not": "Visit"}})
    shop.rule(1)
    shop.track("Visit")
    visit = Past(shop.record().id, "Visit", shop.now, 1, {})
    shop.rule(2)
    shop.say("track", "Other")
    shop.record().is_new = False
    assert shop.members() == set()
    program = shop.program["segments"]
    states = fill_states(program.gained(2), [visit], shop.now, {}, "UTC")
    shop.take(shop.record(), fill_item(shop.record().id, 2, states[shop.record().id], shop.now))
    assert shop.members() == {"came"}
    shop.take(shop.record(), fill_item(shop.record().id, 2, states[shop.record().id], shop.now))
    assert shop.facts() == [("segment_entered", "came", shop.now)]


def test_a_new_record_needs_no_history(world: Any) -> None:
    shop = world({"old": {"did": "Login"}}, {"came": {"did": "Visit"}})
    shop.track("Visit")
    assert shop.members() == {"came"}


def test_members_leave_a_segment_that_is_gone(world: Any) -> None:
    shop = world({"came": {"did": "Visit"}, "via": {"in_segment": "came"}}, {"came": None})
    shop.rule(1)
    shop.track("Visit")
    assert shop.members() == {"came", "via"}
    shop.rule(2)
    shop.take(shop.record(), fill_item(shop.record().id, 2, {}, shop.now))
    assert shop.members() == set()
    assert shop.effects.counts["segment:came"] == 0


def test_a_new_version_of_the_same_rule_keeps_its_members(world: Any) -> None:
    rule = {"did": "Visit", "count": {"gte": 2}}
    shop = world({"came": rule}, {"came": rule, "other": {"did": "Else"}})
    shop.rule(1)
    shop.track("Visit")
    shop.rule(2)
    shop.track("Visit")
    assert shop.members() == {"came"}


def test_a_leaf_taken_up_again_starts_anew(world: Any) -> None:
    shop = world(
        {"came": {"did": "Visit", "count": {"gte": 2}}}, {"came": None}, {"came": {"did": "Visit", "count": {"gte": 2}}}
    )
    shop.rule(1)
    shop.track("Visit")
    shop.rule(3)
    shop.track("Visit")
    assert shop.members() == set()  # what happened under the second program is not known yet
    past = [Past(shop.record().id, "Visit", shop.now, n, {}) for n in range(1)]
    states = fill_states(shop.program["segments"].gained(3), past, shop.now, {}, "UTC")
    shop.take(shop.record(), fill_item(shop.record().id, 3, states[shop.record().id], shop.now))
    assert shop.members() == {"came"}


def test_joined_records_add_up_and_memberships_go_on(world: Any) -> None:
    shop = world(
        {"twice": {"did": "Visit", "count": {"gte": 2}}, "once": {"did": "Visit"}, "never": {"did_not": "Buy"}}
    )
    shop.track("Visit", user="ada")
    shop.track("Visit", user="visitor")
    shop.track("Buy", user="visitor")
    other = msgspec.convert(msgspec.to_builtins(shop.record("visitor")["segments"]), Segments)
    shop.record()["profiles"].met.append("visitor")
    before = len(shop.facts())
    shop.scope.record = shop.record()
    shop.scope.restart(shop.now, 1, "join")
    shop.slices[2].absorb(other, shop.scope)
    assert shop.members() == {"twice", "once"}
    assert {fact[:2] for fact in shop.facts()[before:]} == {("segment_entered", "twice"), ("segment_left", "never")}


def test_the_earlier_entry_of_two_joined_members_stands(world: Any) -> None:
    shop = world({"came": {"did": "Visit"}})
    shop.track("Visit", user="visitor")
    first = shop.now
    shop.until(first + DAY)
    shop.track("Visit", user="ada")
    other = msgspec.convert(msgspec.to_builtins(shop.record("visitor")["segments"]), Segments)
    shop.record()["profiles"].met.append("visitor")
    shop.scope.record = shop.record()
    shop.scope.restart(shop.now, 1, "join")
    shop.slices[2].absorb(other, shop.scope)
    assert shop.record()["segments"].member_of == {"came": first}
    assert shop.rows()["came", shop.record().id] == first
    assert shop.effects.counts["segment:came"] == 1


# -- any order, any pieces ---------------------------------------------------------------------------------------------

LEAVES = {
    "count": {"did": "E", "count": {"gte": 3}},
    "window": {"did": "E", "count": {"gte": 2}, "within": "5h"},
    "newest": {"did": "E", "within": "4h"},
    "month": {"did": "E", "count": {"is": 2}, "within": "1mo"},
    "span": {"did": "E", "between": ["2026-03-02", "2026-03-03"]},
    "sum": {"sum": {"event": "E", "property": "n"}, "gte": 5},
    "sum window": {"sum": {"event": "E", "property": "n"}, "gte": 5, "within": "6h"},
    "avg": {"avg": {"event": "E", "property": "n"}, "gt": 1},
    "min": {"min": {"event": "E", "property": "n"}, "within": "6h", "is": 0},
    "max": {"max": {"event": "E", "property": "n"}, "is": 3},
    "distinct": {"distinct": {"event": "E", "property": "n"}, "gte": 3, "within": "9h"},
    "last": {"last": {"event": "E", "property": "n"}, "is": 1},
    "first": {"first": {"event": "E", "property": "n"}, "within": "6h", "gte": 2},
    "sequence": {"sequence": [{"did": "E"}, {"did": "F", "within": "2h"}], "within": "8h"},
    "ever": {"sequence": [{"did": "E"}, {"did": "F"}]},
}
moments = st.lists(
    st.tuples(st.integers(0, 14), st.sampled_from("EF"), st.sampled_from([0, 1, 2, 3, "2", None, 0.5])), max_size=12
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=moments, seed=st.randoms(use_true_random=False), cut=st.integers(0, 12))
def test_order_and_pieces_do_not_matter(world: Any, history: Any, seed: Any, cut: int) -> None:
    """In order as it happened; permuted and late; cut in two, the first part filled in afterwards."""
    start, end = world().now, world().now + 16 * HOUR
    numbered = list(enumerate(sorted(history, key=lambda each: each[0])))
    straight = world(LEAVES)
    straight.say("identify")
    for number, (hour, name, n) in numbered:
        straight.until(max(straight.now, start + hour * HOUR))
        straight.said = number
        straight.track(name, n=n)
    straight.until(end)

    shuffled = world(LEAVES)
    shuffled.now = end
    shuffled.say("identify")
    for number, (hour, name, n) in seed.sample(numbered, len(numbered)):
        shuffled.take(shuffled.record(), _event(shuffled, number, start + hour * HOUR, name, n))
    assert shuffled.members() == straight.members()

    pieces = world({"older": {"did": "Nothing"}}, LEAVES)
    pieces.rule(1)
    pieces.now = end
    pieces.say("identify")
    pieces.rule(2)
    mixed = seed.sample(numbered, len(numbered))
    for number, (hour, name, n) in mixed[cut:]:
        pieces.take(pieces.record(), _event(pieces, number, start + hour * HOUR, name, n))
    profile = pieces.record().id
    past = sorted(
        (
            Past(
                profile,
                name,
                start + hour * HOUR,
                _arrival(end, number),
                exact_json.decode(exact_json.encode({"n": n})),
            )
            for number, (hour, name, n) in mixed[:cut]
        ),
        key=lambda each: (each.timestamp, each.arrival),
    )
    states = fill_states(pieces.program["segments"].gained(2), past, end, {}, "UTC")
    assert pieces.members() == set()
    pieces.take(pieces.record(), fill_item(profile, 2, states.get(profile, {}), end))
    assert pieces.members() == straight.members()
    for later in (2 * HOUR, DAY, 60 * DAY):
        for each in (straight, shuffled, pieces):
            each.until(end + later)
        assert straight.members() == shuffled.members() == pieces.members()


def _event(told: Any, number: int, at: int, name: str, n: Any) -> Any:
    told.said = number + 1
    from kizuna.engine.moment import Item

    return Item(
        profile=told.record().id, id=f"e{number}", type="track", name=name, timestamp=at, user_id="ada",
        properties=exact_json.encode({"n": n}), received_at=told.now,
    )  # fmt: skip


def _arrival(at: int, number: int) -> int:
    from kizuna.engine.moment import Item

    return Moment(Item(profile=b"", id="", type="track"), at, 1, number + 1).arrival
