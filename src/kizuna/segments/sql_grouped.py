"""What is counted of a customer's events, asked of all customers at once: one pass over the events instead of one each.

Only where nothing inside depends on the profile (its zone does); `sql` asks the rest of each profile by itself.
"""

# ruff: noqa: S608  (text of a rule only ever gets in through `literal`)

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kizuna.segments.operators import compile_check, is_negative
from kizuna.segments.rule import Aggregate, Count, Rule, Test
from kizuna.segments.sql_values import bare_sql, element_list, identity_sql, number_of, value_of

if TYPE_CHECKING:
    from kizuna.segments.sql import Reading

OF_PROFILE = "e.profile = p.profile"

Counted = Count | Aggregate


def all_of(reading: Reading, rules: Sequence[Rule]) -> list[str]:
    """A condition for each rule; those that look at the same events share one."""
    together, others = by_events(rules)
    parts = [reading.rule(each) for each in others]
    for nodes in together:
        shared = grouped_sql(reading, nodes)
        parts += [shared] if shared is not None else [reading.rule(node) for node in nodes]
    return parts


def by_events(rules: Sequence[Rule]) -> tuple[list[list[Counted]], list[Rule]]:
    """Those that can look at the same events together, and the others."""
    together: dict[str, list[Counted]] = {}
    others: list[Rule] = []
    for each in rules:
        if isinstance(each, Counted) and not _holds_of_nothing(each) and not _is_spread(each):
            together.setdefault(repr((each.event, each.where, each.window)), []).append(each)
        else:
            others.append(each)
    return list(together.values()), others


def grouped_sql(reading: Reading, nodes: Sequence[Counted]) -> str | None:
    """That the profile is among those for whom all hold; None where the answer needs the profile itself.

    Several nodes look at the same events, none is spread over elements, and none holds of no events.
    """
    if _holds_of_nothing(nodes[0]):  # who has no such events passes, so look for those who do not
        found = _those(reading, nodes, "NOT ")
        return found and f"(p.profile NOT IN ({found}))"
    found = those_sql(reading, nodes)
    return found and f"(p.profile IN ({found}))"


def those_sql(reading: Reading, nodes: Sequence[Counted]) -> str | None:
    """`SELECT profile` of those for whom all hold, each once; None where they are not to be told by events alone."""
    return None if _holds_of_nothing(nodes[0]) else _those(reading, nodes)


def _those(reading: Reading, nodes: Sequence[Counted], sense: str = "") -> str | None:
    first = nodes[0]
    matches = reading.matches("e", first.event, first.where, first.window).replace(OF_PROFILE, "true", 1)
    if "p." in matches:
        return None
    valued = [(f"v{place}", node) for place, node in enumerate(nodes) if isinstance(node, Aggregate)]
    found = f"SELECT e.profile{''.join(f', {_value(node)} AS {v}' for v, node in valued)} FROM events e WHERE {matches}"
    if valued:  # in two steps, for what is named is worked out once
        read = "".join(f", {_read(node, f'y.{v}')} AS {v}" for v, node in valued)
        found = f"SELECT y.profile{read} FROM ({found}) y"
    holds = " AND ".join(_judged(reading, node, f"x.v{place}") for place, node in enumerate(nodes))
    return f"SELECT x.profile FROM ({found}) x GROUP BY x.profile HAVING {sense}({holds})"


def _value(node: Aggregate) -> str:
    """The JSON text that one event adds; a row for each where there are several."""
    if _is_spread(node):
        return f"unnest({element_list(node.path, 'e.properties')})"
    return value_of(node.path, "e.properties")


def _read(node: Aggregate, value: str) -> str:
    return identity_sql(value) if node.function == "distinct" else bare_sql(value)


def _judged(reading: Reading, node: Counted, value: str) -> str:
    if isinstance(node, Count):
        return reading.compared("count(*)", node.tests)
    number = number_of(value)
    match node.function:
        case "avg":
            return reading.compared(f"sum({number})", node.tests, f" * count({number})")
        case "sum":
            return reading.compared(f"coalesce(sum({number}), 0)", node.tests)
        case "distinct":
            return reading.compared(f"count(DISTINCT {value})", node.tests)
        case function:
            return reading.compared(f"{function}({number})", node.tests)


def _is_spread(node: Counted) -> bool:
    return isinstance(node, Aggregate) and "*" in node.path


def _holds_of_nothing(node: Counted) -> bool:
    """Nothing counts and sums to 0; of nothing there is no average, least or most."""
    if isinstance(node, Aggregate) and node.function not in ("sum", "distinct"):
        return False
    return all(_holds_of_zero(test) for test in node.tests)


def _holds_of_zero(test: Test) -> bool:
    return compile_check(test, fold=False)(0, 0, "UTC") != is_negative(test)
