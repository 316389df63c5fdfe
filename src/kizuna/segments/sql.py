"""The second reading of a rule: SQL over history, for previews and audits. Same answers as the fold, or it is a bug.

Relations: `events(profile, type, event, timestamp, arrival, properties)`, `profiles(profile, traits, zone)`,
`memberships(profile, segment)`, `consents(profile, channel, topic, state)`. Limits of this reading, none of the fold:
JSON fractions are exact to 15 significant digits, numbers to 18 decimals; `fold` knows the width of Latin and kana.
"""

# ruff: noqa: S608  (text of a rule only ever gets in through `literal`)

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from kizuna.segments import rule
from kizuna.segments.rule import Condition, Rule, Test, Window
from kizuna.segments.sql_among import narrowed
from kizuna.segments.sql_grouped import all_of, grouped_sql
from kizuna.segments.sql_text import let, literal
from kizuna.segments.sql_time import Zones
from kizuna.segments.sql_values import condition_sql, element_list, identity_sql, number_sql
from kizuna.segments.values import number

IS_EVENT = "e.type IN ('track', 'page', 'screen', 'fact', 'report')"


def _some_profiles(among: str) -> str:
    return f"SELECT * FROM profiles WHERE profile IN ({among})"


def compile_sql(
    node: Rule, now: int, zone: str, zones: Collection[str] = (), some: Callable[[str], str] = _some_profiles
) -> str:
    """`SELECT profile ...` of those for whom the rule holds at `now`.

    `zone` is the workspace's; `zones` are all that profiles have, needed where `asks_zones`. `some` is the SQL of
    those `profiles` that a `SELECT profile` names: the lake knows a faster one.
    """
    reading = Reading(now, Zones(zone, zones))
    found = narrowed(reading, node)
    if found is None:
        return f"SELECT p.profile FROM profiles p WHERE {reading.rule(node)}"
    among, rest = found
    return f"SELECT p.profile FROM ({some(among)}) p WHERE {' AND '.join(rest) or 'true'}"


def asks_zones(node: Rule, now: int) -> bool:
    """Whether the answer depends on the zones that profiles have."""
    zones = Zones("UTC", ())
    Reading(now, zones).rule(node)
    return zones.were_asked


class Reading:
    """Each method gives a boolean expression that is never NULL."""

    def __init__(self, now: int, zones: Zones) -> None:
        self.now = now
        self.zones = zones

    def rule(self, node: Rule) -> str:
        match node:
            case rule.AllOf():
                return self._joined("AND", all_of(self, node.rules), "true")
            case rule.AnyOf():
                return self._joined("OR", [self.rule(each) for each in node.rules], "false")
            case rule.Not():
                return f"(NOT {self.rule(node.rule)})"
            case rule.Trait():
                return condition_sql(node.condition, "p.traits", str(self.now), self.zones)
            case rule.Count() | rule.Aggregate() if grouped := grouped_sql(self, [node]):
                return grouped
            case rule.Count():
                counted = self._select("count(*)", node.event, node.where, node.window)
                return self.compared(f"({counted})", node.tests)
            case rule.Aggregate():
                return self._aggregate(node)
            case rule.Pick():
                return self._pick(node)
            case rule.Sequence():
                return self._sequence(node)
            case rule.InSegment():
                name = literal(node.segment)
                return f"EXISTS (SELECT 1 FROM memberships m WHERE m.profile = p.profile AND m.segment = {name})"
            case rule.Listed():
                return self._listed(node)
            case rule.Consent():
                return self._consent(node)
            case rule.Bucket():
                hashed = f"substr(sha256(concat({literal(node.salt + ':')}, p.profile)), 1, 12)"
                bucket = f"(CAST(concat('0x', {hashed}) AS BIGINT) % 10000)"
                return f"({bucket} >= {node.start} AND {bucket} < {node.end})"

    def _joined(self, word: str, parts: list[str], empty: str) -> str:
        return f"({f' {word} '.join(parts)})" if parts else empty

    def _select(self, what: str, event: str, where: tuple[Condition, ...], window: Window, source: str = "") -> str:
        return f"SELECT {what} FROM events e{source} WHERE {self.matches('e', event, where, window)}"

    def matches(self, e: str, event: str, where: tuple[Condition, ...], window: Window) -> str:
        """That a row of `events` is such an event of this profile in the window."""
        parts = [
            f"{e}.profile = p.profile",
            IS_EVENT.replace("e.", f"{e}.", 1),
            f"{e}.event = {literal(event)}",
            f"{e}.timestamp <= {self.now}",
            *self._in_window(f"{e}.timestamp", window),
            *(condition_sql(each, f"{e}.properties", f"{e}.timestamp", self.zones) for each in where),
        ]
        return " AND ".join(parts)

    def _in_window(self, timestamp: str, window: Window) -> list[str]:
        if window.within is not None:
            return [self.zones.still_within(timestamp, window.within, str(self.now))]
        if window.between is not None:
            low, high = (self.zones.instant(each) for each in window.between)
            return [f"{timestamp} >= {low}", f"{timestamp} < {high}"]
        return []

    def compared(self, found: str, tests: tuple[Test, ...], times: str = "") -> str:
        """Number against constants; `times` multiplies them, where an average is compared without dividing."""
        parts = []
        for test in tests:
            if test.op == "between":
                low, high = (_decimal(each) + times for each in test.value)
                parts.append(f"{found} BETWEEN {low} AND {high}")
            else:
                parts.append(f"{found} {_SIGNS[test.op]} {_decimal(test.value)}{times}")
        return f"coalesce({' AND '.join(parts)}, false)"

    def _aggregate(self, node: rule.Aggregate) -> str:
        elements = element_list(node.path, "e.properties")
        if node.function == "distinct":
            inner = self._select(f"unnest({elements}) AS v", node.event, node.where, node.window)
            return self.compared(f"(SELECT count(DISTINCT {identity_sql('x.v')}) FROM ({inner}) x)", node.tests)
        numbers = f"list_transform({elements}, lambda v: {number_sql('v')})"
        kept = f"list_filter({numbers}, lambda v: v IS NOT NULL)"
        inner = self._select(f"unnest({kept}) AS v", node.event, node.where, node.window)
        if node.function == "avg":
            total, count = f"(SELECT sum(v) FROM ({inner}))", f"(SELECT count(v) FROM ({inner}))"
            return f"({count} > 0 AND {self.compared(total, node.tests, f' * {count}')})"
        what = "coalesce(sum(v), 0)" if node.function == "sum" else f"{node.function}(v)"
        return self.compared(f"(SELECT {what} FROM ({inner}))", node.tests)

    def _pick(self, node: rule.Pick) -> str:
        """The properties of that event as text, NULL when there is none."""
        choose = "arg_max" if node.end == "last" else "arg_min"
        select = self._select(
            f"{choose}(CAST(e.properties AS VARCHAR), (e.timestamp, e.arrival))", node.event, node.where, node.window
        )
        of_nothing = all(test.op == "exists" and test.value is False for test in node.condition.tests)
        nothing = str(of_nothing).lower()
        return let(
            f"({select})",
            lambda found: (
                f"CASE WHEN {found} IS NULL THEN {nothing}"
                f" ELSE {condition_sql(node.condition, found, str(self.now), self.zones)} END"
            ),
        )

    def _sequence(self, node: rule.Sequence) -> str:
        parts = []
        for index, step in enumerate(node.steps):
            parts.append(self.matches(f"e{index}", step.event, step.where, node.window))
            if index:
                gap = f"e{index}.timestamp - e{index - 1}.timestamp"
                parts.append(f"{gap} > 0")
                if step.within:
                    parts.append(f"{gap} <= {step.within}")
        sources = ", ".join(f"events e{index}" for index in range(len(node.steps)))
        return f"EXISTS (SELECT 1 FROM {sources} WHERE {' AND '.join(parts)})"

    def _listed(self, node: rule.Listed) -> str:
        """By the last word of all uploads on each entry that is this customer."""
        said = [f"json_extract_string(e.properties, '$.{key}')" for key in ("listed", "upload", "entry")]
        on_it, upload, entry = said
        last = (
            f"SELECT arg_max({on_it}, CAST({upload} AS BIGINT)) = 'true' AS on_it FROM events e"
            f" WHERE e.profile = p.profile AND e.type = 'list' AND e.event = {literal(node.list)}"
            f" AND e.timestamp <= {self.now} GROUP BY {entry}"
        )
        return f"coalesce((SELECT bool_or(on_it) FROM ({last})), false)"

    def _consent(self, node: rule.Consent) -> str:
        state = (
            "coalesce((SELECT max(c.state) FROM consents c WHERE c.profile = p.profile"
            f" AND c.channel = {literal(node.channel)} AND coalesce(c.topic, '') = {literal(node.topic)}), 'neutral')"
        )
        parts = []
        for test in node.tests:
            states = test.value if isinstance(test.value, list) else [test.value]
            listed = ", ".join(literal(each) for each in states)
            word = "NOT IN" if test.op in ("is_not", "not_in") else "IN"
            parts.append(f"{state} {word} ({listed})" if states else str(word == "NOT IN").lower())
        return f"({' AND '.join(parts)})"


_SIGNS = {"is": "=", "is_not": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def _decimal(value: Any) -> str:
    found = number(value)
    return f"CAST('{found:f}' AS DECIMAL(38, 18))" if found is not None else "NULL"


def profiles_zones_sql() -> str:
    """The zones to pass to `compile_sql`."""
    return "SELECT DISTINCT zone FROM profiles WHERE zone IS NOT NULL AND zone <> ''"
