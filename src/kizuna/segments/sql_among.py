"""Who a rule can hold for at all: where only those pass of whom something is known, that tells who is to be asked.

A rule that asks for events finds its customers among the events, and looks at the records of those alone.
"""

# ruff: noqa: S608  (text of a rule only ever gets in through `literal`)

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kizuna.segments.rule import Aggregate, AllOf, AnyOf, Count, InSegment, Rule
from kizuna.segments.sql_grouped import by_events, those_sql
from kizuna.segments.sql_text import literal

if TYPE_CHECKING:
    from kizuna.segments.sql import Reading

Narrowed = tuple[str, list[str]]  # `SELECT profile`, each once; and the conditions left, which need the record


def narrowed(reading: Reading, node: Rule) -> Narrowed | None:
    """Who is to be asked, and what is left to ask of each; None where it may hold of anybody.

    Nothing says here that those found have a record: they may be merged away or never have been one.
    """
    match node:
        case AllOf():
            return _all(reading, list(_flat(node.rules)))
        case AnyOf():
            return _any(reading, node.rules)
        case Count() | Aggregate():
            those = those_sql(reading, [node])
            return (those, []) if those else None
        case InSegment():
            return f"SELECT m.profile FROM memberships m WHERE m.segment = {literal(node.segment)}", []
        case _:
            return None


def _all(reading: Reading, rules: Sequence[Rule]) -> Narrowed | None:
    """Those found by one rule, unless another does not hold for them."""
    together, others = by_events(rules)
    found: list[str] = []
    asked: list[str] = []
    for nodes in together:
        those = those_sql(reading, nodes)
        if those:
            found.append(those)
        else:
            asked += [reading.rule(node) for node in nodes]
    for each in others:
        inner = narrowed(reading, each)
        if inner and not inner[1]:
            found.append(inner[0])
        else:
            asked.append(reading.rule(each))
    if not found:
        return None
    first, *more = found
    asked = [f"(p.profile IN ({those}))" for those in more] + asked
    before = [each for each in asked if not _needs_record(each)]
    if before:
        first = f"SELECT p.profile FROM ({first}) p WHERE {' AND '.join(before)}"
    return first, [each for each in asked if _needs_record(each)]


def _any(reading: Reading, rules: Sequence[Rule]) -> Narrowed | None:
    """One that needs the record, or holds of nothing, and all must be looked at."""
    found: list[str] = []
    for each in rules:
        inner = narrowed(reading, each)
        if inner is None or inner[1]:
            return None
        found.append(f"({inner[0]})")
    return (" UNION ".join(found), []) if found else None


def _flat(rules: Sequence[Rule]) -> Iterator[Rule]:
    for each in rules:
        if isinstance(each, AllOf):
            yield from _flat(each.rules)
        else:
            yield each


def _needs_record(condition: str) -> bool:
    """More than the id of `p`; text of the rule that looks like it costs time only."""
    return "p." in condition.replace("p.profile", "")
