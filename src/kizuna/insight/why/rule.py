"""What each part of a rule sees in a record at an instant, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from kizuna.core import clock
from kizuna.insight.why.link import Link
from kizuna.profiles.past import Then
from kizuna.segments import rule
from kizuna.segments.leaves import Leaf
from kizuna.segments.leaves.make import OF_EVENTS, leaf_of
from kizuna.segments.program import Program
from kizuna.segments.props import compile_elements
from kizuna.segments.section import Segments
from kizuna.segments.tree import Sources, View, bucket_of, compile_rule

_COMBINING = ("all", "any", "not")


def parts_of(where: Any) -> Iterator[Any]:
    """The parts of a rule that ask something themselves, as written."""
    for form in _COMBINING:
        if form in where:
            inner = where[form]
            for part in inner if isinstance(inner, list) else [inner]:
                yield from parts_of(part)
            return
    yield where


def judged(then: Then, where: Any, version: int | None) -> list[Link]:
    """A line for each part: `seen` is the value, counts as far as rules count."""
    section: Segments = then.scope.record["segments"]
    program: Program = then.scope.program["segments"]
    view = View(then.scope, section)
    return [_judge(part, view, dict(program.leaves), then.scope.now, version) for part in parts_of(where)]


def _judge(part: Any, view: View, leaves: dict[str, Leaf], now: int, version: int | None) -> Link:
    node = rule.parse(part)
    holds = compile_rule(node, leaves, Sources())(view)
    return {
        "at": clock.show(now),
        "rule": part,
        "seen": shown(_seen(node, view, leaves)),
        "version": version,
        "outcome": "holds" if holds else "does not hold",
    }


def _seen(node: rule.Rule, view: View, leaves: dict[str, Leaf]) -> Any:
    match node:
        case rule.Trait():
            values = list(compile_elements(node.condition.path)(view.traits))
            return values[0] if len(values) == 1 else values or None
        case rule.InSegment():
            return node.segment in view.member_of
        case rule.Consent():
            return view.consent(node.channel, node.topic)
        case rule.Bucket():
            return bucket_of(node.salt, view.profile)
        case _ if isinstance(node, OF_EVENTS):
            leaf = leaves[leaf_of(node).id]
            answer = leaf.answer(view.states.get(leaf.id), view.now, view.zone)
            return _mean(answer) if isinstance(node, rule.Aggregate) and isinstance(answer, tuple) else answer
        case _:
            return None


def _mean(answer: tuple[Any, int]) -> Any:
    total, number = answer
    return Decimal(total) / number if number else None


def shown(value: Any) -> Any:
    """As JSON takes it; exact decimals are text."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return int(value) if value == value.to_integral_value() else f"{value.normalize():f}"
        case dict():
            return {str(name): shown(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [shown(inner) for inner in value]
        case _:
            return str(value)
