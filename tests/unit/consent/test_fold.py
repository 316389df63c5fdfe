from __future__ import annotations

import json
from typing import Any

import pytest

from kizuna.consent.decide import state
from kizuna.consent.fold import ConsentSlice
from kizuna.consent.section import Consent
from kizuna.consent.store import DropVeto, Suppress
from kizuna.engine.moment import Item, Moment
from kizuna.engine.slice import Effects, Record, Scope, Workspace

ADA = b"a" * 16


class Desk:
    """One record and the slice."""

    def __init__(self) -> None:
        self.record = Record(ADA, 0, {"consent": Consent()}, is_new=False)
        self.effects = Effects()
        self.scope = Scope(Workspace(1, "shop", "test", "UTC", "JPY", "opt_out"), {}, self.effects)
        self.scope.record = self.record
        self.slice = ConsentSlice()
        self.now = 1000

    @property
    def consent(self) -> Consent:
        return self.record["consent"]

    def hear(self, kind: str, name: str = "", context: dict[str, Any] | None = None, **said: Any) -> None:
        self.now += 1
        item = Item(
            ADA, f"m{self.now}", kind, name, said.pop("at", self.now), json.dumps(said).encode(),
            json.dumps(context).encode() if context else b"",
        )  # fmt: skip
        self.scope.restart(self.now, 1, item.id)
        self.slice.fold(Moment(item, self.now, 1), self.scope)

    def choose(self, state: str, topic: str | None = None, **more: Any) -> None:
        self.hear("consent", channel="email", topic=topic, state=state, **more)

    @property
    def facts(self) -> list[dict[str, Any]]:
        return [json.loads(fact.properties) for _, fact, _ in self.effects.facts if fact.name == "consent_changed"]

    def asked(self, kind: type) -> list[Any]:
        return self.effects.other.get(kind, [])


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_change_is_a_fact_and_a_repeat_is_none(desk: Desk) -> None:
    desk.choose("opted_in", source="form")
    desk.choose("opted_in", source="form")
    assert desk.facts == [{"channel": "email", "topic": None, "state": "opted_in", "source": "form"}]


def test_only_proof_undoes_an_opt_out(desk: Desk) -> None:
    desk.choose("opted_out")
    for weaker in ("opted_in", "neutral", "pending"):
        desk.choose(weaker)
        assert state(desk.consent, "email") == "opted_out"
    desk.choose("opted_in", proof={"form": 1})
    assert state(desk.consent, "email") == "opted_in"


def test_the_veto_goes_when_the_opt_out_is_folded(desk: Desk) -> None:
    desk.choose("opted_out", "news")
    assert desk.asked(DropVeto) == [DropVeto("m1001")]
    assert state(desk.consent, "email", "news") == "opted_out"
    assert state(desk.consent, "email") == "neutral"


def test_a_choice_older_than_what_is_known_changes_nothing_unless_it_is_an_opt_out(desk: Desk) -> None:
    desk.choose("opted_in", at=500)
    desk.choose("pending", at=400)
    assert state(desk.consent, "email") == "opted_in"
    desk.choose("opted_out", at=300)
    assert state(desk.consent, "email") == "opted_out"


def test_an_unsubscribe_report_opts_out_of_its_topic(desk: Desk) -> None:
    desk.hear("report", "message_unsubscribed", channel="email", topic="news")
    assert state(desk.consent, "email", "news") == "opted_out"
    assert len(desk.asked(DropVeto)) == 1


def test_a_hard_bounce_suppresses_the_address(desk: Desk) -> None:
    desk.hear("report", "message_bounced", **{"channel": "email", "address": "Ada@X.io", "class": "hard"})
    assert desk.consent.suppressed == {"email": "hard_bounce"}
    assert [(effect.address, effect.reason) for effect in desk.asked(Suppress)] == [("ada@x.io", "hard_bounce")]


def test_soft_bounces_suppress_after_five_in_a_row(desk: Desk) -> None:
    soft = {"channel": "email", "address": "a@x.io", "class": "soft"}
    for _ in range(4):
        desk.hear("report", "message_bounced", **soft)
    desk.hear("report", "message_delivered", channel="email")
    for _ in range(4):
        desk.hear("report", "message_bounced", **soft)
    assert desk.consent.suppressed == {}
    desk.hear("report", "message_bounced", **soft)
    assert desk.consent.suppressed == {"email": "soft_bounces"}


@pytest.mark.parametrize(("actor", "resets"), [("human", True), ("machine", False), ("unsure", False)])
def test_a_person_who_reads_mail_has_an_address_that_works(desk: Desk, actor: str, resets: bool) -> None:
    soft = {"channel": "email", "address": "a@x.io", "class": "soft"}
    desk.hear("report", "message_bounced", **soft)
    desk.hear("report", "message_opened", channel="email", actor=actor)
    assert (desk.consent.soft_bounces == {}) is resets


def test_a_complaint_suppresses_marketing(desk: Desk) -> None:
    desk.hear("report", "message_complained", channel="email")
    assert desk.consent.suppressed == {"email": "complaint"}
    assert state(desk.consent, "email") == "opted_out"


def test_categories_of_a_consent_manager_become_topics_and_never_undo_an_opt_out(desk: Desk) -> None:
    desk.hear("identify", context={"consent": {"categoryPreferences": {"Marketing": False, "Analytics": True}}})
    assert desk.consent.topics == {"email": {"Marketing": "opted_out", "Analytics": "opted_in"}}
    desk.hear("identify", context={"consent": {"categoryPreferences": {"Marketing": True}}})
    assert state(desk.consent, "email", "Marketing") == "opted_out"


def test_of_two_records_the_stricter_choice_wins_unless_a_newer_proof_speaks(desk: Desk) -> None:
    desk.choose("opted_in", at=500)
    other = Consent(channels={"email": "opted_out"}, chosen_at={"email": 100}, suppressed={"sms": "complaint"})
    desk.slice.absorb(other, desk.scope)
    assert state(desk.consent, "email") == "opted_out"
    assert desk.consent.suppressed == {"sms": "complaint"}
    proven = Consent(channels={"email": "opted_in"}, chosen_at={"email": 900}, proven_at={"email": 900})
    desk.slice.absorb(proven, desk.scope)
    assert state(desk.consent, "email") == "opted_in"
