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
from kizuna.segments.rule import parse
from kizuna.segments.sql import compile_sql

HOUR, DAY = clock.HOUR, clock.DAY
START = clock.read_time("2026-02-20T00:00:00Z") or 0  # before a leap-less February ends and clocks change in March
ZONES = ["America/New_York", "Asia/Tokyo", "Europe/London"]

# -- what may be asked and said ----------------------------------------------------------------------------------------

events = st.sampled_from(["Order Completed", "App Opened", "it's"])
numbers = st.sampled_from([0, 1, 2, 10, -1, Decimal("0.1"), Decimal("2.50"), Decimal("1e2"), 12345678901])
numeric_texts = st.sampled_from(["1", "2.5", "-1", "1e2", "0.10", "01", " 1", "", "+1", "1."])
texts = st.sampled_from(["gold", "Gold", "ＧＯＬＤ", "go", "old", "ガ", "ｶﾞ", 'it\'s "x"', "true", "null", "a\nb", "ß"])
times = st.sampled_from(
    [
        "2026-02-20", "2026-02-28T10:00:00Z", "2026-03-08T02:30:00", "2026-03-01T09:00:00+09:00", "2026-3-1",
        "2026-03-10T00:00:00.5Z", "2024-02-29", "1990-03-03", "2026-02-30", "2026-11-01T01:30:00",
    ]
)  # fmt: skip
scalars = st.one_of(numbers, numeric_texts, texts, times, st.booleans())
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b.c"]), inner)),
    max_leaves=4,
)
said = st.fixed_dictionaries(
    {},
    optional={
        "total": st.one_of(numbers, numeric_texts, st.none(), texts),
        "plan": st.one_of(values, st.none()),
        "due": times,
        "products": st.lists(
            st.fixed_dictionaries({}, optional={"sku": st.one_of(scalars, st.none()), "n": numbers}), max_size=3
        ),
        "in": st.fixed_dictionaries({}, optional={"to": scalars}),
    },
)
paths = st.sampled_from(["total", "plan", "due", "products.*.sku", "products.*.n", "in.to", "products", "plan.*"])
lengths = st.sampled_from(["1h", "1d", "3d", "7d", "30d"])
calendar = st.sampled_from(["1mo", "2mo", "1y"])


def pair(of: Any) -> Any:
    return st.lists(of, min_size=2, max_size=2)


def conditions(*, relative: Any) -> Any:
    """One or two operators with constants they take."""
    numeric = st.one_of(numbers, st.sampled_from(["1", "2.5"]))
    takes: dict[str, Any] = {
        **dict.fromkeys(("is", "is_not", "contains", "not_contains"), values),
        **dict.fromkeys(("in", "not_in"), st.lists(scalars, max_size=3)),
        **dict.fromkeys(("gt", "gte", "lt", "lte"), numeric),
        "between": st.one_of(pair(numeric), pair(times.filter(lambda text: clock.read_time(text) is not None))),
        **dict.fromkeys(("starts_with", "ends_with"), texts),
        "matches": st.sampled_from(["^go", "old$", "a.b", "(?i)GOLD", "[0-9]+", "ß|x"]),
        "exists": st.booleans(),
        **dict.fromkeys(("before", "after"), times.filter(lambda text: clock.read_time(text) is not None)),
        **dict.fromkeys(("within_last", "within_next"), relative),
    }
    one = st.sampled_from(sorted(takes)).flatmap(lambda op: takes[op].map(lambda value: {op: value}))
    both = st.lists(one, min_size=1, max_size=2).map(lambda parts: {k: v for part in parts for k, v in part.items()})
    return st.tuples(both, st.booleans()).map(lambda each: {**each[0], "fold": True} if each[1] else each[0])


props = st.lists(st.tuples(paths, conditions(relative=lengths)).map(lambda x: {"property": x[0], **x[1]}), max_size=2)
windows = st.one_of(
    st.just({}),
    lengths.map(lambda text: {"within": text}),
    calendar.map(lambda text: {"within": text}),
    st.sampled_from([["2026-02-21", "2026-02-25"], ["2026-02-21T00:00:00Z", "2026-03-08T03:00:00"]]).map(
        lambda span: {"between": span}
    ),
)
counts = st.sampled_from([{}, {"count": {"gte": 2}}, {"count": {"lt": 2}}, {"count": {"is": 1}}, {"count": {"lte": 1}}])
bounds = st.one_of(
    st.sampled_from(["is", "gt", "gte", "lt", "lte", "is_not"]).flatmap(lambda op: numbers.map(lambda n: {op: n})),
    st.just({"between": [1, 10]}),
)


def joined(*parts: Any) -> Any:
    return st.tuples(*parts).map(lambda each: {key: value for part in each for key, value in part.items()})


where = st.one_of(st.just({}), props.map(lambda listed: {"where": listed}))
measured = st.tuples(events, paths).map(lambda x: {"event": x[0], "property": x[1]})
moving = st.one_of(st.just({}), lengths.map(lambda text: {"within": text}), calendar.map(lambda text: {"within": text}))
leaves = st.one_of(
    joined(events.map(lambda name: {"did": name}), windows, counts, where),
    joined(events.map(lambda name: {"did_not": name}), windows, where),
    joined(
        st.tuples(st.sampled_from(["sum", "avg", "min", "max", "distinct"]), measured).map(lambda x: {x[0]: x[1]}),
        windows.filter(lambda w: "between" not in w), bounds, where,
    ),
    joined(st.tuples(st.sampled_from(["last", "first"]), measured).map(lambda x: {x[0]: x[1]}),
           conditions(relative=st.one_of(lengths, calendar)), moving, where),
    joined(
        st.lists(joined(events.map(lambda name: {"did": name}), where), min_size=2, max_size=3).flatmap(
            lambda steps: st.sampled_from(["", "1h", "2d"]).map(
                lambda gap: {"sequence": [steps[0], *({**s, "within": gap} if gap else s for s in steps[1:])]}
            )
        ),
        windows,
    ),
    joined(paths.map(lambda path: {"trait": path}), conditions(relative=st.one_of(lengths, calendar))),
    st.sampled_from(["due", "plan"]).flatmap(
        lambda path: st.sampled_from(["1d", "7d", "1mo"]).map(
            lambda days: {"trait": path, "anniversary": {"within_next": days}}
        )
    ),
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

hours = st.integers(0, 24 * 45)
happenings = st.one_of(
    st.tuples(st.just("track"), events, said, st.sampled_from([0, 0, 0, 1, 24, 72, 24 * 20])),
    st.tuples(st.just("identify"), st.sampled_from(["", *ZONES]), said, st.just(0)),
    st.tuples(
        st.just("consent"), st.sampled_from(["", "news"]), st.sampled_from(["opted_in", "opted_out"]), st.just(0)
    ),
    st.tuples(st.just("wait"), st.just(""), st.just(None), st.sampled_from([0, 1])),
)
histories = st.lists(st.tuples(hours, st.sampled_from(["ada", "grace"]), happenings), max_size=14)


@settings(max_examples=250, deadline=None, report_multiple_bugs=False, suppress_health_check=list(HealthCheck))
@given(
    first=leaves.filter(lambda rule: "in_segment" not in rule),
    second=rules,
    history=histories,
    zone=st.sampled_from(ZONES),
)
def test_fold_and_sql_agree(world: Any, first: Any, second: Any, history: Any, zone: str) -> None:
    told = world({"first": first, "second": second}, zone=zone)
    told.now = START
    told.say("identify", user="ada")
    told.say("identify", user="grace")
    items: list[tuple[str, Item, int]] = []
    for hour, user, (kind, name, body, late) in sorted(history, key=lambda each: each[0]):
        told.until(START + hour * HOUR)
        if kind == "track":
            at = told.now - late * HOUR
            told.track(name, user=user, at=at, **body)
            items.append((user, told.last, told.said))
        elif kind == "identify":
            told.say("identify", user=user, zone=name, **body)
        elif kind == "consent":
            told.say("consent", user=user, channel="email", topic=name, state=body, proof={"by": "hand"})
        else:
            told.until(told.now + late)
            agree(told, first, second, items, zone)
    for beyond in (0, 30 * DAY):
        told.until(max(told.now, START + 46 * DAY) + beyond)
        agree(told, first, second, items, zone)


_duck = duckdb.connect()
_duck.execute("SET TimeZone = 'UTC'")
_duck.execute("SET threads = 1")


def agree(told: Any, first: Any, second: Any, items: list[tuple[str, Item, int]], zone: str) -> None:
    """Membership by timers and events alone equals the SQL reading of the same history at this instant."""
    names = {ids.show("prf", told.profile(user)): user for user in ("ada", "grace")}
    fill_tables(told, items, names)
    zones = {told.record(user)["profiles"].zone for user in ("ada", "grace")}
    asked = {
        name: compile_sql(parse(raw), told.now, zone, zones) for name, raw in (("first", first), ("second", second))
    }
    both = " UNION ALL ".join(f"SELECT '{name}', profile FROM ({sql})" for name, sql in asked.items())
    by_sql = {(name, names[profile]) for name, profile in _duck.execute(both).fetchall()}
    by_fold = {(name, user) for user in names.values() for name in told.members(user)}
    assert by_fold == by_sql, f"{clock.show(told.now)}\nfold: {by_fold}\nsql: {by_sql}\n{first}\n{second}\n{asked}"


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
