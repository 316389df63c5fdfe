"""A batch: load some records, fold what is new for them, write once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from kizuna.engine.append import APPLIED, ITEMS, PUBLISH, Row, row_of
from kizuna.engine.moment import FROM_OUTSIDE, ONCE, REMEMBERED, RESUME, Item, Moment, message_key
from kizuna.engine.poison import PoisonError
from kizuna.engine.record import Record
from kizuna.engine.slice import Effects, Scope, Workspace
from kizuna.engine.state import Head, LogRow, ParkedItem, State, Written

if TYPE_CHECKING:
    from kizuna.engine.engine import Engine

Place = tuple[int, int, int]  # partition, offset, index

EVERY = 1 << 31  # more profiles than a partition has


class Publish(Struct, frozen=True):
    """The body of a publish row: the program version that rules from here on."""

    program: int
    sweep: str = ""  # a section whose records must be woken at once


class Batch:
    """One transaction over some rows of some partitions of one workspace."""

    def __init__(
        self,
        engine: Engine,
        state: State,
        workspace: int,
        heads: list[Head],
        poisonous: Mapping[bytes, str],
    ) -> None:
        self.engine = engine
        self.state = state
        self.heads = {head.partition: msgspec.structs.replace(head) for head in heads}
        self.poisonous = poisonous
        self.held = {*poisonous, *(profile for owner, profile in engine.parked if owner == workspace)}
        self.workspace: Workspace = engine.programs.workspace(state, workspace)
        self.effects = Effects()
        self.records: dict[bytes, Record] = {}
        self.parked: list[ParkedItem] = []
        self.resumed: set[bytes] = set()
        self.duplicates: list[Place] = []
        self.rung: list[tuple[bytes, int]] = []
        self.scopes: dict[int, Scope] = {}  # by program version
        self.roots: dict[int, int] = {}  # of the last row of each partition
        self.passed: dict[int, int] = {}  # the instant of the last row folded of each partition
        self.swept: set[bytes] = set()  # profiles with something stored in a section that a publish sweeps

    def run(self, *, commit: bool = True) -> None:
        rows = self.choose(self.state.read_rows(list(self.heads.values()), self.engine.rows))
        due = self.due(rows)
        said = [(row, row.decode() if row.kind == ITEMS else []) for row in rows]
        self.load(said, due)
        self.drop_seen(said)
        for row, items in said:
            self.take(row, items)
        for profile in due:
            self.fire(self.records[profile])
        for record in self.records.values():  # timers that this very batch has set and its last row has passed
            if 0 < record.wake_at <= self.heads[record.partition].at:
                self.fire(record)
        self.mark()
        self.write(is_last=commit)
        if commit:
            self.state.commit()
            self.keep()

    # what is folded --------------------------------------------------------------------------------------------------

    def choose(self, rows: list[LogRow]) -> list[LogRow]:
        """As many rows as make a batch, fairly over the partitions; the heads move to the last one chosen.

        A batch ends before a messageId of its first row may be said again.
        """
        by_partition: dict[int, list[LogRow]] = {}
        for row in rows:
            by_partition.setdefault(row.partition, []).append(row)
        share = self.engine.share
        chosen: list[LogRow] = []
        for partition, head in self.heads.items():
            found = by_partition.get(partition, [])
            taken = items = 0
            for row in found:
                if taken and (items + row.items > share or row.at - found[0].at >= REMEMBERED):
                    break
                taken, items = taken + 1, items + row.items
                if row.kind == PUBLISH:
                    break
            chosen += found[:taken]
            complete = taken == len(found) and len(found) < self.engine.rows
            head.applied = head.offset if complete else found[taken - 1].offset
            head.at = found[taken - 1].at if taken else 0
            self.roots[partition] = found[taken - 1].root if taken else 0
        return chosen

    def due(self, rows: list[LogRow]) -> list[bytes]:
        """Profiles with timers up to the last row of their partition; too many are fired first, before any row."""
        until = {partition: head.at for partition, head in self.heads.items() if head.at}
        if not until:
            return []
        found = self.state.due_profiles(self.workspace.id, until, self.engine.items)
        if len(found) >= self.engine.items:
            horizon = found[-1][1]
            if self.hold_back(rows, horizon):
                until = {partition: min(at, horizon) for partition, at in until.items()}
                found = self.state.due_profiles(self.workspace.id, until, EVERY)
        self.rung = found
        return list(dict.fromkeys([profile for profile, _ in found]))

    def hold_back(self, rows: list[LogRow], horizon: int) -> bool:
        """Only timers up to the horizon are known: rows from there on are left for a later batch.

        An event comes before a timer of the same instant: where there is one, rows of the horizon itself are kept,
        and True says that all timers of it must be known.
        """
        held: dict[int, LogRow] = {}
        for row in rows:
            if row.at >= horizon:
                held.setdefault(row.partition, row)
        is_met = any(row.at == horizon and row.kind == ITEMS for row in held.values())
        if is_met:
            held.clear()
            for row in rows:
                if row.at > horizon:
                    held.setdefault(row.partition, row)
        rows[:] = [row for row in rows if row.at < horizon + is_met]
        for partition, row in held.items():
            head = self.heads[partition]
            head.applied, head.at = row.offset - 1, horizon
            self.roots[partition] = row.root
        return is_met

    def load(self, said: list[tuple[LogRow, list[Item]]], due: list[bytes]) -> None:
        workspace, cache = self.workspace.id, self.engine.cache
        wanted = {item.profile: row.partition for row, items in said for item in items}
        wanted.update((profile, -1) for profile in due)
        for row, _ in said:
            sweep = self.publish_of(row).sweep if row.kind == PUBLISH else ""
            if sweep:
                for profile in self.state.sweep_profiles(workspace, row.partition, sweep):
                    self.swept.add(profile)
                    wanted.setdefault(profile, row.partition)
        missing: list[bytes] = []
        for profile in wanted:
            record = cache.get((workspace, profile))
            if record is None:
                missing.append(profile)
            else:
                self.records[profile] = record
        if missing:
            for stored in self.state.load(workspace, missing):
                record = self.records[stored.id] = self.engine.codec.read(stored)
                self.engine.folder.set_wake(record)
            for profile in missing:
                if profile not in self.records:
                    self.records[profile] = self.engine.codec.fresh(profile, wanted[profile])

    def drop_seen(self, said: list[tuple[LogRow, list[Item]]]) -> None:
        """Keep the first of each messageId; what was seen in the last 90 days is noted and not folded."""
        first: dict[bytes, tuple[LogRow, int, Item]] = {}
        again: list[tuple[LogRow, int, Item]] = []
        for row, items in said:
            for index, item in enumerate(items):
                if item.type in ONCE:
                    key = message_key(item.id)
                    if key in first:
                        again.append((row, index, item))
                    else:
                        first[key] = (row, index, item)
        if first:
            known = self.state.repeated(self.workspace.id, {key: row.at for key, (row, _, _) in first.items()})
            again += [first[key] for key in known]
        self.unseen: dict[tuple[int, int], set[int]] = {}
        for row, index, item in again:
            self.duplicates.append((row.partition, row.offset, index))
            self.unseen.setdefault((row.partition, row.offset), set()).add(index)
            for part in self.engine.folder.told_of_repeats:
                for effect in part.repeated(item):
                    self.effects.ask(effect)

    # folding ---------------------------------------------------------------------------------------------------------

    def publish_of(self, row: LogRow) -> Publish:
        return msgspec.msgpack.decode(row.body, type=Publish)

    def scope_of(self, partition: int) -> Scope:
        program = self.heads[partition].program
        scope = self.scopes.get(program)
        if scope is None:
            compiled = self.engine.programs.compiled(self.state, self.workspace, program)
            scope = self.scopes[program] = Scope(self.workspace, compiled, self.effects)
        return scope

    def take(self, row: LogRow, items: list[Item]) -> None:
        if row.kind == PUBLISH:
            self.take_publish(row)
        elif row.kind == ITEMS:
            self.fold(row, enumerate(items))
            self.engine.folded += len(items)
        self.passed[row.partition] = row.at

    def fold(self, row: LogRow, items: Iterable[tuple[int, Item]]) -> None:
        """Items of a row, each with its place in it."""
        scope, program = self.scope_of(row.partition), self.heads[row.partition].program
        records, advance, at, root = self.records, self.engine.folder.advance, row.at, row.root
        unseen, passed = self.unseen.get((row.partition, row.offset), ()), self.passed.get(row.partition, 0)
        for index, item in items:
            if index in unseen:
                continue
            profile = item.profile
            if profile in self.held:
                self.hold(row, index, item)
                continue
            record = records[profile]
            if 0 < record.wake_at <= passed <= at:  # due with the row before this one: so it is in any other batch
                self.fire(record, passed, root)
            scope.record, record.program = record, program
            if item.type in FROM_OUTSIDE:
                if item.timestamp > record.seen_at:
                    record.seen_at = min(item.timestamp, at)
            elif item.type == RESUME:  # nothing is parked of it
                continue
            if not record.created_at and record.is_new:
                record.created_at = at
            try:
                advance(Moment(item, at, root, index), scope)
            except Exception as error:
                raise PoisonError(profile, error) from error

    def fire(self, record: Record, until: int = 0, root: int = 0) -> None:
        """Fire what is due of a record that no row touched."""
        if record.id in self.held:
            record.wake_at = 0
            return
        head = self.heads[record.partition]
        scope = self.scope_of(record.partition)
        scope.record = record
        record.program = head.program
        try:
            self.engine.folder.fire(scope, until or head.at, root or self.roots[record.partition])
        except Exception as error:
            raise PoisonError(record.id, error) from error

    def take_publish(self, row: LogRow) -> None:
        publish = self.publish_of(row)
        for record in self.records.values():  # what was due until then fires under the old program
            if record.partition == row.partition and 0 < record.wake_at <= row.at:
                self.fire(record, row.at, row.root)
        self.heads[row.partition].program = publish.program
        if publish.sweep:
            for record in list(self.records.values()):
                if record.partition == row.partition and self.has(record, publish.sweep):
                    section = record.sections[publish.sweep]
                    section.wake_at = min(row.at, section.wake_at or row.at)
                    record.touch(publish.sweep)  # one that waits for an answer, or is parked, is woken after it
                    self.engine.folder.set_wake(record)
                    self.fire(record, row.at, row.root)

    def has(self, record: Record, section: str) -> bool:
        """Whether there is such a section: stored, or written by this batch."""
        return section in record.touched or record.id in self.swept

    def hold(self, row: LogRow, index: int, item: Item) -> None:
        """An item of a profile that is parked queues, unless it says that the profile may go on."""
        if item.type == RESUME and item.profile not in self.poisonous:
            self.resume(item.profile)
        else:
            self.park(row, index, item)

    def resume(self, profile: bytes) -> None:
        """Fold what was kept back, each item at its own instant: as if the reader had waited for this one profile."""
        self.held.discard(profile)
        self.resumed.add(profile)
        self.engine.folder.set_wake(self.records[profile])
        earlier = [kept for kept in self.parked if kept.profile == profile]  # of this very batch
        self.parked = [kept for kept in self.parked if kept.profile != profile]
        for kept in (*self.state.parked_items(self.workspace.id, profile), *earlier):
            if kept.item.type != RESUME:
                row = LogRow(kept.partition, kept.offset, kept.at, kept.root, ITEMS, b"", 1)
                self.fold(row, [(kept.index, kept.item)])

    def mark(self) -> None:
        """One whose timer raised has no item to be kept back: a word to go on, as yet unsaid, stands for it."""
        known = {kept.profile for kept in self.parked}
        for profile, error in self.poisonous.items():
            if profile not in known and (self.workspace.id, profile) not in self.engine.parked:
                partition = self.records[profile].partition
                head, root = self.heads[partition], self.roots[partition]
                item = Item(profile, f"timer:{head.at}", RESUME, timestamp=head.at, received_at=head.at)
                self.parked.append(ParkedItem(profile, partition, head.applied, -1, head.at, root, item, error))

    def park(self, row: LogRow, index: int, item: Item) -> None:
        error = self.poisonous.get(item.profile, "queued behind an item that could not be folded")
        self.parked.append(ParkedItem(item.profile, row.partition, row.offset, index, row.at, row.root, item, error))

    # writing ---------------------------------------------------------------------------------------------------------

    def write(self, *, is_last: bool) -> None:
        new: list[Record] = []
        changed: list[Record] = []
        asked = self.effects.other
        for record in self.records.values():
            self.set_alarm(record)
            if record.is_new:
                if record.touched:  # one that was only looked for is not made
                    new.append(record)
            elif record.touched or record.stored != (record.seen_at, record.alarm):
                changed.append(record)
        self.state.write(
            Written(
                workspace=self.workspace.id,
                slot=min(self.engine.partitions),
                heads=list(self.heads.values()),
                new=new,
                changed=changed,
                rung=[(self.records[profile].partition, at, profile) for profile, at in self.rung],
                effects={kind: asked[kind] for kind in self.engine.writers if kind in asked},  # as slices list them
                counts=self.effects.counts,
                duplicates=self.duplicates,
                parked=self.parked,
                resumed=sorted(self.resumed),
                rows=self.rows(),
                is_read=bool(self.effects.relays),
                is_last=is_last,
            )
        )

    def set_alarm(self, record: Record) -> None:
        """An alarm that rings too early costs less than moving it: an unchanged index entry is not written."""
        kept = record.stored[1]
        rings = kept > self.heads[record.partition].at
        record.alarm = kept if rings and not 0 < record.wake_at < kept else record.wake_at

    def rows(self) -> list[Row]:
        """Facts by partition, marked applied; then what was said to other profiles, still to be folded."""
        facts: dict[int, list[Item]] = {}
        for partition, fact, _ in self.effects.facts:
            facts.setdefault(partition, []).append(fact)
        said: dict[int, tuple[list[Item], int]] = {}
        for item, root in self.effects.relays:
            partition = self.engine.programs.partition_of(item.profile)
            items, oldest = said.get(partition, ([], root))
            items.append(item)
            said[partition] = (items, min(oldest, root))
        return [
            *(row_of(partition, items, kind=APPLIED, root=0) for partition, items in facts.items()),
            *(row_of(partition, items, root=root) for partition, (items, root) in said.items()),
        ]

    def keep(self) -> None:
        """After the commit: remember the records and their timers, forget the least recently used."""
        cache, wakes, workspace = self.engine.cache, self.engine.wakes, self.workspace.id
        self.engine.parked.difference_update((workspace, profile) for profile in self.resumed)
        is_live = self.workspace.clock == "live"
        for partition, head in self.heads.items():
            self.engine.batches[workspace, partition] = head.batch + 1
            if 0 < wakes.get((workspace, partition), 0) <= head.at:
                self.engine.stale.add(partition)
        for profile, record in self.records.items():
            if record.is_new and not record.touched:
                continue
            if is_live and record.alarm:
                key = (workspace, record.partition)
                if not wakes.get(key) or record.alarm < wakes[key]:
                    wakes[key] = record.alarm
            record.is_new = False
            record.touched.clear()
            record.stored = (record.seen_at, record.alarm)
            cache[workspace, profile] = record
            cache.move_to_end((workspace, profile))
        while len(cache) > self.engine.cached:
            cache.popitem(last=False)
