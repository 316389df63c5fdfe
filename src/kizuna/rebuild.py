"""`kizuna rebuild`: fold the whole log again, compare with what the state holds, and write what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from psycopg import Connection

from kizuna.config import Config
from kizuna.core.errors import Conflict
from kizuna.engine import store
from kizuna.engine.engine import Engine
from kizuna.engine.program import Programs
from kizuna.engine.refold import History, Logged, differing
from kizuna.engine.slice import Workspace
from kizuna.folds import FOLDS, new_folder
from kizuna.profiles.fold import public
from kizuna.runtime import reach
from kizuna.runtime.database import connect
from kizuna.segments import store as segments
from kizuna.segments.section import MembershipChanged

ALL_PROGRAMS = (1 << 31) - 1


class Rebuilt(Struct):
    """What folding a workspace again came to. Past facts are authoritative: they are compared, never said anew."""

    workspace: str
    is_whole: bool = True  # False: the log no longer begins at its beginning, and nothing was done
    rows: int = 0
    records: int = 0
    differing: int = 0
    parked: int = 0  # not compared: their later items were not folded
    facts_missing: int = 0  # in the log, and not said again
    facts_new: int = 0
    counters: int = 0
    memberships: int = 0

    @property
    def is_same(self) -> bool:
        return not (self.differing or self.facts_missing or self.facts_new or self.counters or self.memberships)

    def line(self) -> str:
        if not self.is_whole:
            return (
                f"{self.workspace}: not rebuilt: its log begins later than its history, and the lake"
                " does not keep what records said to each other"
            )
        parked = f", {self.parked} parked profiles were left as they are" if self.parked else ""
        return (
            f"{self.workspace}: {self.records} records folded again from {self.rows} rows: {self.differing} differ,"
            f" {self.memberships} memberships, {self.counters} counters; of the facts {self.facts_missing} are missing"
            f" and {self.facts_new} new{parked}"
        )


def rebuild(config: Config, *, only: str | None = None, is_check: bool = False) -> list[Rebuilt]:
    """Each workspace in a transaction of its own; raises `Conflict` while anything else folds."""
    with reach.database(config) as url, connect(url, name="kizuna rebuild") as connection:
        count = store.partitions(connection)
        if not all(store.take_partition(connection, partition) for partition in range(count)):
            raise Conflict("workers are running on this database: stop Kizuna first")
        connection.commit()
        with connection.cursor(binary=True) as cursor:
            found = [each for each in store.workspaces(cursor, count).values() if only in (None, each.name)]
        if only and not found:
            raise Conflict(f"no workspace is named {only!r}")
        engine = Engine(new_folder(), Programs(FOLDS, count), public, state_of=lambda state, _: state)
        return [_Again(connection, engine, each, is_check=is_check).run() for each in found]


class _Again:
    """One workspace, partition by partition, so that memory holds one at a time."""

    def __init__(self, connection: Connection[Any], engine: Engine, workspace: Workspace, *, is_check: bool) -> None:
        self.connection = connection
        self.engine = engine
        self.workspace = workspace
        self.is_check = is_check
        self.said = Rebuilt(workspace.name)
        self.counters: Counter[str] = Counter()
        self.members: segments.Memberships = {}

    def run(self) -> Rebuilt:
        number = self.workspace.id
        with self.connection.transaction(), self.connection.cursor(binary=True) as cursor:
            heads = store.heads_of(cursor, number)
            if any(oldest != 1 for _, oldest in heads.values()):
                self.said.is_whole = False
                return self.said
            self.definitions = store.definitions(cursor, number, ALL_PROGRAMS)
            self.parked = {profile for owner, profile in store.parked_profiles(cursor, list(heads)) if owner == number}
            self.said.parked = len(self.parked)
            for partition, (applied, _) in heads.items():
                self.fold(cursor, partition, applied)
            self.settle(cursor)
            if not self.is_check:
                store.fence(cursor, number)
        return self.said

    def fold(self, cursor: Any, partition: int, applied: int) -> None:
        number, engine, codec = self.workspace.id, self.engine, self.engine.codec
        names = list(codec.kinds)
        rows = store.all_rows(cursor, number, partition)
        logged = Logged(rows, applied, store.all_duplicates(cursor, number, partition))
        writers = {MembershipChanged: self.hear}
        state = History(names, self.workspace, self.definitions, partition, logged, writers)
        engine.own(state, [partition])
        while engine.run(state):
            pass
        again, known = state.kept[number], store.all_records(cursor, number, partition, names)
        for profile in self.parked:
            again.records.pop(profile, None)
            known.pop(profile, None)
        wrong = differing(codec, known, again.records)
        if wrong and not self.is_check:
            store.delete_records(cursor, number, wrong)
            written = [codec.read(again.records[profile]) for profile in wrong if profile in again.records]
            for record in written:
                record.touched.update(names)
            store.insert(cursor, number, written, names, public)
            store.insert_alarms(cursor, number, written)
        facts = logged.facts()
        self.counters.update(again.counters)
        self.said.rows += len(rows)
        self.said.records += len(again.records)
        self.said.differing += len(wrong)
        self.said.facts_missing += len(facts - state.facts)
        self.said.facts_new += len(state.facts - facts)

    def hear(self, _: int, effects: Sequence[MembershipChanged]) -> None:
        for each in effects:
            if each.entered:
                self.members[each.segment, each.profile] = each.at
            else:
                self.members.pop((each.segment, each.profile), None)

    def settle(self, cursor: Any) -> None:
        """Counters and memberships follow from the records; with parked profiles they cannot be told apart."""
        if self.parked:
            return
        number = self.workspace.id
        counters = {name: value for name, value in self.counters.items() if value}
        known, members = store.counters(cursor, number), segments.all_memberships(cursor, number)
        self.said.counters = sum(counters.get(name) != known.get(name) for name in counters.keys() | known.keys())
        self.said.memberships = len(dict(self.members.items() ^ members.items()))
        if self.said.counters and not self.is_check:
            store.set_counters(cursor, number, counters)
        if self.said.memberships and not self.is_check:
            segments.set_memberships(cursor, number, self.members)
