"""Acts taken into a record: their rows, what runs out, what is asked for; a whole fold against the naive reading."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kizuna.consent.decide import in_force, refusal, state
from kizuna.consent.fold import ConsentSlice
from kizuna.consent.proof import KeepProof
from kizuna.consent.section import Consent
from kizuna.consent.terms import Terms, read_terms
from kizuna.core import clock
from kizuna.core.clock import DAY, HOUR
from kizuna.core.problems import Problems
from kizuna.engine.moment import Item, Moment
from kizuna.engine.slice import Effects, Record, Scope, Workspace
from kizuna.profiles.section import Profile

ADA = b"a" * 16
START = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
SENDER = {"name": "Shop", "address": "1 Main St", "contact": "help@shop.example"}


def terms(**said: Any) -> Terms:
    problems = Problems()
    found = read_terms({"sender": SENDER, **said}, problems)
    assert not problems.found
    return found


class Desk:
    """One record, its clock, and what its fold asked for."""

    def __init__(self, ruling: Terms | None = None, **traits: Any) -> None:
        sections = {"consent": Consent(), "profiles": Profile(traits=traits)}
        self.record = Record(ADA, 0, sections, is_new=False)
        self.effects = Effects()
        program = {"consent": ruling} if ruling else {}
        self.scope = Scope(Workspace(1, "shop", "test", "UTC", "JPY", "opt_out"), program, self.effects)
        self.scope.record = self.record
        self.now = START
        self.count = 0

    @property
    def consent(self) -> Consent:
        return self.record["consent"]

    def choose(self, state: str, topic: str | None = None, at: int = 0, **more: Any) -> None:
        self.count += 1
        said = {"channel": "email", "topic": topic, "state": state, **more}
        item = Item(ADA, f"m{self.count}", "consent", "", at or self.now, json.dumps(said).encode())
        self.scope.restart(self.now, 1, item.id)
        ConsentSlice().fold(Moment(item, self.now, 1), self.scope)

    def wake_at(self, instant: int) -> None:
        self.now = instant
        self.scope.restart(instant, 1, f"timer {instant}")
        ConsentSlice().wake(self.scope)

    def refused(self, topic: str | None = None, now: int = 0) -> str | None:
        return refusal(self.consent, "email", topic, False, "opt_out", now=now or self.now)

    @property
    def rows(self) -> list[KeepProof]:
        return self.effects.other.get(KeepProof, [])

    def facts(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(fact.properties) for _, fact, _ in self.effects.facts if fact.name == name]


def test_each_act_is_a_row_and_a_repeat_without_proof_is_none() -> None:
    desk = Desk()
    desk.choose("opted_in", source="form", proof={"text": "v3"})
    desk.choose("opted_in", source="sdk")
    desk.choose("opted_in", source="form", proof={"text": "v4"})
    desk.choose("opted_out", source="support")
    desk.choose("opted_in", source="import")  # refused: it changes nothing and is no evidence
    assert [(row.state, row.source, row.proof) for row in desk.rows] == [
        ("opted_in", "form", '{"text":"v3"}'),
        ("opted_in", "form", '{"text":"v4"}'),
        ("opted_out", "support", None),
    ]
    assert len({row.id for row in desk.rows}) == 3


def test_a_repeat_leaves_the_proof_that_stands() -> None:
    desk = Desk()
    desk.choose("opted_in", proof={"text": "v3"})
    desk.now += HOUR
    desk.choose("opted_in")
    rules = desk.consent.stands["email"].rules
    assert rules is not None
    assert (rules.at, rules.proof) == (desk.now, desk.rows[0].id)


def test_what_counts_by_a_proof_that_came_late_points_to_that_proof() -> None:
    desk = Desk()
    desk.choose("opted_out")
    desk.choose("opted_in", at=START + 2 * HOUR)  # refused: no row
    desk.choose("opted_in", at=START + HOUR, proof={"form": 1})
    assert state(desk.consent, "email") == "opted_in"
    kept = {row.id for row in desk.rows}
    assert len(kept) == 2
    assert in_force(desk.consent, "email", None, START + 3 * HOUR)[1] in kept


def test_history_that_comes_late_is_kept_with_its_time_and_changes_nothing() -> None:
    desk = Desk()
    desk.choose("opted_in", proof={"text": "v3"})
    desk.choose("opted_out", at=START - 9 * DAY, source="import")
    desk.choose("opted_in", at=START - 20 * DAY, source="import")
    assert state(desk.consent, "email") == "opted_in"
    assert [(row.at, row.state) for row in desk.rows][1:] == [
        (START - 9 * DAY, "opted_out"),
        (START - 20 * DAY, "opted_in"),
    ]


def test_where_the_clock_stands_still_the_later_word_counts() -> None:
    desk = Desk()
    for said, proof in (("opted_out", None), ("opted_in", {"n": 1}), ("opted_out", None), ("opted_in", {"n": 2})):
        desk.choose(said, proof=proof)
        assert state(desk.consent, "email") == said


def test_who_was_only_asked_has_not_come_back() -> None:
    desk = Desk()
    desk.choose("opted_out")
    desk.choose("pending", proof={"form": "news"})
    assert state(desk.consent, "email") == "opted_out"


@pytest.mark.parametrize(
    ("basis", "until"), [("purchase", "2028-01-01T00:00:00Z"), ("inquiry", "2026-07-01T00:00:00Z")]
)
def test_implied_consent_runs_out_at_its_instant(basis: str, until: str) -> None:
    desk, ends = Desk(terms(law="casl")), clock.read_time(until) or 0
    desk.choose("opted_in", basis=basis)
    assert desk.consent.wake_at == ends
    assert desk.refused(now=ends - 1) is None
    assert desk.refused(now=ends) == "no_consent"  # by the claim, before any timer
    desk.wake_at(ends)
    assert (state(desk.consent, "email"), desk.consent.wake_at) == ("neutral", 0)
    assert desk.facts("consent_changed")[-1]["source"] == "expired"
    assert desk.refused() == "no_consent"  # silence after an expiry is a no, also where neutral may be written to
    desk.choose("opted_in", proof={"form": 1})
    assert desk.refused() is None


def test_only_the_law_of_the_customers_country_lets_consent_run_out() -> None:
    ruling = terms(laws=[{"country": "CA", "law": "casl"}])
    for country, ends in (("CA", True), ("JP", False)):
        desk = Desk(ruling, country=country)
        desk.choose("opted_in", basis="purchase")
        assert (desk.consent.wake_at > 0) is ends


def test_an_end_may_be_said_and_a_newer_word_without_one_lifts_it() -> None:
    desk = Desk()
    desk.choose("opted_in", until="2026-02-01T00:00:00Z")
    assert desk.consent.wake_at == START + 31 * DAY
    desk.now += HOUR
    desk.choose("opted_in", proof={"form": 1})
    assert desk.consent.wake_at == 0


DOUBLE = {"double_opt_in": {"template": "please", "expires": "7d", "most": 2}}


def test_a_confirmation_is_asked_for_so_often_and_no_oftener() -> None:
    desk = Desk(terms(**DOUBLE))
    for _ in range(3):
        desk.now += HOUR
        desk.choose("pending", "news", confirm=True, source="form")
    assert state(desk.consent, "email", "news") == "pending"
    assert len(desk.facts("consent_asked")) == 2
    assert desk.facts("consent_not_asked")[0]["reason"] == "asked_often"
    assert desk.refused("news") == "no_consent"
    desk.now += 31 * DAY
    desk.choose("pending", "news", confirm=True)
    assert len(desk.facts("consent_asked")) == 3


def test_who_is_in_is_not_asked_and_loses_nothing_by_somebody_elses_form() -> None:
    desk = Desk(terms(**DOUBLE))
    desk.choose("opted_in", proof={"form": 1})
    desk.choose("pending", confirm=True)
    assert state(desk.consent, "email") == "opted_in"
    assert desk.facts("consent_asked") == []


def test_who_opted_out_is_asked_and_stays_out_until_they_answer() -> None:
    desk = Desk(terms(**DOUBLE))
    desk.choose("opted_out")
    desk.choose("pending", confirm=True, proof={"form": 1})
    assert state(desk.consent, "email") == "opted_out"
    assert list(desk.consent.asked) == ["email"]


@pytest.mark.parametrize("answer", [("opted_in", "news"), ("opted_out", "news"), ("opted_out", None)])
def test_an_answer_ends_the_asking(answer: tuple[str, str | None]) -> None:
    desk = Desk(terms(**DOUBLE))
    desk.choose("pending", "news", confirm=True)
    assert list(desk.consent.asked) == ["email/news"]
    desk.choose(answer[0], answer[1], proof={"page": "confirm"})
    assert desk.consent.asked == {}


@pytest.mark.parametrize(("answer", "stays"), [(None, True), ("opted_in", False), ("opted_out", False)])
def test_who_was_asked_under_another_record_may_answer_unless_they_have(answer: str | None, stays: bool) -> None:
    one, other = Desk(terms(**DOUBLE)), Desk(terms(**DOUBLE))
    other.choose("pending", "news", confirm=True)
    one.now += HOUR
    one.choose("pending", "news", confirm=True)
    if answer:
        one.now += HOUR
        one.choose(answer, "news", proof={"page": "confirm"})
    ConsentSlice().absorb(other.consent, one.scope)
    assert ("email/news" in one.consent.asked) is stays
    if stays:
        assert one.consent.asked["email/news"].times == (START, START + HOUR)


acts = st.lists(
    st.tuples(
        st.sampled_from([None, "news"]), st.sampled_from(["opted_in", "neutral", "pending", "opted_out"]),
        st.booleans(), st.integers(0, 5),
    ),
    max_size=10,
)  # fmt: skip


@given(acts, acts)
@example([("news", "neutral", True, 1)], [("news", "opted_out", False, 0), ("news", "opted_in", False, 1)])
def test_two_records_joined_say_what_one_record_would_have_said(mine: Any, theirs: Any) -> None:
    """Each act a moment after the one before, so that none ties."""
    whole, one, other = Desk(), Desk(), Desk()
    order = 0
    for desk, said in ((one, mine), (other, theirs)):
        for topic, choice, is_proven, at in said:
            order += 1
            proof = {"n": order} if is_proven else None
            for each in (desk, whole):
                each.choose(choice, topic, at=START + at * HOUR + order, proof=proof)
    ConsentSlice().absorb(other.consent, one.scope)
    assert (one.consent.channels, one.consent.topics) == (whole.consent.channels, whole.consent.topics)
    for desk, kept in ((whole, whole.rows), (one, one.rows + other.rows)):
        for topic in ("news", None):
            said, proof = in_force(desk.consent, "email", topic, START + DAY)
            assert said == "neutral" or proof in {row.id for row in kept}
