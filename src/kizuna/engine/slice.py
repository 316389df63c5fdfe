"""The contract of a slice that takes part in the fold, and what a fold may see and ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from msgspec import Struct

from kizuna.core import exact_json, ids
from kizuna.engine.moment import BACKFILL, Item, Moment
from kizuna.engine.record import Record, Section


class Workspace(Struct, frozen=True):
    """What folds may know of the tenant."""

    id: int
    name: str
    clock: str  # live or test
    zone: str
    currency: str
    consent: str  # opt_out or opt_in: what `neutral` means
    partitions: int = ids.PARTITIONS_DEFAULT


class Definition(Struct, frozen=True):
    """One published version of one definition. `body` is the JSON it was published with."""

    kind: str  # segment journey template campaign policy topic provider ...
    name: str
    version: int
    status: str  # active, paused, stopped ...
    body: dict[str, Any]
    introduced: int  # the program version that brought it
    retired: int | None  # the program version that took it away
    published_at: int = 0


class Effects:
    """What a batch asks to be written beside its records; each slice's `writers` say how."""

    __slots__ = ("counts", "facts", "other", "relays")

    def __init__(self) -> None:
        self.facts: list[tuple[int, Item, int]] = []  # partition, item, root
        self.relays: list[tuple[Item, int]] = []  # item, root
        self.counts: dict[str, int] = {}
        self.other: dict[type, list[Any]] = {}

    def ask(self, effect: Any) -> None:
        self.other.setdefault(type(effect), []).append(effect)


class Scope:
    """All that a fold may see and ask for while one moment of one record is folded."""

    __slots__ = (
        "_serial",
        "again",
        "cause",
        "effects",
        "emitted",
        "flags",
        "hearers",
        "now",
        "program",
        "record",
        "root",
        "workspace",
    )

    def __init__(self, workspace: Workspace, program: Mapping[str, Any], effects: Effects) -> None:
        self.workspace = workspace
        self.program = program  # compiled definitions by slice name
        self.effects = effects
        self.record: Record = None  # type: ignore[assignment]  # set by the engine before each fold
        self.now = 0
        self.root = 0
        self.flags = 0  # of the moment: what a backfilled event causes is backfilled too
        self.cause = ""
        self.emitted: list[Item] = []
        self.hearers: dict[tuple[str, str], tuple[bool, ...]] = {}  # by type and name: which slices listen
        self.again: list[Moment] = []  # moments that a woken slice lets through now
        self._serial = 0

    def emit(self, name: str, properties: dict[str, Any], *, caused_by: str = "") -> Item:
        """Record a fact about this customer; later slices hear it in this pass, earlier ones in the next."""
        cause = caused_by or self.cause
        self._serial += 1
        raw = ids.fact_id(self.record.id, cause, name, self.now, self._serial)
        fact = Item(
            self.record.id, f"evt_{raw.hex()}", "fact", name, self.now, exact_json.encode(properties), b"", "", "",
            self.now, self.flags, cause,
        )  # fmt: skip
        self.emitted.append(fact)
        self.effects.facts.append((self.record.partition, fact, self.root))
        return fact

    def relay(self, item: Item) -> None:
        """Say something to another profile; it is appended to that profile's log in the same transaction."""
        self.effects.relays.append((item, self.root))

    def count(self, counter: str, delta: int = 1) -> None:
        """Add to a named counter of the workspace; sums are exact, they commit with the batch."""
        counts = self.effects.counts
        counts[counter] = counts.get(counter, 0) + delta

    def ask(self, effect: Any) -> None:
        """Ask for a row to be written with the batch; a writer of the effect's type must be registered."""
        self.effects.ask(effect)

    def restart(self, now: int, root: int, cause: str, flags: int = 0) -> None:
        """Begin the next moment; serials start anew, so ids depend on the cause alone."""
        self.now, self.root, self.cause, self.flags, self._serial = now, root, cause, flags & BACKFILL, 0


class Slice(Protocol):
    """What `app.FOLDS` lists. Functions here are pure: same arguments, same record, same effects."""

    name: ClassVar[str]
    section: ClassVar[type[Section]]
    writers: ClassVar[Mapping[type, Writer]]

    def compile(self, workspace: Workspace, definitions: Sequence[Definition], lower: Mapping[str, Any]) -> Any:
        """The slice's part of a program; `definitions` are all ever introduced, `lower` the parts below."""

    def hears(self, part: Any, kind: str, name: str) -> bool:
        """Whether moments of that type and name can concern the slice, given its part of the program."""
        ...

    def fold(self, moment: Moment, scope: Scope) -> None:
        """Take one moment that it hears into `scope.record[name]`."""

    def wake(self, scope: Scope) -> None:
        """Do what is due at or before `scope.now`; must move `wake_at` past it."""

    def absorb(self, other: Section, scope: Scope) -> None:
        """Take over the section of the anonymous record that was joined to this one."""


@runtime_checkable
class KnowsRepeats(Protocol):
    """A slice that has something written beside items when they are accepted: one said before is not folded."""

    def repeated(self, item: Item) -> Sequence[Any]:
        """Rows to be written with the batch that drops it, as `Scope.ask` takes them."""
        ...


# Cursor, workspace id, effects of one type; the channel whose listeners hear of it after the commit, if any do. Its
# statements are not waited for: it fetches nothing.
Writer = Callable[[Any, int, list[Any]], str | None]
