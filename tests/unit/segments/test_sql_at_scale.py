"""The two readings agree over 3,000 random rules and as many histories; so do all orders and pieces of a history.

A round is a seed: `pytest "tests/unit/segments/test_sql_at_scale.py::test_both_readings_agree[17]"` replays one.
"""

from __future__ import annotations

from random import Random
from typing import Any

import duckdb
import msgspec
import pytest

from kizuna.core import clock, exact_json, ids
from kizuna.engine.moment import Item
from kizuna.segments.history import Past, fill_item, fill_states
from kizuna.segments.rule import parse
from kizuna.segments.sql import compile_sql
from kizuna.testing.rules import Draw, Happening

ROUNDS = 100
RULES = 30  # a round
PEOPLE = [f"p{number:02d}" for number in range(30)]
EACH = 7  # things a customer does, on average
HOUR, DAY = clock.HOUR, clock.DAY


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_both_readings_agree(world: Any, seed: int) -> None:
    """Membership by events and timers alone equals the SQL reading of the same history, at every instant looked at."""
    story = Story(world, seed)
    half = len(story.history) // 2
    story.tell(story.history[:half])
    if seed % 4 == 0:
        story.agree()
    story.tell(story.history[half:])
    story.agree()
    last = story.told.now
    for instant in story.draw.edges(story.history, 1 + seed % 2):
        if instant > last:
            story.told.until(instant)
            story.agree()


@pytest.mark.parametrize("seed", range(ROUNDS, ROUNDS + 12))
def test_order_delay_and_pieces_do_not_matter(world: Any, seed: int) -> None:
    """As it happened; all late and in another order; cut in two, the first part filled in after the second."""
    straight = Story(world, seed)
    straight.tell(straight.history)
    end = straight.draw.start + 9 * DAY  # whatever was dated ahead has come
    straight.told.until(end)
    chance = straight.draw.chance
    shuffled, pieces = Story(world, seed, rules=straight.rules), Story(world, seed, rules=straight.rules, filled=True)
    for other in (shuffled, pieces):
        other.told.until(end)
    mixed = mixed_up(chance, list(enumerate(straight.history)))
    for number, happened in mixed:
        shuffled.tell_late(number, happened)
    cut = chance.randrange(len(mixed) + 1)
    for place, (number, happened) in enumerate(mixed):
        if place >= cut or happened.type not in COUNTED:
            pieces.tell_late(number, happened)
    pieces.fill([(number, happened) for number, happened in mixed[:cut] if happened.type in COUNTED])
    shuffled.same_as(straight, mixed)
    pieces.same_as(straight, mixed)
    for instant in [*straight.draw.edges(straight.history, 2), end + 40 * DAY]:
        if instant > straight.told.now:
            for each in (straight, shuffled, pieces):
                each.told.until(instant)
            shuffled.same_as(straight, mixed)
            pieces.same_as(straight, mixed)


def mixed_up(chance: Random, history: list[tuple[int, Happening]]) -> list[tuple[int, Happening]]:
    """Events in any order; what is said of consent and traits keeps its own, for of equal times the later rules."""
    mixed = chance.sample(history, len(history))
    others = iter([each for each in history if each[1].type not in COUNTED])
    return [each if each[1].type in COUNTED else next(others) for each in mixed]


COUNTED = ("track", "page", "screen", "report")


class Story:
    """A world with the rules of a seed, and what was said in it so far."""

    def __init__(self, world: Any, seed: int, *, rules: dict[str, Any] | None = None, filled: bool = False) -> None:
        self.seed = seed
        self.draw = Draw(seed)
        drawn = self.draw.rules(RULES)
        self.rules = rules or drawn
        self.zones = self.draw.zones(PEOPLE)
        self.history = self.draw.history(PEOPLE, EACH)
        programs = [{"older": {"did": "Nothing"}}, self.rules] if filled else [self.rules]
        self.told = world(*programs, zone=self.draw.zone)
        if filled:
            self.told.rule(1)
        self.told.now = self.draw.start - DAY
        self.events: list[tuple[Any, ...]] = []
        self.shown = {who: ids.show("prf", self.told.profile(who)) for who in PEOPLE}
        for who in PEOPLE:
            self.told.say("identify", user=who, zone=self.zones[who])
        if filled:
            self.told.rule(2)

    def tell(self, history: list[Happening]) -> None:
        for each in history:
            self.told.until(each.said_at)
            self.told.say(each.type, each.name, user=each.who, at=each.timestamp, **each.body)
            if each.type in COUNTED:
                body = self.told.last.properties.decode()
                row = (self.shown[each.who], each.type, each.name, each.timestamp, self.told.said, body)
                self.events.append(row)

    def tell_late(self, number: int, happened: Happening) -> None:
        """Said at the end of it all, but counted among what came at one time by its number."""
        told = self.told
        record = told.record(happened.who)
        item = Item(
            profile=record.id, id=f"e{number}", type=happened.type, name=happened.name, timestamp=happened.timestamp,
            user_id=happened.who, properties=exact_json.encode(happened.body), received_at=told.now,
        )  # fmt: skip
        told.said = number + 1
        told.take(record, item)

    def fill(self, past: list[tuple[int, Happening]]) -> None:
        """What a publish would bring to each record: the history before it."""
        told = self.told
        at = (told.now - 1_577_836_800_000_000) << 12
        rows = [
            Past(
                told.profile(each.who), each.name, each.timestamp, at | (number + 1),
                exact_json.decode(exact_json.encode(each.body)), told.now,
            )
            for number, each in past
        ]  # fmt: skip
        rows.sort(key=lambda row: (row.profile, row.timestamp, row.arrival))
        zones = {told.profile(who): zone for who, zone in self.zones.items() if zone}
        gained = told.program["segments"].gained(2)
        states = fill_states(gained, rows, told.now, zones, self.draw.zone)
        for who in PEOPLE:
            record = told.record(who)
            told.take(record, fill_item(record.id, 2, states.get(record.id, {}), told.now))

    # what must be the same -------------------------------------------------------------------------------------------

    def members(self) -> set[tuple[str, str]]:
        return {(name, who) for who in PEOPLE for name in self.told.members(who) if name in self.rules}

    def agree(self) -> None:
        now, names = self.told.now, {shown: who for who, shown in self.shown.items()}
        self.lay_out()
        zones = {zone for zone in self.zones.values() if zone}
        sql = {name: compile_sql(parse(raw), now, self.draw.zone, zones) for name, raw in self.rules.items()}
        asked = " UNION ALL ".join(f"SELECT '{name}', profile FROM ({each})" for name, each in sql.items())
        by_sql = {(name, names[profile]) for name, profile in _duck.execute(asked).fetchall()}
        self.differ(self.members(), by_sql, "sql")

    def same_as(self, other: Story, mixed: Any) -> None:
        self.differ(other.members(), self.members(), "in another order")
        now, program = self.told.now, self.told.program["segments"]
        for who in PEOPLE:
            states, zone = [each.told.record(who)["segments"].leaves for each in (other, self)], self.zones[who]
            for key, leaf in program.leaves.items():
                if key in states[0] or key in states[1]:
                    for instant in (now, now + 2 * HOUR, now + 3 * DAY, now + 40 * DAY):
                        one, two = (leaf.answer(each.get(key), instant, zone or self.draw.zone) for each in states)
                        assert one == two, (self.seed, who, key, states[0].get(key), states[1].get(key))

    def differ(self, fold: set[tuple[str, str]], other: set[tuple[str, str]], what: str) -> None:
        if fold == other:
            return
        lines = [f"seed {self.seed} at {clock.show(self.told.now)}, zone {self.draw.zone}: fold and {what} differ"]
        for name, who in sorted(fold ^ other)[:3]:
            lines.append(f"{name} {who} ({self.zones[who]}) fold says {(name, who) in fold}: {self.rules[name]}")
            lines += [f"   {clock.show(row[3])} {row[2]} {row[5]}" for row in self.events if row[0] == self.shown[who]]
            lines.append(f"   traits {self.told.record(who)['profiles'].traits}")
        pytest.fail("\n".join(lines))

    def lay_out(self) -> None:
        """The relations that SQL reads."""
        fill_table("events", "profile type event timestamp arrival properties", self.events)
        people, members, consents = [], [], []
        for who, shown in self.shown.items():
            record = self.told.record(who)
            people.append((shown, msgspec.json.encode(record["profiles"].traits).decode(), record["profiles"].zone))
            members += [(shown, name) for name in record["segments"].member_of]
            consents += [(shown, channel, "", state) for channel, state in record["consent"].channels.items()]
            for channel, topics in record["consent"].topics.items():
                consents += [(shown, channel, topic, state) for topic, state in topics.items()]
        fill_table("profiles", "profile traits zone", people)
        fill_table("memberships", "profile segment", members)
        fill_table("consents", "profile channel topic state", consents)


_duck = duckdb.connect()
_duck.execute("SET TimeZone = 'UTC'")
_duck.execute("SET threads = 1")


def fill_table(name: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
    kinds = {"timestamp": "BIGINT", "arrival": "BIGINT"}
    typed = ", ".join(f"{column} {kinds.get(column, 'VARCHAR')}" for column in columns.split())
    _duck.execute(f"CREATE OR REPLACE TABLE {name} ({typed})")
    if rows:
        shown = ", ".join("(" + ", ".join(_constant(each) for each in row) + ")" for row in rows)
        _duck.execute(f"INSERT INTO {name} VALUES {shown}")


def _constant(value: Any) -> str:
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"
