"""How journeys ask: the answer now, and when time alone changes it."""

from __future__ import annotations

from typing import Any

from kizuna.core.clock import DAY
from kizuna.segments import answer
from kizuna.segments.rule import rule_key

RECENT = {"did": "Visit", "within": "3d"}
DUE = {"trait": "due", "within_next": "1d"}
MEMBER = {"all": [{"in_segment": "recent"}, {"did": "Visit"}]}


def test_guests_are_answered_now_and_told_when_to_ask_again(world: Any) -> None:
    shop = world({"recent": RECENT}, guests=[RECENT, DUE, MEMBER])
    shop.track("Visit")
    shop.scope.record = shop.record()
    assert answer.holds(shop.scope, rule_key(RECENT))
    assert answer.holds(shop.scope, rule_key(MEMBER))
    assert not answer.holds(shop.scope, rule_key(DUE))
    assert answer.next_change(shop.scope, rule_key(RECENT)) == shop.now + 3 * DAY
    assert answer.next_change(shop.scope, rule_key(MEMBER)) == shop.now + 3 * DAY
    assert answer.next_change(shop.scope, rule_key(DUE)) == 0
    came = shop.now
    shop.until(came + 3 * DAY)
    assert not answer.holds(shop.scope, rule_key(RECENT))
    assert not answer.holds(shop.scope, rule_key(MEMBER))


def test_an_unknown_rule_is_false_and_not_ready(world: Any) -> None:
    shop = world({})
    shop.say("identify")
    shop.scope.record = shop.record()
    assert not answer.holds(shop.scope, "nothing")
    assert not answer.is_ready(shop.scope, "nothing")


def test_a_rule_is_not_ready_before_its_history(world: Any) -> None:
    shop = world({}, {"any": {"did": "X"}}, guests=[RECENT])
    shop.rule(1)
    shop.say("identify")
    shop.rule(2)
    shop.say("identify")
    shop.scope.record = shop.record()
    assert not answer.is_ready(shop.scope, rule_key({"did": "X"}))
