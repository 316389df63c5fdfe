"""A batch: load some records, fold what is new for them, write once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import psycopg
from msgspec import Struct
from psycopg import Connection

from kizuna.engine import store
from kizuna.engine.append import APPLIED, ITEMS, PUBLISH, Row, row_of
from kizuna.engine.folder import Folder
from kizuna.engine.moment import Item, Moment
from kizuna.engine.program import Programs
from kizuna.engine.slice import Effects, Record, Scope, Workspace, Writer
from kizuna.engine.store import Head, LogRow, ParkedItem

FROM_OUTSIDE = frozenset(("track", "identify", "page", "screen", "group", "alias"))  # carry a sender's messageId
ONCE = FROM_OUTSIDE | {"say", "enter"}  # folded once by their ids, however often they were accepted

REFUSES_DATA = frozenset(("22", "23", "54"))  # SQLSTATE classes: data, integrity, limits; other errors heal or are ours

Place = tuple[int, int, int]  # partition, offset, index


class Publish(Struct, frozen=True):
    """The body of a publish row: the program version that rules from here on."""

    program: int
    sweep: str = ""  # a section whose records must be woken at once


class PoisonError(Exception):
    """A profile whose fold raised; the batch is folded again without it."""

    def __init__(self, profile: bytes, error: Exception) -> None:
        super().__init__(str(error))
        self.profile = profile
        self.error = f"{type(error).__name__}: {error}"


class Engine:
    """Folds the partitions it is given, one workspace and one transaction at a time."""

    def __init__(
        self,
        folder: Folder,
        programs: Programs,
        public: Callable[[Record], tuple[Any, bytes | None]],
        *,
        rows: int = 64,
        items: int = 4000,
        cached: int = 20_000,
    ) -> None:
        self.folder = folder
        self.programs = programs
        self.public = public
        self.rows, self.items, self.cached = rows, items, cached
        self.records = store.Records({part.name: part.section for part in folder.slices})
        self.writers: dict[type, Writer] = {kind: w for part in folder.slices for kind, w in part.writers.items()}
        self.cache: OrderedDict[tuple[int, bytes], Record] = OrderedDict()
        self.parked: set[tuple[int, bytes]] = set()
        self.wakes: dict[tuple[int, int], int] = {}  # live (workspace, partition) -> earliest timer
        self.stale: set[int] = set()  # partitions whose earliest timer must be looked up
        self.folded = 0  # items, since start

    def own(self, connection: Connection[Any], partitions: Sequence[int]) -> None:
        """Begin with partitions just taken: nothing is remembered of the time before."""
        self.partitions = list(partitions)
        self.cache.clear()
        self.wakes.clear()
        self.stale = set(partitions)
        with connection.cursor(binary=True) as cursor:
            self.parked = store.parked_profiles(cursor, partitions)
        connection.commit()

    def run(self, connection: Connection[Any]) -> bool:
        """Fold one batch of every workspace with something new; says whether there was any."""
        with connection.cursor(binary=True) as cursor:
            heads = store.pending_heads(cursor, self.partitions)
        connection.commit()
        for workspace in sorted({head.workspace for head in heads}):
            self.run_workspace(connection, workspace, [head for head in heads if head.workspace == workspace])
        return bool(heads)

    def next_wakes(self, connection: Connection[Any]) -> dict[tuple[int, int], int]:
        """The earliest timer of each partition of each live workspace."""
        if self.stale:
            with connection.cursor(binary=True) as cursor:
                found = store.next_wakes(cursor, sorted(self.stale))
            connection.commit()
            self.wakes = {key: at for key, at in self.wakes.items() if key[1] not in self.stale}
            self.wakes.update({(workspace, partition): at for workspace, partition, at in found})
            self.stale.clear()
        return self.wakes

    def run_workspace(self, connection: Connection[Any], workspace: int, heads: list[Head]) -> None:
        poisonous: dict[bytes, str] = {}
        while True:
            fenced = [msgspec.structs.replace(head) for head in heads]
            try:
                Batch(self, connection, workspace, fenced, poisonous).run()
            except PoisonError as poison:
                connection.rollback()
                self.cache.clear()
                poisonous[poison.profile] = poison.error
            except psycopg.Error as error:
                connection.rollback()
                self.cache.clear()
                if (error.sqlstate or "")[:2] not in REFUSES_DATA:
                    raise
                poisonous[self.find_poison(connection, workspace, heads, poisonous)] = str(error)
            except BaseException:
                connection.rollback()
                self.cache.clear()
                raise
            else:
                self.parked.update((workspace, profile) for profile in poisonous)
                return

    def find_poison(
        self, connection: Connection[Any], workspace: int, heads: list[Head], known: Mapping[bytes, str]
    ) -> bytes:
        """The profile that the database refuses, by halving; nothing is kept of the trials."""
        suspects = self._trial(connection, workspace, heads, known)[1]
        held = dict(known)
        while len(suspects) > 1:
            half, rest = suspects[: len(suspects) // 2], suspects[len(suspects) // 2 :]
            is_refused, _ = self._trial(connection, workspace, heads, held | dict.fromkeys(rest, "held"))
            if is_refused:
                held.update(dict.fromkeys(rest, "held"))  # there may be another among them
            suspects = half if is_refused else rest
        if not suspects:
            raise RuntimeError("the database refuses a batch without profiles")
        return suspects[0]

    def _trial(
        self, connection: Connection[Any], workspace: int, heads: list[Head], held: Mapping[bytes, str]
    ) -> tuple[bool, list[bytes]]:
        """Whether the batch is refused without the profiles held, and the profiles it has beside them."""
        batch = Batch(self, connection, workspace, [msgspec.structs.replace(head) for head in heads], held)
        try:
            batch.run(commit=False)
        except psycopg.Error as error:
            if (error.sqlstate or "")[:2] not in REFUSES_DATA:
                raise
            return True, sorted(batch.records.keys() - held.keys())
        finally:
            connection.rollback()
            self.cache.clear()
        return False, sorted(batch.records.keys() - held.keys())


class Batch:
    """One transaction over some rows of some partitions of one workspace."""

    def __init__(
        self,
        engine: Engine,
        connection: Connection[Any],
        workspace: int,
        heads: list[Head],
        poisonous: Mapping[bytes, str],
    ) -> None:
        self.engine = engine
        self.connection = connection
        self.heads = {head.partition: head for head in heads}
        self.poisonous = poisonous
        self.workspace: Workspace = engine.programs.workspace(connection, workspace)
        self.effects = Effects()
        self.records: dict[bytes, Record] = {}
        self.parked: list[ParkedItem] = []
        self.duplicates: list[Place] = []
        self.scopes: dict[int, Scope] = {}  # by program version
        self.roots: dict[int, int] = {}  # of the last row of each partition

    def run(self, *, commit: bool = True) -> None:
        with self.connection.cursor(binary=True) as cursor:
            self.cursor = cursor
            rows = self.choose(store.read_rows(cursor, list(self.heads.values()), self.engine.rows))
            due = self.due(rows)
            said = [(row, row.decode() if row.kind == ITEMS else []) for row in rows]
            self.load(said, due)
            self.drop_seen(said)
            for row, items in said:
                self.take(row, items)
            for profile in due:
                self.fire(self.records[profile])
            self.write()
        if commit:
            self.connection.commit()
            self.keep()

    # what is folded --------------------------------------------------------------------------------------------------

    def choose(self, rows: list[LogRow]) -> list[LogRow]:
        """As many rows as make a batch, fairly over the partitions; the heads move to the last one chosen."""
        by_partition: dict[int, list[LogRow]] = {}
        for row in rows:
            by_partition.setdefault(row.partition, []).append(row)
        share = max(1, self.engine.items // max(1, len(by_partition)))
        chosen: list[LogRow] = []
        for partition, head in self.heads.items():
            found = by_partition.get(partition, [])
            taken = items = 0
            for row in found:
                if taken and items + row.items > share:
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
        found = store.due_profiles(self.cursor, self.workspace.id, until, self.engine.items)
        if len(found) >= self.engine.items:
            self.hold_back(rows, found[-1][1])
        return [profile for profile, _ in found]

    def hold_back(self, rows: list[LogRow], horizon: int) -> None:
        """Only timers up to the horizon are known: rows from there on are left for a later batch."""
        held: dict[int, LogRow] = {}
        for row in rows:
            if row.at >= horizon:
                held.setdefault(row.partition, row)
        rows[:] = [row for row in rows if row.at < horizon]
        for partition, row in held.items():
            head = self.heads[partition]
            head.applied, head.at = row.offset - 1, horizon
            self.roots[partition] = row.root

    def load(self, said: list[tuple[LogRow, list[Item]]], due: list[bytes]) -> None:
        workspace, cache = self.workspace.id, self.engine.cache
        wanted = {item.profile: row.partition for row, items in said for item in items}
        wanted.update((profile, -1) for profile in due)
        for row, _ in said:
            sweep = self.publish_of(row).sweep if row.kind == PUBLISH else ""
            if sweep:
                for profile in store.sweep_profiles(self.cursor, workspace, row.partition, sweep):
                    wanted.setdefault(profile, row.partition)
        missing: list[bytes] = []
        for profile in wanted:
            record = cache.get((workspace, profile))
            if record is None:
                missing.append(profile)
            else:
                self.records[profile] = record
        if missing:
            loaded = self.engine.records.load(self.cursor, workspace, missing)
            for record in loaded.values():
                self.engine.folder.set_wake(record)
            self.records.update(loaded)
            for profile in missing:
                if profile not in self.records:
                    self.records[profile] = self.engine.records.fresh(profile, wanted[profile])

    def drop_seen(self, said: list[tuple[LogRow, list[Item]]]) -> None:
        """Keep the first of each messageId; what was seen in the last 90 days is noted and not folded."""
        first: dict[bytes, tuple[int, Place]] = {}
        for row, items in said:
            for index, item in enumerate(items):
                if item.type in ONCE:
                    key = store.message_key(item.id)
                    place = (row.partition, row.offset, index)
                    if key in first:
                        self.duplicates.append(place)
                    else:
                        first[key] = (row.at, place)
        if first:
            fresh = store.first_seen(self.cursor, self.workspace.id, {key: at for key, (at, _) in first.items()})
            self.duplicates += [place for key, (_, place) in first.items() if key not in fresh]
        self.unseen = frozenset(self.duplicates)

    # folding ---------------------------------------------------------------------------------------------------------

    def publish_of(self, row: LogRow) -> Publish:
        return msgspec.msgpack.decode(row.body, type=Publish)

    def scope_of(self, partition: int) -> Scope:
        program = self.heads[partition].program
        scope = self.scopes.get(program)
        if scope is None:
            compiled = self.engine.programs.compiled(self.connection, self.workspace, program)
            scope = self.scopes[program] = Scope(self.workspace, compiled, self.effects)
        return scope

    def take(self, row: LogRow, items: list[Item]) -> None:
        if row.kind == PUBLISH:
            self.take_publish(row)
        elif row.kind == ITEMS:
            scope = self.scope_of(row.partition)
            program = self.heads[row.partition].program
            for index, item in enumerate(items):
                if (row.partition, row.offset, index) in self.unseen:
                    continue
                if item.profile in self.poisonous or (self.workspace.id, item.profile) in self.engine.parked:
                    self.park(row, index, item)
                else:
                    self.fold(item, row, index, scope, program)
        self.engine.folded += len(items)

    def fold(self, item: Item, row: LogRow, index: int, scope: Scope, program: int) -> None:
        record = scope.record = self.records[item.profile]
        record.program = program
        if record.is_new and not record.created_at:
            record.created_at = row.at
        if item.type in FROM_OUTSIDE and item.timestamp > record.seen_at:
            record.seen_at = min(item.timestamp, row.at)
        try:
            self.engine.folder.advance(Moment(item, row.at, row.root, index), scope)
        except Exception as error:
            raise PoisonError(item.profile, error) from error

    def fire(self, record: Record, until: int = 0, root: int = 0) -> None:
        """Fire what is due of a record that no row touched."""
        if (self.workspace.id, record.id) in self.engine.parked or record.id in self.poisonous:
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
        for record in self.records.values():  # what was due before fires under the old program
            if record.partition == row.partition and record.wake_at and record.wake_at < row.at:
                self.fire(record, row.at, row.root)
        self.heads[row.partition].program = publish.program
        if publish.sweep:
            scope = self.scope_of(row.partition)
            for record in list(self.records.values()):
                if record.partition == row.partition and not record.is_new:
                    scope.record, record.program = record, publish.program
                    record.sections[publish.sweep].wake_at = row.at
                    self.engine.folder.set_wake(record)
                    self.fire(record, row.at, row.root)

    def park(self, row: LogRow, index: int, item: Item) -> None:
        error = self.poisonous.get(item.profile, "queued behind an item that could not be folded")
        self.parked.append(ParkedItem(item.profile, row.partition, row.offset, index, row.at, row.root, item, error))

    # writing ---------------------------------------------------------------------------------------------------------

    def write(self) -> None:
        cursor, workspace, effects = self.cursor, self.workspace.id, self.effects
        for record in self.records.values():
            self.set_alarm(record)
        self.engine.records.save(cursor, workspace, self.records.values(), self.engine.public)
        for kind, asked in effects.other.items():
            self.engine.writers[kind](cursor, workspace, asked)
        if self.duplicates:
            store.note_duplicates(cursor, workspace, self.duplicates)
        if self.parked:
            store.park(cursor, workspace, self.parked)
        store.add_counts(cursor, workspace, min(self.engine.partitions), effects.counts)
        store.finish(cursor, workspace, list(self.heads.values()), self.rows())
        if effects.relays:
            cursor.execute("NOTIFY kizuna_log")

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
        is_live = self.workspace.clock == "live"
        for partition, head in self.heads.items():
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
