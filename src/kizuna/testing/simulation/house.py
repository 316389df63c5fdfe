"""What the simulated outside asks of an installation, and what is found there in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, Protocol

from msgspec import Struct

from kizuna.engine.append import Row
from kizuna.engine.engine import Engine
from kizuna.engine.moment import Item
from kizuna.engine.record import StoredRecord
from kizuna.engine.slice import Definition, Slice, Workspace
from kizuna.engine.state import Head, LogRow, State
from kizuna.messages.message import Claimed, Ending, PlanMessage
from kizuna.testing.simulation.shop import Change
from kizuna.testing.simulation.story import Tenant

PARTITIONS = 4
LAST = (1 << 31) - 1  # more than there ever are: programs, messages
PLANNED = (
    "id", "profile", "channel", "purpose", "occurrence", "template", "template_version", "journey", "run", "step",
    "campaign", "variant", "topic", "transactional", "event", "expires_at", "caused_by",
)  # what the fold wrote of a message and nobody may change  # fmt: skip


class Veto(Struct, frozen=True):
    """An opt-out accepted and not yet folded."""

    profile: bytes
    item: str
    channel: str
    topic: str


class Asked(Struct, frozen=True):
    """A publish that wants existing profiles judged; `offsets` are of its rows, by partition."""

    workspace: int
    program: int
    root: int
    offsets: list[int]
    published_at: int


class Message(Struct, kw_only=True):
    """A row of the ledger as far as a simulation looks at it."""

    claimed: Claimed
    state: str
    purpose: str
    occurrence: str
    due_at: int
    planned: tuple[Any, ...]  # `PLANNED`


class Left(Struct, frozen=True):
    """All that a workspace consists of."""

    workspace: Workspace
    now: int
    heads: Sequence[Head]
    rows: Sequence[Sequence[LogRow]]  # by partition, in the order of offsets
    definitions: Sequence[Definition]
    records: Mapping[bytes, StoredRecord]
    members: Mapping[tuple[str, bytes], int]  # (segment, profile) to the instant of entering
    messages: Mapping[bytes, Message]
    duplicates: set[tuple[int, int, int]]
    counters: Mapping[str, int]
    vetoes: Sequence[Veto]
    parked: int


class House(Protocol):
    """An installation: in memory, or on PostgreSQL. Each call is a transaction of its own."""

    folds: Sequence[Slice]
    breaks: tuple[type[Exception], ...]  # what a worker hears on a connection that was cut

    def open(self, tenant: Tenant, first: Sequence[Change]) -> int:
        """A workspace with definitions that rule from the first row on; its id."""
        ...

    def connect(self, engine: Engine) -> State: ...

    def cut(self, state: State) -> None:
        """A connection breaks: what was not committed never was."""
        ...

    def now(self, workspace: int) -> int: ...

    def offsets(self, workspace: int) -> tuple[int, ...]:
        """How far the log has come, by partition."""
        ...

    def move(self, workspace: int, to: int) -> None:
        """Move the clock; of a test clock also append a tick everywhere."""
        ...

    def append(self, workspace: int, rows: Sequence[Row], veto: Veto | None = None) -> None: ...

    def publish(self, workspace: int, change: Change) -> None: ...

    def ruling(self, workspace: int, kind: str) -> list[Definition]:
        """What rules of a kind now."""
        ...

    def members(self, workspace: int, segment: str) -> list[bytes]: ...

    def is_read(self, workspace: int) -> bool:
        """Whether no row waits to be folded."""
        ...

    def asked(self, workspace: int) -> Asked | None:
        """The oldest publish that still wants a fill, when its rows are folded."""
        ...

    def fill(self, asked: Asked, items: Sequence[Item]) -> None:
        """Say the fill, and that it is done."""
        ...

    def claim(self, workspace: int, limit: int) -> list[Claimed]:
        """Messages that are due, oldest cause first."""
        ...

    def vetoes(self, workspace: int) -> list[Veto]: ...

    def suppressed(self, workspace: int) -> set[tuple[str, str]]: ...

    def load(self, workspace: int, profile: bytes) -> StoredRecord | None: ...

    def hand(self, workspace: int, message: Claimed) -> None:
        """Write down that the network is about to be touched."""
        ...

    def finish(
        self, workspace: int, ending: Ending, root: int, reports: Sequence[Item], veto: Veto | None = None
    ) -> bool:
        """Write what became of a message, with its reports; False when it is no longer ours."""
        ...

    def lost(self, workspace: int) -> list[Claimed]:
        """Messages handed out by a sender that is no more."""
        ...

    def left(self, workspace: int) -> Left: ...


def as_message(workspace: int, plan: PlanMessage) -> Message:
    """A row of the ledger as the fold makes it."""
    claimed = Claimed(
        workspace=workspace, id=plan.id, profile=plan.profile, channel=plan.channel, template=plan.template,
        template_version=plan.template_version, topic=plan.topic, transactional=plan.transactional,
        journey=plan.journey, run=plan.run, step=plan.step, campaign=plan.campaign, variant=plan.variant,
        data={}, event=plan.event, due_at=plan.due_at, expires_at=plan.expires_at, root=plan.root, attempts=0,
        fence=0, reason=plan.reason, caused_by=plan.caused_by,
    )  # fmt: skip
    return Message(
        claimed=claimed, state=plan.state, purpose=plan.purpose, occurrence=plan.occurrence, due_at=plan.due_at,
        planned=tuple([getattr(plan, name) for name in PLANNED]),
    )  # fmt: skip


def is_paused(message: Claimed, paused: Set[tuple[str, str]]) -> bool:
    """Whether its journey or campaign is among those paused, as (kind, name); what is to be ended anyway is not."""
    campaign = ("campaign", message.campaign or "") in paused and message.reason is None
    return campaign or ("journey", message.journey or "") in paused


def what_rules(change: Change, ruling: Definition | None) -> tuple[dict[str, Any] | None, str]:
    """The body that a change brings, or None; and the section it wakes, as when a journey is resumed or stopped."""
    if change.body is not None or change.kind != "journey":
        is_paused = ruling is not None and ruling.status == "paused"
        return change.body, "journeys" if change.kind == "journey" and is_paused else ""
    return (ruling.body if ruling else None), "" if change.status == "paused" else "journeys"
