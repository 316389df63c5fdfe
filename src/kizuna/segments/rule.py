"""The nouns of a rule: what a segment, an audience or a branch asks. Frozen; both readings walk the same tree."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.core.clock import Duration

OPERATORS = (
    "is", "is_not", "in", "not_in", "gt", "gte", "lt", "lte", "between", "contains", "not_contains", "starts_with",
    "ends_with", "matches", "exists", "before", "after", "within_last", "within_next", "anniversary",
)  # fmt: skip
NUMBER_OPERATORS = ("is", "is_not", "gt", "gte", "lt", "lte", "between")
AGGREGATES = ("sum", "avg", "min", "max", "distinct")


class Node(Struct, frozen=True, tag=True):
    """Any part of a rule."""


class Test(Node, frozen=True):
    """One operator with its constant."""

    __test__ = False  # the word is the field's; pytest must not collect it

    op: str
    value: Any


class Condition(Node, frozen=True):
    """A dotted path into a JSON object and what must hold of the value there; `*` is any element of a list."""

    path: tuple[str, ...]
    tests: tuple[Test, ...]
    fold: bool = False  # compare text without regard to case and width


class Window(Node, frozen=True):
    """`within`: (now - W, now]; `between`: [t1, t2), as written; neither: ever."""

    within: Duration | None = None
    between: tuple[str, str] | None = None


class AllOf(Node, frozen=True):
    rules: tuple[Rule, ...]


class AnyOf(Node, frozen=True):
    rules: tuple[Rule, ...]


class Not(Node, frozen=True):
    rule: Rule


class Trait(Node, frozen=True):
    condition: Condition


class Count(Node, frozen=True):
    """`did` and `did_not`: how many such events lie in the window."""

    event: str
    where: tuple[Condition, ...]
    window: Window
    tests: tuple[Test, ...]


class Aggregate(Node, frozen=True):
    """`sum avg min max distinct` of a property over the events in the window."""

    function: str
    event: str
    path: tuple[str, ...]
    where: tuple[Condition, ...]
    window: Window
    tests: tuple[Test, ...]


class Pick(Node, frozen=True):
    """`last` and `first`: a property of the latest or earliest such event; ties go by arrival."""

    end: str
    event: str
    where: tuple[Condition, ...]
    window: Window
    condition: Condition


class Step(Node, frozen=True):
    event: str
    where: tuple[Condition, ...]
    within: int = 0  # microseconds after the step before; 0 is any time


class Sequence(Node, frozen=True):
    steps: tuple[Step, ...]
    window: Window


class InSegment(Node, frozen=True):
    segment: str


class Listed(Node, frozen=True):
    """On an uploaded list; what the rule of a list segment says."""

    list: str


class Consent(Node, frozen=True):
    channel: str
    topic: str
    tests: tuple[Test, ...]


class Bucket(Node, frozen=True):
    salt: str
    start: int
    end: int  # excluded


Rule = AllOf | AnyOf | Not | Trait | Count | Aggregate | Pick | Sequence | InSegment | Listed | Consent | Bucket

_encoder = msgspec.json.Encoder(decimal_format="number", order="sorted")


def canonical(node: Node) -> bytes:
    """Equal for rules that say the same in the same order, however they were written."""
    return _encoder.encode(node)


def key_of(node: Node) -> str:
    return blake2b(canonical(node), digest_size=16).hexdigest()


def parse(raw: Any, pointer: str = "/where") -> Rule:
    """The tree of a rule; raises `Invalid` with every wrong place."""
    from kizuna.segments.parse import parse_rule

    return parse_rule(raw, pointer)


def rule_key(raw: Any) -> str:
    """The content hash under which the answer to a rule is kept."""
    return key_of(parse(raw))


def walk(rule: Rule) -> Iterator[Rule]:
    """The rule and all rules inside it."""
    yield rule
    if isinstance(rule, AllOf | AnyOf):
        for inner in rule.rules:
            yield from walk(inner)
    elif isinstance(rule, Not):
        yield from walk(rule.rule)


def segments_of(rule: Rule) -> set[str]:
    """The segments a rule asks for."""
    return {node.segment for node in walk(rule) if isinstance(node, InSegment)}
