"""A backtest: recorded history folded again with one definition in the place of its name, and nothing sent.

Consent, traits, caps and all other definitions are as they were then. The tested definition begins empty at `since`:
nobody is inside, nobody entered before. A message counts as sent at the instant for which it was granted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from psycopg import Connection

from kizuna.campaigns import definition as campaigns
from kizuna.core import exact_json, ids
from kizuna.engine import store as engine_store
from kizuna.engine.append import ITEMS, PUBLISH, TICK
from kizuna.engine.batch import Publish
from kizuna.engine.engine import Engine
from kizuna.engine.moment import RESUME, Item
from kizuna.engine.record import encode_section
from kizuna.engine.replay import Replay
from kizuna.engine.slice import Definition, Effects, Scope, Workspace
from kizuna.engine.state import LogRow
from kizuna.insight import money, store
from kizuna.insight.backtest import tested
from kizuna.insight.backtest.tally import Tally
from kizuna.insight.backtest.tested import Kind, Tested
from kizuna.journeys.section import Journeys
from kizuna.runtime.lake.query import Lake
from kizuna.runtime.lake.recorded import recorded
from kizuna.segments import answer, rule
from kizuna.segments.history import Fill
from kizuna.segments.section import Segments

ALL_PROGRAMS = (1 << 30) - 1  # they are doubled
SAMPLE = 20
_FILL, _LAUNCH = b"\xa4fill", b"\xa6launch"  # types as MessagePack writes them

_decode = msgspec.msgpack.Decoder(list[Item]).decode
_decode_fill = msgspec.msgpack.Decoder(Fill).decode
_encode = msgspec.msgpack.encode

Progress = Callable[[float], None]  # the share that is done


class Asked(Struct, frozen=True, kw_only=True):
    """The question; [since, until). Without `definition`: what is published, else the draft."""

    kind: Kind
    name: str
    since: int
    until: int
    definition: dict[str, Any] | None = None
    sample: int = SAMPLE  # entries that are shown whole


def backtest(
    connection: Connection[Any],
    lake: Lake,
    engine: Engine,
    workspace: Workspace,
    asked: Asked,
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """The answer as the API gives it. Changes nothing; raises `Invalid` or `NotFound` before it begins.

    `engine` folds over a state in memory and keeps what `tested.rules_of_test` asks (`folds.memory_engine`).
    """
    began = time.process_time()
    with connection.cursor(binary=True) as cursor:
        definitions = engine_store.definitions(cursor, workspace.id, ALL_PROGRAMS)
    draft = store.draft(connection, workspace.id, asked.kind, asked.name)
    trial = tested.find(definitions, asked.kind, asked.name, asked.definition, draft)
    tally = Tally(trial, asked.since, workspace.zone, asked.sample)
    test = _Test(engine, workspace, tested.before(definitions, trial), trial, asked, tally)
    launches = _launches(connection, lake, workspace, asked, trial) if asked.kind == "campaign" else []
    rows = recorded(connection, lake, workspace.id, asked.until, clock=workspace.clock)
    try:
        test.run(rows, launches, progress)
    finally:
        connection.rollback()
    return test.answer(time.process_time() - began)


class _Test:
    """One passage through history, read downward."""

    def __init__(
        self,
        engine: Engine,
        workspace: Workspace,
        definitions: list[Definition],
        trial: Tested,
        asked: Asked,
        tally: Tally,
    ) -> None:
        self.engine = engine
        self.workspace = workspace
        self.definitions = definitions
        self.trial = trial
        self.asked = asked
        self.tally = tally
        self.rows = 0

    def run(self, rows: Iterable[Any], launches: list[int], progress: Progress) -> None:
        asked = self.asked
        replay = self.replay = Replay(
            self.engine, self.workspace, self.definitions, self.read(rows),
            hear=self.tally.hear, writers=self.tally.writers, relays_anew=True,
        )  # fmt: skip
        first = replay.first or asked.since
        length = max(1, asked.until - first)

        def tell(at: int) -> None:
            progress(min(1.0, max(0, at - first) / length))

        replay.run(asked.since, tell)
        self.begin(replay)
        for at in launches:
            replay.run(at, tell)
            self.launch(replay, at)
        replay.run(asked.until, tell)

    def begin(self, replay: Replay) -> None:
        """The tested definition takes the place of its name, and finds nobody in it."""
        at, program = self.asked.since, max(head.program for head in replay.made.heads) | 1
        self.empty(replay)
        replay.made.definitions = tested.after(self.definitions, self.trial, program, at)
        replay.publish(at, program, self.trial.wakes)

    def empty(self, replay: Replay) -> None:
        """Of the definition that ruled before, records know nothing more."""
        section = {"journey": "journeys", "segment": "segments"}.get(self.trial.kind)
        if section is None:
            return
        place, name, records = replay.sections.index(section), self.trial.name, replay.made.records
        for profile, record in list(records.items()):
            body = record.sections[place]
            if body is None or name.encode() not in body:
                continue
            found = self.engine.codec.decoders[section](body)
            if isinstance(found, Journeys):
                found.open = [run for run in found.open if run.journey != name]
                found.ended = [each for each in found.ended if each.journey != name]
                found.watched = [each for each in found.watched if each.journey != name]
            elif isinstance(found, Segments):
                found.member_of.pop(name, None)
            sections = (*record.sections[:place], encode_section(found), *record.sections[place + 1 :])
            records[profile] = replace(record, sections=sections)
        replay.forget()

    def launch(self, replay: Replay, at: int) -> None:
        """Say the campaign to the members of its segment at this instant, as a launch does."""
        replay.say(at, TICK)  # who enters or leaves at this very instant has done so
        members = sorted(self.members(replay, at))
        launched = ids.show("lch", ids.derive("backtest", self.trial.name, at))
        said = exact_json.encode(
            {"campaign": self.trial.name, "launch": launched, "version": self.trial.version},
        )
        for profile in members:
            self.tally.enter(profile, at, None)
        replay.tell(
            at,
            [
                Item(
                    profile, ids.show("evt", ids.derive("launch", launched, profile)), "launch", "campaign_launched",
                    timestamp=at, properties=said, received_at=at,
                )
                for profile in members
            ],
        )  # fmt: skip

    def members(self, replay: Replay, at: int) -> Iterator[bytes]:
        """Who is in the campaign's segment, or of whom its rule is true."""
        segment, where = self.trial.body.get("segment"), self.trial.body.get("where")
        key = rule.rule_key(where) if segment is None else ""
        for profile, stored in replay.made.records.items():
            record = self.engine.codec.read(stored)
            if record["profiles"].merged_into:
                continue
            program = replay.made.heads[record.partition].program
            scope = Scope(self.workspace, self.engine.programs.compiled(replay, self.workspace, program), Effects())
            scope.record, scope.now = record, at
            section: Segments = record["segments"]
            if segment in section.member_of if segment is not None else answer.holds(scope, key):
                yield profile

    # history, prepared -----------------------------------------------------------------------------------------------

    def read(self, rows: Iterable[Any]) -> Iterator[LogRow]:
        """Rows with program versions doubled, and without what the real definition said for itself."""
        for row in rows:
            self.rows += 1
            body = row.body
            if row.kind == PUBLISH:
                said = msgspec.msgpack.decode(body, type=Publish)
                body = _encode(Publish(said.program * 2 + (row.at >= self.asked.since), said.sweep))
            elif row.kind == ITEMS and (_FILL in body or _LAUNCH in body):
                body = _encode([self.prepared(item, row.at) for item in _decode(body)])
            yield LogRow(row.partition, row.offset, row.at, row.root, row.kind, body, row.items)

    def prepared(self, item: Item, at: int) -> Item:
        if item.type == "fill":
            fill = _decode_fill(item.properties)
            return replace(item, properties=_encode(replace(fill, program=fill.program * 2)))
        is_launch = item.type == "launch" and self.trial.kind == "campaign" and at >= self.asked.since
        if is_launch and exact_json.decode(item.properties)["campaign"] == self.trial.name:
            return replace(item, type=RESUME)
        return item

    # the answer ------------------------------------------------------------------------------------------------------

    def answer(self, seconds: float) -> dict[str, Any]:
        tally, asked, currency = self.tally, self.asked, self.workspace.currency
        return {
            "kind": asked.kind,
            "name": asked.name,
            "version": self.trial.version,
            "entered": tally.entered,
            "messages": {
                "sent": tally.sent,
                "skipped": tally.skipped.total(),
                "by_step": _shown(tally.by_step),
                "by_channel": _shown(tally.by_channel),
                "by_variant": _shown(tally.by_variant),
                "skipped_by_reason": _shown(tally.skipped),
            },
            "exits": _shown(tally.exits),
            "goals": tally.goals,
            "goal_value": f"{tally.goal_value:f}",
            # No provider has a price list yet: what is sent costs nothing that we know of, and that is said.
            "cost": {**(money.show(0, currency) or {}), "unpriced": tally.sent},
            "per_day": tally.per_day(asked.until),
            "sample": tally.sample(),
            "profiles": len(self.replay.made.records),
            "parked": len({each.profile for each in self.replay.made.parked}),
            "rows": self.rows,
            "seconds": round(seconds, 2),
        }


def _launches(connection: Connection[Any], lake: Lake, workspace: Workspace, asked: Asked, trial: Tested) -> list[int]:
    """When it was launched in that time; a campaign that never was is launched once, as its schedule says."""
    params = {"name": asked.name, "since": asked.since, "until": asked.until}
    found = [row[0] for row in lake.query_sync(connection, workspace.id, store.LAUNCHES, params)]
    begins_at = campaigns.parse(trial.body).when().begins_at(asked.since)
    return found or [begins_at] * (begins_at < asked.until)


def _shown(counts: dict[str, int]) -> dict[str, int]:
    return {name: number for name, number in sorted(counts.items()) if number}
