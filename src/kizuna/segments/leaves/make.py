"""Which leaf keeps what a part of a rule asks, and how the rule reads its answer."""

from __future__ import annotations

import operator
from decimal import Decimal
from typing import Any

from kizuna.segments import rule
from kizuna.segments.leaves import Leaf, Watch, count, pick
from kizuna.segments.leaves.distinct import Distinct
from kizuna.segments.leaves.moving import Moving
from kizuna.segments.leaves.moving_total import MovingTotal
from kizuna.segments.leaves.pick import Pick
from kizuna.segments.leaves.running import Greatest, Least, Mean, Running, Sum
from kizuna.segments.leaves.sequence import Sequence
from kizuna.segments.operators import TIMED, ZONED
from kizuna.segments.rule import Test
from kizuna.segments.span import span_of
from kizuna.segments.values import multiply, number

OF_EVENTS = (rule.Count, rule.Aggregate, rule.Pick, rule.Sequence)
_OPERATORS: dict[str, Any] = {
    "is": operator.eq,
    "is_not": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_RUNNING: dict[str, type[Running]] = {"sum": Sum, "avg": Mean, "min": Least, "max": Greatest}


def leaf_of(node: rule.Count | rule.Aggregate | rule.Pick | rule.Sequence) -> Leaf:
    span = span_of(node.window)
    match node:
        case rule.Count():
            return count.leaf_of(node)
        case rule.Aggregate() if node.function == "distinct":
            return Distinct(node, span)
        case rule.Aggregate() if node.function in ("sum", "avg") and span.is_moving and not span.is_zoned:
            return MovingTotal(node, span)
        case rule.Aggregate() if span.is_moving or span.local is not None:
            return Moving(node, span)
        case rule.Aggregate():
            return _RUNNING[node.function](node, span)
        case rule.Pick():
            return Pick(node, span)
        case rule.Sequence():
            return Sequence(node, span)


def watch_of(node: rule.Count | rule.Aggregate | rule.Pick | rule.Sequence, leaf: Leaf) -> Watch:
    """How a rule reads the leaf's answer."""
    match node:
        case rule.Count():
            return count.watch_of(node.tests)
        case rule.Aggregate():
            return _aggregate_watch(node)
        case rule.Pick():
            if isinstance(leaf, Pick):
                leaf.conditions.append(node.condition)
            leaf.timed |= any(test.op in TIMED for test in node.condition.tests)
            leaf.zoned |= any(test.op in ZONED for test in node.condition.tests)
            return pick.watch_of(node.condition)
        case rule.Sequence():
            return lambda found, now, zone: found is True


def _aggregate_watch(node: rule.Aggregate) -> Watch:
    checks = [_compare(test) for test in node.tests]
    if node.function == "avg":  # total against bound times number: no division, nothing rounded
        return lambda mean, now, zone: mean is not None and all(check(mean[0], mean[1]) for check in checks)
    if len(node.tests) == 1 and node.tests[0].op in _OPERATORS:
        compare, bound = _OPERATORS[node.tests[0].op], number(node.tests[0].value)
        return lambda found, now, zone: found is not None and compare(found, bound)
    return lambda found, now, zone: found is not None and all(check(found, 1) for check in checks)


def _compare(test: Test) -> Any:
    if test.op == "between":
        low, high = (number(each) for each in test.value)
        return lambda found, n: _times(low, n) <= found <= _times(high, n)
    bound, compare = number(test.value), _OPERATORS[test.op]
    return lambda found, n: compare(found, _times(bound, n))


def _times(bound: Any, n: int) -> Any:
    return bound if n == 1 else multiply(Decimal(bound), Decimal(n))
