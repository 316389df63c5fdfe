"""The queue of one profile: first come, first served, and nobody waits for ever."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from kizuna.channels import all_channels
from kizuna.consent.section import Consent
from kizuna.core.clock import DAY, HOUR
from kizuna.engine.moment import Item, Moment
from kizuna.engine.slice import Effects, Record, Scope, Workspace
from kizuna.messages.fold import MessagesSlice
from kizuna.messages.grant import SendRequest, cancel, request
from kizuna.messages.message import NEVER, EndPlanned, MovePlanned, PlanMessage
from kizuna.messages.policy import parse
from kizuna.messages.section import Messages
from kizuna.profiles.section import Profile

START = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z, a midnight
ADA = b"a" * 16


class Ada:
    """One record under a policy; time moves by `to`, which fires what is due on the way."""

    def __init__(self, policy: dict[str, Any]) -> None:
        sections = {
            "profiles": Profile(traits={"email": "ada@example.com"}),
            "consent": Consent(),
            "messages": Messages(),
        }
        self.scope = Scope(Workspace(1, "shop", "test", "UTC", "JPY", "opt_out"), {}, Effects())
        self.rule(policy)
        self.scope.record = Record(ADA, 0, sections, is_new=False)
        self.slice = MessagesSlice()
        self.now = START
        self.number = 0
        self.scope.restart(START, 1, "start")

    @property
    def section(self) -> Messages:
        return self.scope.record["messages"]

    def rule(self, policy: dict[str, Any]) -> None:
        self.scope.program = {"messages": {"templates": {"hello": 1}, "policy": parse(policy)}}

    def ask(self, **changes: Any) -> bytes | None:
        self.number += 1
        given: dict[str, Any] = {
            "channels": ["email"], "template": "hello", "purpose": "test", "occurrence": str(self.number), **changes,
        }  # fmt: skip
        self.scope.restart(self.now, 1, f"ask{self.number}")
        return request(self.scope, SendRequest(**given))

    def to(self, instant: int) -> None:
        while 0 < self.section.wake_at <= instant:
            due = self.section.wake_at
            self.scope.restart(due, 1, f"timer{due}")
            self.slice.wake(self.scope)
            assert self.section.wake_at == 0 or self.section.wake_at > due, "a timer moves time"
        self.now = instant

    def report(self, state: str, message: bytes, **said: Any) -> None:
        self.scope.restart(self.now, 1, f"report{state}")
        body = json.dumps({"message": f"msg_{message.hex()}", **said}).encode()
        self.slice.fold(Moment(Item(ADA, "r", "report", f"message_{state}", self.now, body), self.now, 1), self.scope)

    def fates(self) -> dict[bytes, Any]:
        """By message: the instant it may go, or why it does not."""
        found: dict[bytes, Any] = {}
        other = self.scope.effects.other
        for row in other.get(PlanMessage, []):
            found[row.id] = row.reason or ("held" if row.due_at == NEVER else row.due_at)
        found |= {move.id: move.due_at for move in other.get(MovePlanned, [])}
        return found | {end.id: (end.state, end.reason, end.at) for end in other.get(EndPlanned, [])}

    def facts(self) -> list[str]:
        return [fact.name for _, fact, _ in self.scope.effects.facts]


HOLD = {"channel": "email", "max": 1, "per": "1d", "then": "hold"}


def test_one_after_the_other_each_a_day_later() -> None:
    ada = Ada({"caps": [{**HOLD, "hold_for": "72h"}]})
    first, second, third = ada.ask(), ada.ask(), ada.ask()
    ada.to(START + 10 * DAY)
    assert ada.fates() == {first: START, second: START + DAY, third: START + 2 * DAY}
    assert ada.facts() == ["message_planned", *["message_planned"] * 2, *["message_released"] * 2]
    assert not ada.section.held


def test_who_waited_too_long_expires_and_at_the_very_end_may_still_go() -> None:
    ada = Ada({"caps": [{**HOLD, "hold_for": "24h"}]})
    first, second, third = ada.ask(), ada.ask(), ada.ask()
    ada.to(START + 10 * DAY)
    assert ada.fates() == {first: START, second: START + DAY, third: ("expired", "frequency_cap", START + DAY)}
    assert ada.facts()[-1] == "message_expired"


def test_a_hold_ends_with_the_message() -> None:
    ada = Ada({"caps": [HOLD]})
    ada.ask()
    short = ada.ask(expires="2h")
    ada.to(START + 10 * DAY)
    assert ada.fates()[short or b""] == ("expired", "frequency_cap", START + 2 * HOUR)


@pytest.mark.parametrize("state", ["rejected", "skipped", "expired"])
def test_what_was_not_sent_gives_its_room_to_who_waits(state: str) -> None:
    ada = Ada({"caps": [HOLD]})
    first, second = ada.ask(), ada.ask()
    ada.to(START + HOUR)
    ada.report(state, first or b"")
    assert ada.fates()[second or b""] == START + HOUR


@pytest.mark.parametrize("state", ["sent", "delivered", "bounced", "unknown", "opened"])
def test_what_may_have_been_sent_keeps_its_room(state: str) -> None:
    ada = Ada({"caps": [HOLD]})
    first, second = ada.ask(), ada.ask()
    ada.report(state, first or b"")
    assert ada.fates()[second or b""] == "held"


def test_one_asked_for_when_room_comes_stands_behind_who_waits() -> None:
    ada = Ada({"caps": [HOLD]})
    _, waiting = ada.ask(), ada.ask()
    ada.now = START + DAY  # the instant at which there is room; the event comes before the timer
    late = ada.ask()
    assert ada.fates()[waiting or b""] == START + DAY
    assert ada.fates()[late or b""] == "held"


def test_transactional_messages_are_neither_held_nor_counted() -> None:
    ada = Ada({"caps": [HOLD], "quiet_hours": {"from": "21:00", "to": "08:00"}, "holdout": 100})
    receipts = [ada.ask(transactional=True) for _ in range(3)]
    assert [ada.fates()[each or b""] for each in receipts] == [START] * 3
    assert not ada.section.grants
    assert ada.ask() is None  # held out


def test_the_held_out_count_as_if_sent() -> None:
    ada = Ada({"caps": [{**HOLD, "then": "skip"}]})
    assert ada.ask(holdout=True) is None
    assert ada.ask() is None
    assert list(ada.fates().values()) == ["holdout", "frequency_cap"]


def test_one_held_out_waits_in_the_queue_and_is_not_sent() -> None:
    ada = Ada({"caps": [HOLD]})
    first, out, third = ada.ask(), ada.ask(holdout=True), ada.ask()
    ada.to(START + 10 * DAY)
    assert ada.fates() == {
        first: START, out: ("skipped", "holdout", START + DAY), third: START + 2 * DAY,
    }  # fmt: skip


def test_leaving_a_run_leaves_the_queue() -> None:
    ada = Ada({"caps": [HOLD]})
    ada.ask()
    gone, stays = ada.ask(run="r1", journey="j"), ada.ask()
    cancel(ada.scope, "r1")
    ada.to(START + 10 * DAY)
    assert ada.fates()[stays or b""] == START + DAY
    assert ada.fates()[gone or b""] == "held"  # the sender ends it, as `exited`


def test_rows_are_planned_before_they_are_moved_or_cancelled() -> None:
    """Effects of one batch are written by type: what changes a row may not come before what makes it."""
    ada = Ada({})
    cancel(ada.scope, "r0")
    ada.ask(run="r1", journey="j")
    cancel(ada.scope, "r1")
    assert next(iter(ada.scope.effects.other)) is PlanMessage


def test_released_in_the_quiet_it_goes_in_the_morning() -> None:
    ada = Ada({"caps": [HOLD], "quiet_hours": {"from": "21:00", "to": "08:00"}})
    ada.now = START + 20 * HOUR
    first = ada.ask()
    second = ada.ask()
    ada.to(START + 10 * DAY)
    assert ada.fates() == {first: START + 20 * HOUR, second: START + 44 * HOUR}
    ada = Ada({"caps": [{**HOLD, "per": "2h"}], "quiet_hours": {"from": "21:00", "to": "08:00"}})
    ada.now = START + 20 * HOUR
    first, second, third = ada.ask(), ada.ask(), ada.ask()
    ada.to(START + 10 * DAY)
    assert ada.fates() == {first: START + 20 * HOUR, second: START + 32 * HOUR, third: START + 34 * HOUR}


def test_deferred_by_the_claim_it_counts_from_when_it_goes() -> None:
    ada = Ada({"caps": [HOLD]})
    first, second = ada.ask(), ada.ask()
    ada.report("deferred", first or b"", due_at="2026-01-01T08:00:00Z")
    ada.to(START + 10 * DAY)
    assert ada.fates()[second or b""] == START + DAY + 8 * HOUR


def test_a_new_policy_is_asked_about_those_who_wait() -> None:
    ada = Ada({"caps": [HOLD]})
    ada.ask()
    waiting = ada.ask()
    ada.rule({"caps": [{**HOLD, "max": 2}]})
    ada.scope.restart(START + HOUR, 1, "publish")
    ada.slice.wake(ada.scope)
    assert ada.fates()[waiting or b""] == START + HOUR


def test_a_cap_that_comes_to_skip_still_lets_them_wait() -> None:
    ada = Ada({"caps": [HOLD]})
    ada.ask()
    waiting = ada.ask()
    ada.rule({"caps": [{**HOLD, "then": "skip", "max": 1}]})
    ada.to(START + 10 * DAY)
    assert ada.fates()[waiting or b""] == START + DAY


class Paper:
    name = "paper"

    def address(self, traits: Any) -> str | None:
        return "1 Main Street"

    def is_valid(self, address: str) -> bool:
        return True


@pytest.fixture
def paper() -> Iterator[None]:
    """A second channel, as if its file were there."""
    all_channels()["paper"] = Paper()
    yield
    del all_channels()["paper"]


@pytest.mark.usefixtures("paper")
def test_a_full_channel_sends_on_to_the_next() -> None:
    ada = Ada({"caps": [{"channel": "email", "max": 1, "per": "1d", "then": "next_channel"}]})
    for _ in range(2):
        ada.ask(channels=["email", "paper"])
    rows = ada.scope.effects.other[PlanMessage]
    assert [(row.channel, row.state, row.address) for row in rows] == [
        ("email", "planned", "ada@example.com"), ("paper", "planned", "1 Main Street"),
    ]  # fmt: skip
    ada.ask(channels=["email"])
    assert (rows[-1].state, rows[-1].reason) == ("skipped", "frequency_cap")


def test_two_who_are_one_count_together() -> None:
    ada, other = Ada({"caps": [HOLD]}), Ada({"caps": [HOLD]})
    other.ask()
    theirs = other.ask()
    ada.scope.restart(START + HOUR, 1, "absorb")
    ada.slice.absorb(other.section, ada.scope)
    ada.to(START + 10 * DAY)
    assert ada.fates()[theirs or b""] == START + DAY


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_caps_hold_the_order_stays_and_all_come_to_an_end(seed: int) -> None:
    chance = random.Random(seed)
    most, hours = chance.randint(1, 3), chance.choice([1, 6, 24])
    ada = Ada({"caps": [{"channel": "email", "max": most, "per": f"{hours}h", "then": "hold"}]})
    asked: list[bytes] = []
    gone: set[bytes] = set()
    for _ in range(60):
        ada.to(ada.now + chance.randint(0, 3 * HOUR))
        message = ada.ask()
        assert message is not None
        asked.append(message)
        sent = [one for one, fate in ada.fates().items() if isinstance(fate, int) and one not in gone]
        if sent and chance.random() < 0.2:
            refused = chance.choice(sent)
            gone.add(refused)
            ada.report("rejected", refused)
    ada.to(ada.now + 10 * DAY)
    fates = ada.fates()
    assert not ada.section.held
    assert "held" not in fates.values()
    went = [fates[each] for each in asked if isinstance(fates[each], int)]
    assert went == sorted(went), "first come, first served"
    kept = sorted(fates[each] for each in asked if isinstance(fates[each], int) and each not in gone)
    assert all(kept[i + most] - kept[i] >= hours * HOUR for i in range(len(kept) - most))
