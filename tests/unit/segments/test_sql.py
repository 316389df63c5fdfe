"""The two readings of a rule agree: over random rules and histories, at instants on and beside every window's edge."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kizuna.core import clock, ids
from kizuna.engine.moment import Item
from kizuna.segments.props import compile_props
from kizuna.segments.rule import AGGREGATES, parse
from kizuna.segments.sql import compile_sql
from kizuna.segments.tree import bucket_of

HOUR, DAY = clock.HOUR, clock.DAY
START = clock.read_time("2026-02-20T00:00:00Z") or 0  # before a leap-less February ends and clocks change in March
ZONES = ["America/New_York", "Asia/Tokyo", "Europe/London"]

# -- what may be asked and said: few values and hours, so that rules are often just true or just false -----------------

events = st.sampled_from(["Order Completed", "it's"])
numbers = st.sampled_from([0, 1, 2, 10, Decimal("0.1"), Decimal("2.50"), Decimal("1e1")])
numeric_texts = st.sampled_from(["1", "2.5", "10.0", "1e1", "01", " 1", ""])
texts = st.sampled_from(["gold", "Gold", "ＧＯＬＤ", "go", "ガ", "ｶﾞ", 'it\'s "x"', "a\nb", "ß", "null"])
times = st.sampled_from(
    [
        "2026-02-20", "2026-02-21T10:00:00Z", "2026-03-08T02:30:00", "2026-02-22T09:00:00+09:00", "2026-2-21",
        "2026-02-23T00:00:00.5Z", "2024-02-29", "1990-03-03", "2026-03-20T00:00:00", "2026-11-01T01:30:00",
    ]
)  # fmt: skip
amounts = st.one_of(numbers, numeric_texts)
scalars = st.one_of(amounts, texts, times, st.booleans())
values = st.one_of(
    scalars,
    st.lists(scalars, max_size=2),
    st.fixed_dictionaries({}, optional={"a": scalars, "b.c": st.lists(scalars, max_size=2)}),
)
lines = st.fixed_dictionaries({}, optional={"sku": st.one_of(texts, st.none()), "n": amounts})
said = st.fixed_dictionaries(
    {"total": st.one_of(amounts, amounts, st.none(), texts), "plan": st.one_of(texts, values), "due": times},
    optional={"products": st.lists(lines, max_size=2), "in": st.fixed_dictionaries({"to": scalars})},
)
lengths = st.sampled_from(["1h", "12h", "1d", "3d"])
calendar = st.sampled_from(["1mo", "2mo", "1y"])


def pair(of: Any) -> Any:
    return st.lists(of, min_size=2, max_size=2)


def takes(values: Any, relative: Any) -> dict[str, Any]:
    """What constants operators take, for a path where such values are found."""
    return {
        "text": {
            **dict.fromkeys(("is", "is_not", "contains", "not_contains"), values),
            **dict.fromkeys(("in", "not_in"), st.lists(values, max_size=2)),
            **dict.fromkeys(("starts_with", "ends_with"), texts),
            "matches": st.sampled_from(["^go", "ld$", "a.b", "(?i)GOLD", "[0-9]+", "ß|x"]),
            "exists": st.booleans(),
        },
        "number": {
            **dict.fromkeys(("is", "is_not", "gt", "gte", "lt", "lte"), st.one_of(numbers, st.just("2.5"))),
            **dict.fromkeys(("in", "not_in"), st.lists(amounts, max_size=2)),
            "between": pair(numbers),
        },
        "time": {
            **dict.fromkeys(("before", "after"), times),
            "between": pair(times),
            **dict.fromkeys(("within_last", "within_next"), relative),
        },
    }


def conditions(relative: Any) -> Any:
    """A path, and one or two operators that suit what is mostly found there."""
    found = {
        "total": (amounts, ["number", "number", "text"]), "plan": (st.one_of(texts, values), ["text"]),
        "due": (times, ["time"]), "products.*.sku": (texts, ["text"]), "products.*.n": (amounts, ["number"]),
        "in.to": (scalars, ["text", "number", "time"]), "products": (values, ["text"]), "plan.*": (scalars, ["text"]),
    }  # fmt: skip

    def suited(path: str) -> Any:
        one = (
            st.sampled_from(found[path][1])
            .flatmap(
                lambda kind: st.sampled_from(sorted(takes(found[path][0], relative)[kind].items(), key=lambda x: x[0]))
            )
            .flatmap(lambda each: each[1].map(lambda value: {each[0]: value}))
        )
        return joined(st.just({"path": path}), one, st.one_of(st.just({}), st.just({}), one, st.just({"fold": True})))

    return st.sampled_from(["total", "total", "plan", *found]).flatmap(suited)


def joined(*parts: Any) -> Any:
    return st.tuples(*parts).map(lambda each: {key: value for part in each for key, value in part.items()})


def named(key: str, tests: Any) -> Any:
    """With the path under the key of its form."""
    return tests.map(lambda each: {key: each["path"], **{k: v for k, v in each.items() if k != "path"}})


props = st.lists(named("property", conditions(lengths)), min_size=1, max_size=2)
windows = st.one_of(
    st.just({}),
    lengths.map(lambda text: {"within": text}),
    lengths.map(lambda text: {"within": text}),
    calendar.map(lambda text: {"within": text}),
    st.sampled_from([["2026-02-21", "2026-02-23"], ["2026-02-21T00:00:00Z", "2026-02-22T02:00:00"]]).map(
        lambda span: {"between": span}
    ),
)
counts = st.sampled_from([{}, {"count": {"gte": 2}}, {"count": {"lt": 2}}, {"count": {"is": 1}}, {"count": {"lte": 1}}])
bounds = st.one_of(
    st.sampled_from(["is", "gt", "gte", "lt", "lte", "is_not"]).flatmap(lambda op: numbers.map(lambda n: {op: n})),
    st.just({"between": [1, 10]}),
)


where = st.one_of(st.just({}), st.just({}), props.map(lambda listed: {"where": listed}))
paths = st.sampled_from(["total", "total", "plan", "products.*.n", "products.*.sku", "due"])
measured = st.tuples(events, paths).map(lambda x: {"event": x[0], "property": x[1]})
moving = st.one_of(st.just({}), lengths.map(lambda text: {"within": text}), calendar.map(lambda text: {"within": text}))
steps = st.lists(joined(events.map(lambda name: {"did": name}), where), min_size=2, max_size=3)


def picked(end: str) -> Any:
    tests = st.tuples(events, conditions(st.one_of(lengths, calendar))).map(
        lambda x: {end: {"event": x[0], "property": x[1]["path"]}, **{k: v for k, v in x[1].items() if k != "path"}}
    )
    return joined(tests, moving, where)


counted = joined(events.map(lambda name: {"did": name}), windows, counts, where)
leaves = st.one_of(
    counted,
    counted,
    joined(events.map(lambda name: {"did_not": name}), windows, where),
    *(joined(measured.map(lambda x, f=f: {f: x}), moving, bounds, where) for f in AGGREGATES),
    picked("last"),
    picked("first"),
    st.tuples(steps, st.sampled_from(["", "1h", "12h"]), windows).map(
        lambda x: {"sequence": [x[0][0], *({**each, "within": x[1]} if x[1] else each for each in x[0][1:])], **x[2]}
    ),
    named("trait", conditions(st.one_of(lengths, calendar))),
    st.sampled_from(["1d", "7d", "1mo"]).map(lambda days: {"trait": "due", "anniversary": {"within_next": days}}),
    st.builds(
        lambda topic, op, state: {"consent": {"channel": "email", **topic}, op: state},
        st.sampled_from([{}, {"topic": "news"}]), st.sampled_from(["is", "is_not"]),
        st.sampled_from(["opted_in", "opted_out", "neutral"]),
    ),
    st.integers(0, 10_000).map(lambda n: {"bucket": {"salt": "x", "from": 0, "to": n}}),
    st.just({"in_segment": "first"}),
)  # fmt: skip
rules = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=4,
)

tracked = st.tuples(st.just("track"), events, said, st.sampled_from([0, 0, 0, 1, 12, 24, 72]))
consents = st.sampled_from(["opted_in", "opted_out"])
happenings = st.one_of(
    tracked, tracked, tracked,
    st.tuples(st.just("identify"), st.sampled_from(["", *ZONES]), said, st.just(0)),
    st.tuples(st.just("consent"), st.sampled_from(["", "news"]), consents, st.just(0)),
)  # fmt: skip
hours = st.one_of(st.integers(0, 5), st.sampled_from([12, 13, 24, 25, 36, 48, 72]))
histories = st.lists(st.tuples(hours, st.sampled_from(["ada", "grace"]), happenings), min_size=4, max_size=12)
edges = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 9), st.sampled_from([-1, 0, 0])), min_size=5, max_size=5)


@settings(max_examples=120, deadline=None, report_multiple_bugs=False, suppress_health_check=list(HealthCheck))
@given(
    first=leaves.filter(lambda rule: "in_segment" not in rule), second=rules, third=rules, history=histories,
    zone=st.sampled_from(ZONES), instants=edges,
)  # fmt: skip
def test_fold_and_sql_agree(
    world: Any, first: Any, second: Any, third: Any, history: Any, zone: str, instants: list[tuple[int, int, int]]
) -> None:
    asked = {"first": first, "second": second, "third": third}
    told = world(asked, zone=zone)
    told.now = START
    told.say("identify", user="ada")
    told.say("identify", user="grace")
    items: list[tuple[str, Item, int]] = []
    ordered = sorted(history, key=lambda each: each[0])
    for hour, user, happened in ordered:
        told.until(START + hour * HOUR)
        tell(told, user, happened, items)
    agree(told, asked, items, zone)
    times, spans = [item.timestamp for _, item, _ in items] or [START], lengths_in(list(asked.values())) or ["1d"]
    on_edges = (
        clock.after(times[which % len(times)], clock.duration(spans[span % len(spans)]), zone) + delta
        for which, span, delta in instants
    )
    for instant in sorted({each for each in on_edges if each > told.now}):
        told.until(instant)
        agree(told, asked, items, zone)


def lengths_in(raw: Any) -> list[str]:
    """All windows of rules: what happened leaves them at its time plus one of these."""
    if isinstance(raw, list):
        return [length for each in raw for length in lengths_in(each)]
    if not isinstance(raw, dict):
        return []
    own = [each for key, each in raw.items() if key.startswith("within") and isinstance(each, str)]
    return own + [length for each in raw.values() for length in lengths_in(each)]


def tell(told: Any, user: str, happened: Any, items: list[tuple[str, Item, int]]) -> None:
    kind, name, body, late = happened
    if kind == "track":
        told.track(name, user=user, at=told.now - late * HOUR, **body)
        items.append((user, told.last, told.said))
    elif kind == "identify":
        told.say("identify", user=user, zone=name, **body)
    else:
        told.say("consent", user=user, channel="email", topic=name, state=body, proof={"by": "hand"})


_duck = duckdb.connect()
_duck.execute("SET TimeZone = 'UTC'")
_duck.execute("SET threads = 1")


def agree(told: Any, asked: dict[str, Any], items: list[tuple[str, Item, int]], zone: str) -> None:
    """Membership by timers and events alone equals the SQL reading of the same history at this instant."""
    names = {ids.show("prf", told.profile(user)): user for user in ("ada", "grace")}
    fill_tables(told, items, names)
    zones = {told.record(user)["profiles"].zone for user in ("ada", "grace")}
    sql = {name: compile_sql(parse(raw), told.now, zone, zones) for name, raw in asked.items()}
    all_of_them = " UNION ALL ".join(f"SELECT '{name}', profile FROM ({each})" for name, each in sql.items())
    by_sql = {(name, names[profile]) for name, profile in _duck.execute(all_of_them).fetchall()}
    by_fold = {(name, user) for user in names.values() for name in told.members(user)}
    wrong = {name: (asked[name], sql[name]) for name, _ in by_fold ^ by_sql}
    assert by_fold == by_sql, f"{clock.show(told.now)}\nfold: {by_fold}\nsql: {by_sql}\n{wrong}"


def fill_tables(told: Any, items: list[tuple[str, Item, int]], names: dict[str, str]) -> None:
    public = {user: profile for profile, user in names.items()}
    rows = [
        (public[user], item.id, item.type, item.name, item.timestamp, number, item.properties.decode())
        for user, item, number in items
    ]
    table("events", "profile id type event timestamp arrival properties", rows)
    people = [
        (public[user], msgspec.json.encode(told.record(user)["profiles"].traits).decode(),
         told.record(user)["profiles"].zone)
        for user in public
    ]  # fmt: skip
    table("profiles", "profile traits zone", people)
    members = [(public[u], name, at) for u in public for name, at in told.record(u)["segments"].member_of.items()]
    table("memberships", "profile segment entered_at", members)
    consents = []
    for user in public:
        section = told.record(user)["consent"]
        consents += [(public[user], channel, "", state) for channel, state in section.channels.items()]
        consents += [
            (public[user], channel, topic, state)
            for channel, topics in section.topics.items()
            for topic, state in topics.items()
        ]
    table("consents", "profile channel topic state", consents)


def table(name: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
    kinds = {"timestamp": "BIGINT", "arrival": "BIGINT", "entered_at": "BIGINT"}
    typed = ", ".join(f"{column} {kinds.get(column, 'VARCHAR')}" for column in columns.split())
    _duck.execute(f"CREATE OR REPLACE TABLE {name} ({typed})")
    if rows:
        shown = ", ".join("(" + ", ".join(_constant(each) for each in row) + ")" for row in rows)
        _duck.execute(f"INSERT INTO {name} VALUES {shown}")


def _constant(value: Any) -> str:
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def test_a_bucket_reaches_from_its_first_to_before_its_last(world: Any) -> None:
    own = bucket_of("x", ids.profile_id(1, "user", "ada"))
    assert 0 < own < 9_999  # so that there is something on both sides
    spans = {"it": (own, own + 1), "up_to_it": (0, own), "with_it": (0, own + 1), "after_it": (own + 1, 10_000)}
    asked = {name: {"bucket": {"salt": "x", "from": low, "to": high}} for name, (low, high) in spans.items()}
    told = world(asked, zone="UTC")
    told.now = START
    told.say("identify", user="ada")
    told.say("identify", user="grace")
    assert told.members("ada") == {"it", "with_it"}
    agree(told, asked, [], "UTC")


MEASURED = [
    {form: {"event": "E", "property": "n"}, **window, **test}
    for form in (*AGGREGATES, "last", "first")
    for window in ({}, {"within": "3h"}, {"within": "1mo"})
    for test in ({"is": 1}, {"is": 2}, {"gte": 2}, {"lt": 2}, {"is_not": 1}, {"between": [1, 2]})
]
few = st.tuples(st.integers(0, 6), st.sampled_from([0, 1, 1, 2, "2", 0.5, None, "x"]), st.sampled_from([0, 0, 1, 4]))


@settings(max_examples=30, deadline=None, report_multiple_bugs=False, suppress_health_check=list(HealthCheck))
@given(
    chosen=st.lists(st.sampled_from(MEASURED), min_size=8, max_size=8),
    history=st.lists(few, min_size=3, max_size=6),
    instants=edges,
)
def test_measures_agree(world: Any, chosen: list[Any], history: Any, instants: list[tuple[int, int, int]]) -> None:
    asked = {str(index): rule for index, rule in enumerate(chosen)}
    told = world(asked, zone="America/New_York")
    told.now = START
    told.say("identify", user="ada")
    told.say("identify", user="grace")
    items: list[tuple[str, Item, int]] = []
    for hour, n, late in sorted(history, key=lambda each: each[0]):
        told.until(START + hour * HOUR)
        told.track("E", at=told.now - late * HOUR, n=n)
        items.append(("ada", told.last, told.said))
    agree(told, asked, items, "America/New_York")
    on_edges = (items[which % len(items)][1].timestamp + 3 * HOUR + delta for which, _, delta in instants)
    for instant in [*sorted({each for each in on_edges if each > told.now})[:2], START + 40 * DAY]:
        told.until(instant)
        agree(told, asked, items, "America/New_York")


VALUES: list[Any] = [
    0, 1, -1, 10, 12345678901, 0.1, 2.5, 1e2, 1e-7, 123456.789, "1", "1.0", "2.5", "-1", "1e2", "01", " 1", "1 ", "+1",
    "1.", ".5", "", "gold", "Gold", "ＧＯＬＤ", "go", "old gold", "ガ", "ｶﾞ", "カ", "it's \"x\"", "a\nb", "null", "true",
    "ß", "SS", "絆", "a\\b", "%_", True, False, [], [1, "gold"], ["GOLD", None], [[1]], [""], {}, {"a": 1},
    {"a": "1", "b.c": [1]}, {"b.c": [1], "a": 1}, {"a": None}, "2026-02-20", "2026-02-21T10:00:00Z", "2026-2-21",
    "2026-02-22T09:00:00+09:00", "2026-02-22T09:00:00-0330", "2026-02-21T09:00:00.5Z", "2026-02-21 09:00",
    "2026-03-08T02:30:00", "2026-11-01T01:30:00", "2026-03-29T01:30:00", "2026-10-25T01:30:00", "2024-02-29",
    "1990-02-28", "1990-03-03", "2026-02-30", "2026-13-01", "2026-02-21T25:00Z", "2026-02-21T09:00:60Z",
    "2026-02-21T09:00:61Z", "2026-02-21T09:00:00+24:00", "20260221", "2026-02-21T09", None,
]  # fmt: skip
INSTANTS = (
    "2026-02-21", "2026-02-21T10:00:00Z", "2026-03-08T02:30",
    "2026-11-01T05:45:00Z", "2026-10-25T00:45:00Z",  # between the two instants with the same wall-clock time
)  # fmt: skip
TESTS: list[dict[str, Any]] = [
    *({op: each} for op in ("is", "is_not", "contains", "not_contains") for each in VALUES if each is not None),
    *({op: each} for op in ("in", "not_in") for each in ([], ["gold", 1], ["1", True, [1, "gold"]], [{"a": 1}])),
    *({op: each} for op in ("gt", "gte", "lt", "lte") for each in (0, 0.1, "1", 10, Decimal("2.50"), 1e2)),
    *({"between": each} for each in ([0, 1], ["1", 2.5], [1, 0], ["2026-02-20", "2026-02-22"])),
    *({op: each} for op in ("starts_with", "ends_with") for each in ("", "go", "LD", "it's", "ＧＯ", "1", "%")),
    *({"matches": each} for each in ("", "^go", "LD$", "a.b", "(?i)gold", "[0-9]+", "^.$", "\\\\", "'")),
    {"exists": True}, {"exists": False}, {"gt": 0, "lt": 2}, {"is_not": "gold", "exists": True},
    *({op: each} for op in ("before", "after") for each in INSTANTS),
    *({op: each} for op in ("within_last", "within_next") for each in ("1h", "1d", "3d", "1mo", "1y")),
    *({"anniversary": {"within_next": each}} for each in ("1d", "7d", "2w", "1mo")),
]  # fmt: skip


@pytest.mark.parametrize("now", ["2026-02-22T00:00:00Z", "2026-03-01T04:59:59Z", "2027-02-25T12:00:00Z"])
def test_every_operator_reads_every_value_alike(now: str) -> None:
    instant = clock.read_time(now) or 0
    people = [(f"{zone}|{index}", zone, value) for zone in ["", *ZONES] for index, value in enumerate(VALUES)]
    rows = [(who, msgspec.json.encode({"x": value}).decode(), zone) for who, zone, value in people]
    table("profiles", "profile traits zone", rows)
    tests = TESTS if now.startswith("2026-02") else [t for t in TESTS if not {"is", "contains", "is_not"} & t.keys()]
    for test in [*tests, *({**each, "fold": True} for each in TESTS if _is_folding(each) and tests is TESTS)]:
        rule = {"trait": "x", **test}
        sql = compile_sql(parse(rule), instant, "Pacific/Apia", ZONES)
        by_sql = {row[0] for row in _duck.execute(sql).fetchall()}
        holds = compile_props([{"property": "x", **test}])
        by_fold = {who for who, zone, value in people if holds({"x": value}, instant, zone or "Pacific/Apia")}
        assert by_sql == by_fold, (rule, sorted(by_sql - by_fold), sorted(by_fold - by_sql))


def _is_folding(test: dict[str, Any]) -> bool:
    return bool({"is", "is_not", "in", "not_in", "starts_with", "ends_with", "contains", "matches"} & test.keys())


def test_text_of_a_rule_is_always_quoted() -> None:
    hostile = "x' OR 1=1 --"
    sql = compile_sql(
        parse({"any": [{"did": hostile}, {"trait": hostile, "is": hostile}, {"in_segment": hostile}]}), 0, "UTC"
    )
    assert sql.count("x'' OR 1=1 --") == 4
    assert "x' OR" not in sql.replace("''", "")


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London", "Pacific/Apia"])
def test_calendar_spans_are_exactly_what_the_fold_counts(zone: str) -> None:
    from kizuna.segments.sql_time import inside_spans

    length = clock.duration("1mo")
    for text in ("2026-03-31T12:00:00Z", "2026-12-01T06:15:00Z", "2026-04-08T07:10:00Z", "2012-01-30T09:00:00Z"):
        now = clock.read_time(text) or 0
        spans = inside_spans(length, now, zone)
        for at in range(now - 40 * DAY, now, 1800 * clock.SECOND + 1):
            inside = any(start <= at and (end is None or at < end) for start, end in spans)
            assert inside == (clock.after(at, length, zone) > now), (zone, text, clock.show(at))
