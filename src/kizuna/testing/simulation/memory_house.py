"""An installation in memory: the log and state of the engine, and a ledger of messages beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from kizuna.consent.store import DropVeto, Suppress
from kizuna.engine.append import PUBLISH, TICK, Row, rows_of
from kizuna.engine.batch import Publish
from kizuna.engine.engine import Engine
from kizuna.engine.memory import MemoryState
from kizuna.engine.moment import Item
from kizuna.engine.record import StoredRecord
from kizuna.engine.slice import Definition, Slice, Workspace
from kizuna.engine.state import State
from kizuna.events.publish import JUDGES_EVERYONE
from kizuna.folds import FOLDS
from kizuna.messages.message import (
    RANK,
    AdvanceMessage,
    CancelPlanned,
    Claimed,
    Ending,
    EndPlanned,
    MovePlanned,
    PlanMessage,
)
from kizuna.segments.section import MembershipChanged
from kizuna.testing.simulation.house import (
    LAST,
    PARTITIONS,
    Asked,
    Left,
    Message,
    Veto,
    as_message,
    is_paused,
    what_rules,
)
from kizuna.testing.simulation.shop import Change
from kizuna.testing.simulation.story import Tenant
from kizuna.testing.simulation.witness import Witness

Making = Callable[[Sequence[str], Mapping[type, Any]], MemoryState]


class Ledger(msgspec.Struct):
    """What stands beside the records of one workspace, written in the same commit."""

    messages: dict[bytes, Message] = msgspec.field(default_factory=dict)
    members: dict[tuple[str, bytes], int] = msgspec.field(default_factory=dict)
    vetoes: dict[str, Veto] = msgspec.field(default_factory=dict)
    suppressed: set[tuple[str, str]] = msgspec.field(default_factory=set)
    fills: list[Asked] = msgspec.field(default_factory=list)


class MemoryHouse:
    """`making` makes the state: a test of the simulator gives one with a fault. `folds` may do without a witness."""

    def __init__(self, making: Making = MemoryState, folds: Sequence[Slice] = (*FOLDS, Witness())) -> None:
        self.folds = folds
        self.breaks: tuple[type[Exception], ...] = ()
        self.ledgers: dict[int, Ledger] = {}
        writers = {
            PlanMessage: self._plan,
            MovePlanned: self._move,
            EndPlanned: self._end,
            CancelPlanned: self._cancel,
            AdvanceMessage: self._advance,
            MembershipChanged: self._membership,
            DropVeto: self._drop_vetoes,
            Suppress: self._suppress,
        }
        self.state = making([part.name for part in self.folds], writers)

    def open(self, tenant: Tenant, first: Sequence[Change]) -> int:
        name = f"shop{tenant.id}"
        workspace = Workspace(tenant.id, name, tenant.clock, tenant.zone, "JPY", tenant.consent, PARTITIONS)
        kept = self.state.make(workspace, tenant.now)
        self.ledgers[tenant.id] = Ledger()
        kept.definitions += [
            Definition(each.kind, each.name, 1, each.status, each.body or {}, 1, None) for each in first
        ]
        for head in kept.heads:
            head.program = 1
        return tenant.id

    def connect(self, engine: Engine) -> State:
        return self.state.connect()

    def cut(self, state: State) -> None:
        state.rollback()

    def now(self, workspace: int) -> int:
        return self.state.kept[workspace].now

    def offsets(self, workspace: int) -> tuple[int, ...]:
        return tuple([head.offset for head in self.state.kept[workspace].heads])

    def move(self, workspace: int, to: int) -> None:
        kept = self.state.kept[workspace]
        kept.now = max(kept.now, to)
        if kept.workspace.clock == "test":
            self.state.append(workspace, [Row(partition, TICK, 0, b"", b"") for partition in range(PARTITIONS)])

    def append(self, workspace: int, rows: Sequence[Row], veto: Veto | None = None) -> None:
        if veto:
            self.ledgers[workspace].vetoes[veto.item] = veto
        self.state.append(workspace, rows)

    def publish(self, workspace: int, change: Change) -> None:
        kept = self.state.kept[workspace]
        ruling = next((d for d in kept.definitions if _is_of(d, change) and d.retired is None), None)
        body, sweep = what_rules(change, ruling)
        if ruling is None and body is None:
            return
        program = 1 + max(max(each.introduced, each.retired or 0) for each in kept.definitions)
        kept.definitions = [replace(d, retired=program) if d is ruling else d for d in kept.definitions]
        if body is not None:
            newest = max((d.version for d in kept.definitions if _is_of(d, change)), default=0)
            version = ruling.version if ruling and ruling.body == body else newest + 1
            kept.definitions.append(Definition(change.kind, change.name, version, change.status, body, program, None))
        row = msgspec.msgpack.encode(Publish(program, sweep))
        root = self.state.append(workspace, [Row(p, PUBLISH, 0, b"", row) for p in range(PARTITIONS)])
        at = max(head.at for head in kept.heads)
        kept.definitions = [replace(d, published_at=at) if d.introduced == program else d for d in kept.definitions]
        is_anybody_there = kept.records or any(head.offset > head.applied + 1 for head in kept.heads)
        if change.kind in JUDGES_EVERYONE and is_anybody_there:
            offsets = [head.offset for head in kept.heads]
            self.ledgers[workspace].fills.append(Asked(workspace, program, root, offsets, at))

    def ruling(self, workspace: int, kind: str) -> list[Definition]:
        return [d for d in self.state.kept[workspace].definitions if d.kind == kind and d.retired is None]

    def members(self, workspace: int, segment: str) -> list[bytes]:
        return sorted(profile for name, profile in self.ledgers[workspace].members if name == segment)

    def is_read(self, workspace: int) -> bool:
        return all(head.applied == head.offset for head in self.state.kept[workspace].heads)

    def asked(self, workspace: int) -> Asked | None:
        heads = self.state.kept[workspace].heads
        for asked in self.ledgers[workspace].fills:
            if all(head.applied >= offset for head, offset in zip(heads, asked.offsets, strict=True)):
                return asked
            return None
        return None

    def fill(self, asked: Asked, items: Sequence[Item]) -> None:
        self.ledgers[asked.workspace].fills.remove(asked)
        self.state.append(asked.workspace, rows_of(items, PARTITIONS, root=asked.root))

    # messages --------------------------------------------------------------------------------------------------------

    def claim(self, workspace: int, limit: int) -> list[Claimed]:
        now = self.now(workspace)
        messages = self.ledgers[workspace].messages.values()
        paused = {
            (each.kind, each.name)
            for kind in ("journey", "campaign")
            for each in self.ruling(workspace, kind)
            if each.status == "paused"
        }
        due = [each for each in messages if each.state == "planned" and each.due_at <= now]
        due = [each for each in due if not is_paused(each.claimed, paused)]
        due.sort(key=lambda each: (each.due_at, each.claimed.id))
        return [replace(each.claimed, due_at=each.due_at) for each in due[:limit]]

    def vetoes(self, workspace: int) -> list[Veto]:
        return list(self.ledgers[workspace].vetoes.values())

    def suppressed(self, workspace: int) -> set[tuple[str, str]]:
        return self.ledgers[workspace].suppressed

    def load(self, workspace: int, profile: bytes) -> StoredRecord | None:
        return self.state.kept[workspace].records.get(profile)

    def hand(self, workspace: int, message: Claimed) -> None:
        row = self.ledgers[workspace].messages[message.id]
        row.state = "handed"
        row.claimed = replace(row.claimed, fence=message.fence + 1, attempts=message.attempts + 1)

    def finish(
        self, workspace: int, ending: Ending, root: int, reports: Sequence[Item], veto: Veto | None = None
    ) -> bool:
        row = self.ledgers[workspace].messages[ending.id]
        if row.claimed.fence != ending.fence:
            return False
        row.state = ending.state
        row.claimed = replace(row.claimed, reason=ending.reason, attempts=row.claimed.attempts + ending.attempt)
        row.due_at = row.due_at if ending.due_at is None else ending.due_at
        if veto:
            self.ledgers[workspace].vetoes[veto.item] = veto
        if reports:
            self.state.append(workspace, rows_of(reports, PARTITIONS, root=root))
        return True

    def lost(self, workspace: int) -> list[Claimed]:
        handed = [each for each in self.ledgers[workspace].messages.values() if each.state == "handed"]
        return [replace(each.claimed, due_at=each.due_at) for each in handed]

    def left(self, workspace: int) -> Left:
        kept, ledger = self.state.kept[workspace], self.ledgers[workspace]
        return Left(
            kept.workspace, kept.now, kept.heads, kept.rows, self.state.definitions(workspace, LAST), kept.records,
            ledger.members,
            ledger.messages, kept.duplicates, kept.counters, list(ledger.vetoes.values()), len(kept.parked),
        )  # fmt: skip

    # what the fold asks to be written --------------------------------------------------------------------------------

    def _plan(self, workspace: int, effects: Sequence[PlanMessage]) -> None:
        messages = self.ledgers[workspace].messages
        for plan in effects:
            messages.setdefault(plan.id, as_message(workspace, plan))

    def _cancel(self, workspace: int, effects: Sequence[CancelPlanned]) -> None:
        gone = {each.run: each.at for each in effects}
        for row in self.ledgers[workspace].messages.values():
            at = gone.get(row.claimed.run or "")
            if at is not None and row.state == "planned":
                row.claimed = replace(row.claimed, reason="exited")
                row.due_at = min(row.due_at, at)

    def _move(self, workspace: int, effects: Sequence[MovePlanned]) -> None:
        for each in effects:
            row = self.ledgers[workspace].messages.get(each.id)
            if row and row.state == "planned" and row.claimed.reason is None:
                row.due_at = each.due_at

    def _end(self, workspace: int, effects: Sequence[EndPlanned]) -> None:
        for each in effects:
            row = self.ledgers[workspace].messages.get(each.id)
            if row and row.state == "planned" and row.claimed.reason is None:
                row.state, row.claimed = each.state, replace(row.claimed, reason=each.reason)

    def _advance(self, workspace: int, effects: Sequence[AdvanceMessage]) -> None:
        for each in effects:
            row = self.ledgers[workspace].messages.get(each.id)
            if row and each.actor != "machine" and RANK[row.state] <= RANK[each.state]:
                row.state = each.state

    def _membership(self, workspace: int, effects: Sequence[MembershipChanged]) -> None:
        members = self.ledgers[workspace].members
        for each in effects:
            if each.entered:
                members[each.segment, each.profile] = each.at
            else:
                members.pop((each.segment, each.profile), None)

    def _drop_vetoes(self, workspace: int, effects: Sequence[DropVeto]) -> None:
        for each in effects:
            self.ledgers[workspace].vetoes.pop(each.item, None)

    def _suppress(self, workspace: int, effects: Sequence[Suppress]) -> None:
        self.ledgers[workspace].suppressed.update((each.channel, each.address) for each in effects)


def _is_of(definition: Definition, change: Change) -> bool:
    return definition.kind == change.kind and definition.name == change.name
