"""Counts what a tested definition would have done, as the fold says it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from kizuna.core import clock, exact_json, ids
from kizuna.engine.memory import Writer
from kizuna.engine.moment import Item
from kizuna.insight import period
from kizuna.insight.backtest.tested import Tested
from kizuna.messages.message import CancelPlanned, EndPlanned, MovePlanned, PlanMessage

EXITED = "exited"
MOST_WAITING, WEEK = 100_000, 7 * clock.DAY
_QUARTER = 900_000_000  # a quarter of an hour: no zone has its midnight within one


class Passage(Struct):
    """One entry, and what came of it."""

    profile: str
    run: str | None
    entered_at: int
    key: str | None = None
    is_holdout: bool = False
    messages: list[dict[str, Any]] = field(default_factory=list)
    goal_at: int | None = None
    left_at: int | None = None
    exit_reason: str | None = None

    def shown(self) -> dict[str, Any]:
        return {
            "profile": self.profile,
            "run": self.run,
            "key": self.key,
            "entered_at": clock.show(self.entered_at),
            "holdout": self.is_holdout,
            "messages": self.messages,
            "goal_at": None if self.goal_at is None else clock.show(self.goal_at),
            "left_at": None if self.left_at is None else clock.show(self.left_at),
            "exit_reason": self.exit_reason,
        }


class Tally:
    """Hears facts and messages from `since` on; `most` is how many passages are kept whole."""

    def __init__(self, tested: Tested, since: int, zone: str, most: int) -> None:
        self.tested = tested
        self.since = since
        self.zone = zone
        self.most = most
        self.entered = self.goals = self.sent = 0
        self.goal_value = Decimal(0)
        self.exits: Counter[str] = Counter()
        self.by_step: Counter[str] = Counter()
        self.by_channel: Counter[str] = Counter()
        self.by_variant: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.days: defaultdict[date, Counter[str]] = defaultdict(Counter)
        self.passages: dict[str, Passage] = {}
        self._waiting: dict[bytes, PlanMessage] = {}  # granted for a later instant
        self._of_run: defaultdict[str | None, set[bytes]] = defaultdict(set)
        self._day_of = lru_cache(64)(lambda quarter: clock.to_local(quarter * _QUARTER, zone).date())

    @property
    def writers(self) -> Mapping[type, Writer]:
        return {
            PlanMessage: self._plan,
            CancelPlanned: self._cancel,
            MovePlanned: self._move,
            EndPlanned: self._end,
        }

    def hear(self, fact: Item) -> None:
        if fact.timestamp < self.since:
            return
        match self.tested.kind, fact.name:
            case "journey", "journey_entered" | "journey_goal" | "journey_exited":
                said = exact_json.decode(fact.properties)
                if said["journey"] == self.tested.name:
                    self._journey(fact, said)
            case "segment", "segment_entered" | "segment_left":
                if exact_json.decode(fact.properties)["segment"] == self.tested.name:
                    self._segment(fact)
            case _:
                pass

    def enter(self, profile: bytes, at: int, run: str | None, key: str = "", *, is_holdout: bool = False) -> None:
        self.entered += 1
        self._day(at)["entered"] += 1
        name = run or ids.show("prf", profile)
        if run is None and (earlier := self.passages.pop(name, None)):
            self.passages[f"{name} {earlier.entered_at}"] = earlier
        passage = self._passage(profile, name, at)
        if passage:
            passage.run, passage.key, passage.is_holdout, passage.entered_at = run, key or None, is_holdout, at

    def per_day(self, until: int) -> list[dict[str, Any]]:
        names = ("entered", "sent", "skipped", "goals", "exits")
        return [
            {"day": cut.day.isoformat(), **{name: self.days[cut.day][name] for name in names}}
            for cut in period.cuts(self.since, until, "1d", self.zone)
        ]

    def sample(self) -> list[dict[str, Any]]:
        """In the order of their entries."""
        return [each.shown() for each in sorted(self.passages.values(), key=lambda one: (one.entered_at, one.profile))]

    # what is said ----------------------------------------------------------------------------------------------------

    def _journey(self, fact: Item, said: dict[str, Any]) -> None:
        run, day = said["run"], self._day(fact.timestamp)
        if fact.name == "journey_entered":
            self.enter(fact.profile, fact.timestamp, run, said.get("key", ""), is_holdout=bool(said.get("holdout")))
            return
        passage = self.passages.get(run)
        if fact.name == "journey_goal":
            self.goals += 1
            self.goal_value += _number(said.get("value"))
            day["goals"] += 1
            if passage:
                passage.goal_at = fact.timestamp
        else:
            self.exits[said["reason"]] += 1
            day["exits"] += 1
            if passage:
                passage.left_at, passage.exit_reason = fact.timestamp, said["reason"]

    def _segment(self, fact: Item) -> None:
        if fact.name == "segment_entered":
            self.enter(fact.profile, fact.timestamp, None)
            return
        self.exits["segment_left"] += 1
        self._day(fact.timestamp)["exits"] += 1
        passage = self.passages.get(ids.show("prf", fact.profile))
        if passage:
            passage.left_at, passage.exit_reason = fact.timestamp, "segment_left"

    def _plan(self, _: int, rows: Sequence[PlanMessage]) -> None:
        for row in rows:
            purpose = row.journey if self.tested.kind == "journey" else row.campaign
            if purpose != self.tested.name or row.at < self.since or self.tested.kind == "segment":
                continue
            if row.state == "skipped":
                self._skip(row, row.reason or "unknown")
            else:
                self._send(row, 1)
                if row.due_at > row.at:
                    self._waiting[row.id] = row
                    self._of_run[row.run].add(row.id)
                    self._forget(row.at)
            passage = self._passage(row.profile, row.run or ids.show("prf", row.profile), row.at)
            if passage:
                passage.messages.append(_message(row))

    def _cancel(self, _: int, rows: Sequence[CancelPlanned]) -> None:
        for row in rows:
            for message in self._of_run.pop(row.run, ()):
                self._leave_out(message, EXITED, row.at)

    def _move(self, _: int, rows: Sequence[MovePlanned]) -> None:
        for row in rows:
            if message := self._waiting.get(row.id):
                self._send(message, -1)
                self._waiting[row.id] = replace(message, due_at=row.due_at)
                self._send(self._waiting[row.id], 1)

    def _end(self, _: int, rows: Sequence[EndPlanned]) -> None:
        for row in rows:
            self._leave_out(row.id, row.reason, 0)

    def _leave_out(self, message: bytes, reason: str, at: int) -> None:
        row = self._waiting.pop(message, None)
        if row is not None and row.due_at > at:
            self._send(row, -1)
            self._skip(row, reason)
            passage = self.passages.get(row.run or ids.show("prf", row.profile))
            for each in passage.messages if passage else ():
                if each["id"] == ids.show("msg", row.id):
                    each["state"], each["reason"] = "skipped", reason

    def _forget(self, now: int) -> None:
        """What went long ago can no longer be left out."""
        if len(self._waiting) > MOST_WAITING:
            self._waiting = {name: row for name, row in self._waiting.items() if row.due_at > now - WEEK}
            self._of_run.clear()
            for row in self._waiting.values():
                self._of_run[row.run].add(row.id)

    def _send(self, row: PlanMessage, by: int) -> None:
        self.sent += by
        self._day(row.due_at)["sent"] += by
        self.by_channel[row.channel] += by
        if row.step:
            self.by_step[row.step] += by
        if row.variant:
            self.by_variant[row.variant] += by

    def _skip(self, row: PlanMessage, reason: str) -> None:
        self.skipped[reason] += 1
        self._day(row.at)["skipped"] += 1

    def _passage(self, profile: bytes, name: str, at: int) -> Passage | None:
        found = self.passages.get(name)
        if found is None and len(self.passages) < self.most:
            found = self.passages[name] = Passage(ids.show("prf", profile), None, at)
        return found

    def _day(self, at: int) -> Counter[str]:
        return self.days[self._day_of(at // _QUARTER)]


def _message(row: PlanMessage) -> dict[str, Any]:
    return {
        "id": ids.show("msg", row.id),
        "step": row.step,
        "variant": row.variant,
        "channel": row.channel,
        "template": row.template,
        "at": clock.show(row.due_at),
        "state": "sent" if row.state == "planned" else row.state,
        "reason": row.reason,
    }


def _number(value: Any) -> Decimal:
    """What a goal is worth; text that is no number is worth nothing."""
    try:
        found = Decimal(str(value))
    except ArithmeticError:
        return Decimal(0)
    return found if found.is_finite() and not isinstance(value, bool) else Decimal(0)
