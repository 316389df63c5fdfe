"""What stands after any history, against a model that sorts the history and reads it from the beginning."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from kizuna.consent.section import Consent, standing
from kizuna.consent.standing import Act, Standing

STATES = ("opted_in", "neutral", "pending", "opted_out")
Said = tuple[int, str, bool, int]  # time, state, whether with a proof, when it runs out

histories = st.lists(
    st.tuples(st.integers(1, 8), st.sampled_from(STATES), st.booleans(), st.sampled_from([0, 0, 5, 9, 20])), max_size=12
)


def naive(history: Sequence[Said], now: int) -> str:
    """One after the other by time, then arrival: an opt-out stands until somebody proves that they came back."""
    state, ends = "neutral", 0
    for _, said, is_proven, until in sorted(history, key=lambda each: each[0]):  # a stable sort
        if state == "opted_out" and said != "opted_out" and not is_proven:
            continue
        state, ends = said, until
    return "neutral" if 0 < ends <= now else state


def acts(history: Sequence[Said]) -> list[tuple[Act, bool]]:
    return [
        (Act(at, place, said, until=until), is_proven and said != "opted_out")
        for place, (at, said, is_proven, until) in enumerate(history)
    ]


def folded(said: Sequence[tuple[Act, bool]]) -> Standing:
    return reduce(lambda stands, each: stands.take(each[0], is_proven=each[1]), said, Standing())


@given(histories, st.integers(0, 25))
def test_any_history_ends_as_it_does_read_from_its_beginning(history: list[Said], now: int) -> None:
    assert folded(acts(history)).state_at(now) == naive(history, now)


@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(history: list[Said], chance: Random) -> None:
    mixed = acts(history)
    chance.shuffle(mixed)
    assert folded(mixed) == folded(acts(history))


@given(histories, histories)
def test_two_records_joined_are_one_that_heard_all(one: list[Said], other: list[Said]) -> None:
    both = acts([*one, *other])
    mine, theirs = both[: len(one)], both[len(one) :]
    assert folded(mine).joined(folded(theirs)) == folded(both)
    assert folded(theirs).joined(folded(mine)) == folded(both)


def test_a_record_from_before_acts_were_kept_stands_as_it_did() -> None:
    old = Consent(
        channels={"email": "opted_in", "sms": "opted_out"},
        chosen_at={"email": 500, "sms": 300},
        proven_at={"email": 500},
    )
    assert standing(old, "email", None).state == "opted_in"
    late = standing(old, "email", None).take(Act(400, 1, "opted_out"), is_proven=False)
    assert late.state == "opted_in"  # they proved later that they came back
    assert standing(old, "sms", None).take(Act(900, 1, "opted_in"), is_proven=False).state == "opted_out"
    assert standing(old, "push", None).state == "neutral"


def test_an_opt_in_lasts_until_the_instant_at_which_it_runs_out() -> None:
    stands = Standing().take(Act(1, 0, "opted_in", until=9), is_proven=False)
    assert [stands.state_at(now) for now in (8, 9, 10)] == ["opted_in", "neutral", "neutral"]
    assert [stands.has_lapsed(now) for now in (8, 9)] == [False, True]
