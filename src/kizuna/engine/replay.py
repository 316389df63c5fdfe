"""Recorded history, folded again in memory: rows come in the order of the log, what records say is heard, not kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any

import msgspec
from msgspec.structs import replace

from kizuna.engine.append import APPLIED, ITEMS, PUBLISH, TICK, Row, rows_of
from kizuna.engine.batch import Publish
from kizuna.engine.engine import Engine
from kizuna.engine.memory import MemoryState, Stored, Writer
from kizuna.engine.moment import Item
from kizuna.engine.slice import Definition, Workspace
from kizuna.engine.state import Head, LogRow, Written

AT_ONCE = 4_000  # rows read before they are folded; those of one instant are never parted

Hear = Callable[[Item], None]

_decode = msgspec.msgpack.Decoder(list[Item]).decode
_encode = msgspec.msgpack.encode
RELAYS = frozenset(("link", "absorb", "forward"))
_MARKS = tuple(bytes([0xA0 | len(name)]) + name.encode() for name in sorted(RELAYS))  # as MessagePack writes them


class Replay(MemoryState):
    """A state whose log is already written. Bounded: records are kept encoded, rows only until they are folded.

    With `relays_anew`, what records say to each other is taken from this fold where the log has it, because the
    record that is handed over may differ; without it, as it was recorded, so that some profiles can be left out.
    """

    def __init__(
        self,
        engine: Engine,
        workspace: Workspace,
        definitions: Sequence[Definition],
        rows: Iterable[LogRow],
        *,
        hear: Hear = lambda _: None,
        writers: Mapping[type, Writer] | None = None,
        relays_anew: bool = False,
    ) -> None:
        super().__init__(list(engine.codec.kinds), writers or {})
        self.engine = engine
        self.workspace = workspace
        self.hear = hear
        self.relays_anew = relays_anew
        self.wakes_all = False
        self.now = 0  # what was said before is folded
        self.made: Stored = self.make(workspace)
        self.made.definitions = list(definitions)
        self.said: dict[str, Item] = {}  # relays said again and not met in the log yet
        self._rows: Iterator[LogRow] = iter(rows)
        self._ahead: LogRow | None = next(self._rows, None)
        self.first = self._ahead.at if self._ahead else 0  # when history begins
        self._waiting_rows: list[deque[LogRow]] = [deque() for _ in range(workspace.partitions)]
        self._visible: list[deque[LogRow]] = [deque() for _ in range(workspace.partitions)]
        self._alarms: list[list[tuple[int, bytes]]] = [[] for _ in range(workspace.partitions)]
        engine.own(self, range(workspace.partitions))

    # going on --------------------------------------------------------------------------------------------------------

    def run(self, until: int, progress: Callable[[int], None] = lambda _: None) -> None:
        """Fold what was said before `until`, and every timer that falls due before it."""
        while self._read(until):
            self._fold()
            progress(self.now)
        self.say(until - 1, TICK)
        self.now = until

    def say(self, at: int, kind: int, body: bytes = b"", partitions: Iterable[int] | None = None) -> None:
        """Add a row to every partition (or those named) and fold it."""
        for partition in range(self.workspace.partitions) if partitions is None else partitions:
            self._show(LogRow(partition, 0, at, 0, kind, body, 1 if kind == ITEMS else 0))
        self._run_engine()

    def publish(self, at: int, program: int, sweep: str = "") -> None:
        """From here on this program rules; all records are woken in their section `sweep`."""
        self.wakes_all = True
        self.say(at, PUBLISH, _encode(Publish(program, sweep)))
        self.wakes_all = False

    def tell(self, at: int, items: Iterable[Item]) -> None:
        """Say items to their profiles and fold them."""
        for row in rows_of(items, self.workspace.partitions):
            self.say(at, ITEMS, row.body, [row.partition])

    def forget(self) -> None:
        """Records were changed behind the engine's back."""
        self.engine.cache.clear()

    def _read(self, until: int) -> bool:
        """Take the next rows before `until`; says whether there were any."""
        count = last = 0
        while (row := self._ahead) is not None and row.at < until and (count < AT_ONCE or row.at == last):
            self._waiting_rows[row.partition].append(row)
            count, last = count + 1, row.at
            self._ahead = next(self._rows, None)
        self.now = max(self.now, last)
        return count > 0

    def _fold(self) -> None:
        """Fold what waits. A relay is taken when its sender was folded, which the log has before it in no one order."""
        while any(self._waiting_rows):
            if not self._show_ready():
                self._show_oldest()
            self._run_engine()

    def _run_engine(self) -> None:
        while self.engine.run(self):
            pass

    def _show_ready(self) -> bool:
        shown = False
        for waiting in self._waiting_rows:
            while waiting and (row := self._united(waiting[0])) is not None:
                waiting.popleft()
                self._show(row)
                shown = True
        return shown

    def _show_oldest(self) -> None:
        """What was relayed then and not now is taken as it was."""
        oldest = min((waiting for waiting in self._waiting_rows if waiting), key=lambda waiting: waiting[0].at)
        self._show(oldest.popleft())

    def _united(self, row: LogRow) -> LogRow | None:
        """The row with its relays as they were said again; None while one is still to be said."""
        if not self.relays_anew or row.kind != ITEMS or not any(mark in row.body for mark in _MARKS):
            return row
        items = _decode(row.body)
        wanted = [item.id for item in items if item.type in RELAYS]
        if any(name not in self.said for name in wanted):
            return None
        items = [self.said.pop(item.id) if item.type in RELAYS else item for item in items]
        return replace(row, body=_encode(items))

    def _show(self, row: LogRow) -> None:
        head = self.made.heads[row.partition]
        head.offset, head.at = head.offset + 1, max(head.at, row.at)
        self._visible[row.partition].append(replace(row, offset=head.offset, at=head.at))

    # what the engine asks --------------------------------------------------------------------------------------------

    def read_rows(self, heads: Sequence[Head], limit: int) -> list[LogRow]:
        found: list[LogRow] = []
        for head in heads:
            rows = self._visible[head.partition]
            while rows and rows[0].offset <= head.applied:
                rows.popleft()
            found += [row for _, row in zip(range(limit), rows, strict=False)]
        return sorted(found, key=lambda row: (row.partition, row.offset))

    def due_profiles(self, workspace: int, until: Mapping[int, int], limit: int) -> list[tuple[bytes, int]]:
        records = self.made.records
        due: dict[bytes, int] = {}
        for partition, instant in until.items():
            alarms = self._alarms[partition]
            found: set[tuple[int, bytes]] = set()
            while alarms and alarms[0][0] <= instant and len(found) < limit:
                alarm, profile = heappop(alarms)
                if records[profile].alarm == alarm:
                    found.add((alarm, profile))
            for alarm, profile in found:  # a batch that is taken back finds them again
                heappush(alarms, (alarm, profile))
                due[profile] = alarm
        return sorted(due.items(), key=lambda each: (each[1], each[0]))[:limit]

    def sweep_profiles(self, workspace: int, partition: int, section: str) -> list[bytes]:
        if not self.wakes_all:
            return super().sweep_profiles(workspace, partition, section)
        return sorted(record.id for record in self.made.records.values() if record.partition == partition)

    def repeated(self, workspace: int, seen: Mapping[bytes, int]) -> set[bytes]:
        """What came twice was found then; such items say nothing."""
        return set()

    def append(self, workspace: int, rows: Sequence[Row]) -> int:
        for row in rows:
            for item in _decode(row.body):
                if row.kind == APPLIED:
                    self.hear(item)
                elif self.relays_anew:
                    self.said[item.id] = item
        return 0

    def _apply(self, kept: Stored, written: Written, stored: Sequence[Any]) -> None:
        alarms = {each.id: known.alarm for each in stored if (known := kept.records.get(each.id))}
        super()._apply(kept, written, stored)
        for head in written.heads:  # facts take no place in this log
            kept.heads[head.partition].applied = head.applied
        for record in stored:
            if record.alarm and record.alarm != alarms.get(record.id):
                heappush(self._alarms[record.partition], (record.alarm, record.id))
