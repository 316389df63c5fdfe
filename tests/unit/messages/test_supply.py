"""Rounds of renderings, with answers at hand instead of a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from kizuna.consent.section import Consent
from kizuna.messages import supply
from kizuna.messages.claim import Person, Refused
from kizuna.messages.draft import Draft
from kizuna.messages.message import Claimed
from kizuna.messages.supply import Need, Supply, Verdict, in_rounds
from kizuna.templates.lookups import MOST_LOOKUPS, Code, Lookups


class Shelf:
    """Has every code but those it is told to let wait."""

    def __init__(self, waits: Sequence[str] = ()) -> None:
        self.waits = waits
        self.waiting: dict[bytes, None] = {}
        self.answers: dict[Any, Any] = {}
        self.rounds: list[int] = []

    def lookups(self, message: bytes) -> Lookups:
        return Lookups(self.answers)

    def answer(self, needs: Sequence[Need]) -> None:
        self.rounds.append(len(needs))
        for need in needs:
            assert isinstance(need.wanted, Code)
            if need.wanted.promotion in self.waits:
                self.waiting[need.message] = None
            else:
                self.answers[need.wanted] = need.wanted.promotion.upper()


def draft(name: str) -> Draft:
    message = Claimed(
        workspace=1, id=name.encode(), profile=b"p", channel="email", template="t", template_version=1, topic=None,
        transactional=False, journey=None, run=None, step=None, campaign=None, variant=None, data={}, event=None,
        due_at=0, expires_at=1, root=1, attempts=0, fence=0, reason=None, caused_by=None,
    )  # fmt: skip
    return Draft(message, Person(id=b"p", traits={}, consent=Consent()), "a@example.com", None, 0)


def composed(drafts: Sequence[Draft], shelf: Shelf, needs: dict[str, list[str]]) -> dict[bytes, Verdict]:
    """Each draft asks for its codes one after the other; its verdict's reason is what it heard."""

    def compose(each: Draft, lookups: Lookups) -> Verdict:
        return Refused("said", " ".join(str(lookups.get(Code(code))) for code in needs[each.message.id.decode()]))

    return in_rounds(drafts, compose, cast("Supply", shelf))


def test_all_letters_of_a_round_are_answered_together() -> None:
    shelf = Shelf()
    made = composed([draft("x"), draft("y"), draft("z")], shelf, {"x": ["a", "b"], "y": ["a"], "z": []})
    assert {name: verdict.reason for name, verdict in made.items() if isinstance(verdict, Refused)} == {
        b"x": "A B", b"y": "A", b"z": "",
    }  # fmt: skip
    assert shelf.rounds == [2, 1]


def test_who_waits_for_others_has_no_verdict() -> None:
    made = composed([draft("x"), draft("y")], Shelf(waits=["slow"]), {"x": ["a", "slow", "b"], "y": ["a"]})
    assert made.keys() == {b"y"}


def test_a_letter_that_asks_without_end_is_refused() -> None:
    shelf = Shelf()
    made = composed([draft("x")], shelf, {"x": [f"c{n}" for n in range(MOST_LOOKUPS + 5)]})
    assert made == {b"x": Refused("skipped", "template_error")}
    assert len(shelf.rounds) == MOST_LOOKUPS


def test_a_letter_whose_rounds_take_too_long_together_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supply, "MOST_SECONDS", 0.0)
    assert composed([draft("x")], Shelf(), {"x": ["a"]}) == {b"x": Refused("skipped", "template_error")}
