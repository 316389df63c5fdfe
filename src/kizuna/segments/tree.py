"""A rule compiled to one function of a record as seen at an instant, with all that its answer depends on."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Protocol

from msgspec import Struct, field

from kizuna.consent import decide
from kizuna.core import ids
from kizuna.engine.slice import Scope
from kizuna.profiles.section import zone_of
from kizuna.segments import rule
from kizuna.segments.leaves import Leaf
from kizuna.segments.leaves.count import EverCount, MovingCount, Newest
from kizuna.segments.leaves.make import OF_EVENTS, leaf_of, watch_of
from kizuna.segments.operators import TIMED, compile_check, is_negative, next_change
from kizuna.segments.props import compile_condition, compile_elements
from kizuna.segments.section import Segments


class Seen(Protocol):
    """What a rule may look at."""

    now: int
    states: dict[str, Any]
    member_of: dict[str, int]
    listed: dict[str, list[bytes]]

    @property
    def zone(self) -> str: ...
    @property
    def traits(self) -> dict[str, Any]: ...
    @property
    def profile(self) -> bytes: ...
    def consent(self, channel: str, topic: str) -> str: ...


class View:
    """A record at the instant of a scope."""

    __slots__ = ("_scope", "_zone", "listed", "member_of", "now", "states")

    def __init__(self, scope: Scope, section: Segments) -> None:
        self._scope = scope
        self._zone = ""
        self.now = scope.now
        self.states = section.leaves
        self.member_of = section.member_of
        self.listed = section.listed

    @property
    def zone(self) -> str:
        if not self._zone:
            self._zone = zone_of(self._scope.record, self._scope.workspace)
        return self._zone

    @property
    def traits(self) -> dict[str, Any]:
        return self._scope.record["profiles"].traits

    @property
    def profile(self) -> bytes:
        return self._scope.record.id

    def consent(self, channel: str, topic: str) -> str:
        return decide.state(self._scope.record["consent"], channel, topic or None)


class Blank:
    """A record of which nothing is known yet."""

    now = 0
    zone = "UTC"
    profile = bytes(ids.ID_BYTES)

    def __init__(self) -> None:
        self.states: dict[str, Any] = {}
        self.member_of: dict[str, int] = {}
        self.listed: dict[str, list[bytes]] = {}
        self.traits: dict[str, Any] = {}

    def consent(self, channel: str, topic: str) -> str:
        return decide.NEUTRAL


Holds = Callable[[Seen], bool]


class Sources(Struct):
    """What an answer depends on."""

    leaves: dict[str, Leaf] = field(default_factory=dict)
    traits: list[rule.Condition] = field(default_factory=list)
    channels: set[str] = field(default_factory=set)
    segments: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)
    has_bucket: bool = False

    @property
    def timed_traits(self) -> list[rule.Condition]:
        return [each for each in self.traits if any(test.op in TIMED for test in each.tests)]

    @property
    def hears_profile(self) -> bool:
        """Whether traits or the zone matter."""
        return bool(self.traits) or any(leaf.zoned for leaf in self.leaves.values())


def compile_rule(node: rule.Rule, shared: dict[str, Leaf], sources: Sources) -> Holds:
    """`shared` holds the leaves of all rules by id; `sources` is filled with those of this one."""
    match node:
        case rule.AllOf() | rule.AnyOf():
            return _compile_list(node, [compile_rule(each, shared, sources) for each in node.rules])
        case rule.Not():
            inner = compile_rule(node.rule, shared, sources)
            return lambda seen: not inner(seen)
        case rule.Trait():
            sources.traits.append(node.condition)
            check = compile_condition(node.condition)
            return lambda seen: check(seen.traits, seen.now, seen.zone)
        case rule.InSegment():
            name = node.segment
            sources.segments.add(name)
            return lambda seen: name in seen.member_of
        case rule.Listed():
            upload = node.list
            sources.lists.add(upload)
            return lambda seen: upload in seen.listed
        case rule.Consent():
            return _compile_consent(node, sources)
        case rule.Bucket():
            sources.has_bucket = True
            return lambda seen: node.start <= bucket_of(node.salt, seen.profile) < node.end
        case _:
            return _compile_leaf(node, shared, sources)


def _compile_list(node: rule.AllOf | rule.AnyOf, parts: list[Holds]) -> Holds:
    if len(parts) == 1:
        return parts[0]
    stop = isinstance(node, rule.AnyOf)  # `any` stops at the first true, `all` at the first false

    def holds(seen: Seen) -> bool:
        for part in parts:
            if part(seen) is stop:
                return stop
        return not stop

    return holds


def _compile_consent(node: rule.Consent, sources: Sources) -> Holds:
    sources.channels.add(node.channel)
    checks = [(compile_check(test, fold=False), not is_negative(test)) for test in node.tests]

    def holds(seen: Seen) -> bool:
        state = seen.consent(node.channel, node.topic)
        return all(check(state, 0, "") is wanted for check, wanted in checks)

    return holds


def _compile_leaf(node: Any, shared: dict[str, Leaf], sources: Sources) -> Holds:
    assert isinstance(node, OF_EVENTS)  # noqa: S101 - the other nodes were matched before
    fresh = leaf_of(node)
    leaf = shared.setdefault(fresh.id, fresh)
    sources.leaves[leaf.id] = leaf
    watch = watch_of(node, leaf)
    leaf.watch(watch)
    key = leaf.id
    if isinstance(leaf, EverCount):
        table = [watch(n, 0, "") for n in range(leaf.enough + 1)]
        return lambda seen: table[seen.states.get(key, 0)]
    if isinstance(leaf, MovingCount) and leaf.exact:
        by_count, counted = [watch(n, 0, "") for n in range(leaf.enough + 1)], leaf.answer
        return lambda seen: by_count[counted(seen.states.get(key), seen.now, "")]
    if isinstance(leaf, Newest):
        inside, outside, length = watch(1, 0, ""), watch(0, 0, ""), leaf.length
        return lambda seen: inside if seen.states.get(key, -length) > seen.now - length else outside
    return lambda seen: watch(leaf.answer(seen.states.get(key), seen.now, seen.zone), seen.now, seen.zone)


def bucket_of(salt: str, profile: bytes) -> int:
    """0..9999, the same in SQL: from the first 48 bits of a SHA-256."""
    return int(sha256(f"{salt}:{ids.show('prf', profile)}".encode()).hexdigest()[:12], 16) % 10_000


def next_trait_change(condition: rule.Condition, traits: dict[str, Any], now: int, zone: str) -> int:
    """When time alone next changes what a condition says of the traits; 0 is never."""
    changes = [
        next_change(test, value, now, zone)
        for value in compile_elements(condition.path)(traits)
        for test in condition.tests
    ]
    return min((at for at in changes if at > now), default=0)
