"""Reads a rule as written in JSON; notes every wrong place by its pointer, so an editor can show them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from kizuna.core import clock
from kizuna.core.clock import Duration
from kizuna.core.errors import FieldError, Invalid
from kizuna.segments import rule as nouns
from kizuna.segments.operators import check_operand
from kizuna.segments.rule import NUMBER_OPERATORS, OPERATORS, Condition, Rule, Step, Test, Window
from kizuna.segments.values import number

MAX_DEPTH = 32
MAX_NODES = 500
MAX_LEAVES = 100  # parts that each keep something of every customer
MAX_KEPT = 5_000  # times and values that the windows of one rule may keep of a customer
MAX_DAYS = 3_660  # of a window that keeps every event in it
VALUE_COST = 5  # a kept value is as large as so many times
LATER = {
    "loyalty": "it asks a loyalty programme for a tier, and this version has no loyalty programme",
    "points": "it asks a loyalty programme for a balance, and this version has no loyalty programme",
    "model": "it asks for a computed score, and this version has no scoring models (rfm, clv)",
}
ENGAGEMENT = {"received": "sent", "opened": "opened", "clicked": "clicked", "replied": "replied"}
_ABOUT_MESSAGES = ("channel", "campaign", "journey", "step", "template", "topic")
_MACHINES = Condition(("actor",), (Test("not_in", ["machine", "unsure"]),))
NOTHING = nouns.AllOf(())


def parse_rule(raw: Any, pointer: str) -> Rule:
    reader = Reader()
    found = reader.rule(raw, pointer, 1)
    reader.finish("the rule cannot be read")
    return found


def parse_props(raw: Any, pointer: str) -> tuple[Condition, ...]:
    reader = Reader()
    found = reader.props(raw, pointer)
    reader.finish("the conditions on properties cannot be read")
    return found


class Reader:
    def __init__(self) -> None:
        self.errors: list[FieldError] = []
        self.nodes = self.leaves = self.kept = 0

    def finish(self, message: str) -> None:
        if self.errors:
            costly = any(error.code == "too_costly" for error in self.errors)
            raise Invalid(message, code="too_costly" if costly else "invalid_rule", errors=self.errors)

    def note(self, pointer: str, code: str, message: str) -> None:
        self.errors.append(FieldError(pointer, code, message))

    def refuse(self, pointer: str, message: str) -> None:
        """Too costly; the first reason is enough."""
        if not any(error.code == "too_costly" for error in self.errors):
            self.note(pointer, "too_costly", message)

    def charge(self, pointer: str, nodes: int = 1) -> bool:
        """Count what the rule will cost; says whether there is room left."""
        before, self.nodes = self.nodes, self.nodes + nodes
        if self.nodes > MAX_NODES >= before:
            self.refuse(pointer, f"the rule has more than {MAX_NODES} parts; split it with in_segment")
        return self.nodes <= MAX_NODES

    def charge_leaf(self, pointer: str, window: Window, kept: int = 0, *, keeps_all: bool = False) -> None:
        """Count what the rule will keep of each customer: `kept` at most, or every event in its window."""
        before, self.leaves = self.leaves, self.leaves + 1
        if self.leaves > MAX_LEAVES >= before:
            self.refuse(pointer, f"more than {MAX_LEAVES} parts look at events; split it with in_segment")
        before, self.kept = self.kept, self.kept + kept
        if self.kept > MAX_KEPT >= before:
            message = f"its windows would keep more than {MAX_KEPT} events of a customer (a distinct value is as large"
            self.refuse(pointer, f"{message} as {VALUE_COST}); ask for smaller numbers")
        length = window.within
        if keeps_all and length and length.exact + length.months * 31 * clock.DAY > MAX_DAYS * clock.DAY:
            message = f"a window of more than {MAX_DAYS} days keeps every event in it; without `within` it is ever"
            self.refuse(f"{pointer}/within", message)

    # rules -----------------------------------------------------------------------------------------------------------

    def rule(self, raw: Any, pointer: str, depth: int) -> Rule:
        if depth > MAX_DEPTH:
            self.refuse(pointer, f"nested deeper than {MAX_DEPTH} levels; split it with in_segment")
            return NOTHING
        if not self.charge(pointer):
            return NOTHING
        if not isinstance(raw, dict):
            self.note(pointer, "not_a_rule", 'a rule is an object such as {"did": "Order Completed"}')
            return NOTHING
        forms = [form for form in _FORMS if form in raw]
        if len(forms) != 1:
            self.note(pointer, *_which_form(raw, forms))
            return NOTHING
        return _FORMS[forms[0]](self, forms[0], raw, pointer, depth)

    def rules(self, form: str, raw: dict[str, Any], pointer: str, depth: int) -> Rule:
        self.known(raw, pointer, form)
        inner = raw[form]
        if not isinstance(inner, list):
            self.note(f"{pointer}/{form}", "not_a_list", f"`{form}` takes a list of rules")
            return NOTHING
        found = tuple(self.rule(each, f"{pointer}/{form}/{i}", depth + 1) for i, each in enumerate(inner))
        return nouns.AllOf(found) if form == "all" else nouns.AnyOf(found)

    def negation(self, form: str, raw: dict[str, Any], pointer: str, depth: int) -> Rule:
        self.known(raw, pointer, form)
        return nouns.Not(self.rule(raw[form], f"{pointer}/{form}", depth + 1))

    def trait(self, form: str, raw: dict[str, Any], pointer: str, depth: int) -> Rule:
        self.known(raw, pointer, form, "fold", *OPERATORS)
        return nouns.Trait(self.condition(raw, form, pointer))

    def did(self, form: str, raw: dict[str, Any], pointer: str, depth: int) -> Rule:
        allowed = ("where", "within", "between") + (("count",) if form == "did" else ())
        self.known(raw, pointer, form, *allowed)
        tests = (Test("is", 0),) if form == "did_not" else (Test("gte", 1),)
        if form == "did" and "count" in raw:
            tests = self.count(raw["count"], f"{pointer}/count")
        event, window = self.text(raw[form], f"{pointer}/{form}", "the event's name"), self.window(raw, pointer)
        self.charge_leaf(pointer, window, _enough(tests) if window.within else 0)
        return nouns.Count(event, self.where(raw, pointer), window, tests)

    def count(self, raw: Any, pointer: str) -> tuple[Test, ...]:
        if not isinstance(raw, dict) or not raw:
            self.note(pointer, "invalid_count", 'write it like {"gte": 2}; also gt lt lte is')
            return ()
        for op, value in raw.items():
            if op not in ("gte", "gt", "lt", "lte", "is"):
                self.note(_join(pointer, op), "unknown_operator", "a count takes gte, gt, lt, lte or is")
            elif type(value) is not int or not 0 <= value <= 10_000:
                self.note(_join(pointer, op), "invalid_value", "a count is a whole number from 0 to 10000")
        return tuple(Test(op, value) for op, value in sorted(raw.items()) if type(value) is int)

    def aggregate(self, form: str, raw: dict[str, Any], pointer: str, depth: int) -> Rule:
        self.known(raw, pointer, form, "where", "within", *NUMBER_OPERATORS)
        event, path = self.measured(raw[form], f"{pointer}/{form}")
        windowed = _is_window(raw.get("between"))
        window = self.window(raw if windowed else {"within": raw.get("within")}, pointer)
        compared = {key: value for key, value in raw.items() if not (key == "between" and windowed)}
        tests = self.tests(compared, pointer, NUMBER_OPERATORS)
        for test in tests:
            if not (test.op == "between" or isinstance(test.value, int | Decimal | float | str)):
                self.note(f"{pointer}/{test.op}", "invalid_value", "an aggregate compares with a number")
        if form == "distinct":
            self.charge_leaf(pointer, window, VALUE_COST * _enough(tests))
        else:
            self.charge_leaf(pointer, window, keeps_all=True)
        return nouns.Aggregate(form, event, path, self.where(raw, pointer), window, tests)

    def pick(self, form: str, raw: dict[str, Any], pointer: str, depth: int) -> Rule:
        self.known(raw, pointer, form, "where", "within", "fold", *OPERATORS)
        event, path = self.measured(raw[form], f"{pointer}/{form}")
        condition = Condition(path, self.tests(raw, pointer), raw.get("fold") is True)
        window = self.window({"within": raw.get("within")}, pointer)
        self.charge_leaf(pointer, window, keeps_all=form == "first")
        return nouns.Pick(form, event, self.where(raw, pointer), window, condition)

    def sequence(self, form: str, raw: dict[str, Any], pointer: str, depth: int) -> Rule:
        self.known(raw, pointer, form, "within", "between")
        listed = raw[form]
        if not isinstance(listed, list) or not 2 <= len(listed) <= 10:
            self.note(f"{pointer}/{form}", "invalid_sequence", 'a sequence has 2 to 10 steps such as {"did": ...}')
            return NOTHING
        steps = tuple(self.step(each, f"{pointer}/{form}/{i}", i) for i, each in enumerate(listed))
        window = self.window(raw, pointer)
        self.charge_leaf(pointer, window, keeps_all=True)
        return nouns.Sequence(steps, window)

    def step(self, raw: Any, pointer: str, index: int) -> Step:
        if not isinstance(raw, dict) or "did" not in raw or not self.charge(pointer):
            self.note(pointer, "invalid_sequence", 'a step is an object such as {"did": "Order Completed"}')
            return Step("", ())
        self.known(raw, pointer, "did", "where", *(("within",) if index else ()))
        length = self.duration(raw["within"], f"{pointer}/within") if "within" in raw else Duration()
        if length.months:
            self.note(f"{pointer}/within", "invalid_duration", "between two steps only s m h d w are known")
        event = self.text(raw["did"], f"{pointer}/did", "the event's name")
        return Step(event, self.where(raw, pointer), length.exact)

    def engagement(self, form: str, raw: dict[str, Any], pointer: str, depth: int) -> Rule:
        """Each message counts once, at its latest report; what machines opened or clicked does not."""
        self.known(raw, pointer, form, "count", "within", "between")
        about = raw[form]
        if not isinstance(about, dict):
            self.note(f"{pointer}/{form}", "invalid_value", 'write it like {"channel": "email"}')
            return NOTHING
        self.known(about, f"{pointer}/{form}", *_ABOUT_MESSAGES)
        where = [
            Condition((name,), (Test("is", self.text(about[name], f"{pointer}/{form}/{name}", f"the {name}")),))
            for name in _ABOUT_MESSAGES
            if name in about
        ]
        if form in ("opened", "clicked"):
            where.append(_MACHINES)
        tests = self.count(raw["count"], f"{pointer}/count") if "count" in raw else (Test("gte", 1),)
        window = self.window(raw, pointer)
        self.charge_leaf(pointer, window, VALUE_COST * _enough(tests))
        event = f"message_{ENGAGEMENT[form]}"
        return nouns.Aggregate("distinct", event, ("message",), tuple(where), window, tests)

    def in_segment(self, form: str, raw: dict[str, Any], pointer: str, depth: int) -> Rule:
        self.known(raw, pointer, form)
        return nouns.InSegment(self.text(raw[form], f"{pointer}/{form}", "the segment's name"))

    def listed(self, form: str, raw: dict[str, Any], pointer: str, depth: int) -> Rule:
        self.known(raw, pointer, form)
        return nouns.Listed(self.text(raw[form], f"{pointer}/{form}", "the list's id"))

    def consent(self, form: str, raw: dict[str, Any], pointer: str, depth: int) -> Rule:
        self.known(raw, pointer, form, "is", "is_not", "in", "not_in")
        about = raw[form] if isinstance(raw[form], dict) else {}
        self.known(about, f"{pointer}/{form}", "channel", "topic")
        channel = self.text(about.get("channel"), f"{pointer}/{form}/channel", "the channel")
        topic = self.text(about["topic"], f"{pointer}/{form}/topic", "the topic") if "topic" in about else ""
        tests = self.tests(raw, pointer)
        for test in tests:
            states = test.value if isinstance(test.value, list) else [test.value]
            if not set(states) <= {"opted_in", "neutral", "pending", "opted_out"}:
                where = f"{pointer}/{test.op}"
                self.note(where, "invalid_value", "a consent state is opted_in, neutral, pending or opted_out")
        return nouns.Consent(channel, topic, tests)

    def bucket(self, form: str, raw: dict[str, Any], pointer: str, depth: int) -> Rule:
        self.known(raw, pointer, form)
        about = raw[form] if isinstance(raw[form], dict) else {}
        self.known(about, f"{pointer}/{form}", "salt", "from", "to")
        salt = self.text(about.get("salt"), f"{pointer}/{form}/salt", "the salt")
        start, end = about.get("from", 0), about.get("to", 10_000)
        if type(start) is not int or type(end) is not int or not 0 <= start <= end <= 10_000:
            self.note(f"{pointer}/{form}", "invalid_value", "whole numbers: 0 <= from <= to <= 10000")
            return NOTHING
        return nouns.Bucket(salt, start, end)

    # parts of rules --------------------------------------------------------------------------------------------------

    def measured(self, raw: Any, pointer: str) -> tuple[str, tuple[str, ...]]:
        about = raw if isinstance(raw, dict) else {}
        self.known(about, pointer, "event", "property")
        return (
            self.text(about.get("event"), f"{pointer}/event", "the event's name"),
            self.path(about.get("property"), f"{pointer}/property"),
        )

    def where(self, raw: Mapping[str, Any], pointer: str) -> tuple[Condition, ...]:
        return self.props(raw["where"], f"{pointer}/where") if "where" in raw else ()

    def props(self, raw: Any, pointer: str) -> tuple[Condition, ...]:
        if not isinstance(raw, list):
            self.note(pointer, "not_a_list", 'write a list such as [{"property": "total", "gte": 100}]')
            return ()
        found = []
        for index, each in enumerate(raw):
            place = f"{pointer}/{index}"
            if not self.charge(place):
                break
            if not isinstance(each, dict):
                self.note(place, "not_a_condition", 'write an object such as {"property": "total", "gte": 100}')
                continue
            self.known(each, place, "property", "fold", *OPERATORS)
            found.append(self.condition(each, "property", place))
        return tuple(found)

    def condition(self, raw: dict[str, Any], key: str, pointer: str) -> Condition:
        if "fold" in raw and not isinstance(raw["fold"], bool):
            self.note(f"{pointer}/fold", "invalid_value", "`fold` is true or false")
        path = self.path(raw.get(key), f"{pointer}/{key}")
        return Condition(path, self.tests(raw, pointer), raw.get("fold") is True)

    def tests(self, raw: Mapping[str, Any], pointer: str, operators: tuple[str, ...] = OPERATORS) -> tuple[Test, ...]:
        chosen = [op for op in operators if op in raw]
        if not chosen:
            self.note(pointer, "no_operator", f"say what must hold with one of: {' '.join(operators)}")
        found = []
        for op in chosen:
            value = raw[op]
            if not self.charge(f"{pointer}/{op}", 1 + _size(value)):
                break
            try:
                check_operand(op, value)
            except Invalid as error:
                self.note(f"{pointer}/{op}", error.code, str(error))
            else:
                found.append(Test(op, value))
        return tuple(found)

    def window(self, raw: Mapping[str, Any], pointer: str) -> Window:
        within, between = raw.get("within"), raw.get("between")
        if within is not None and between is not None:
            self.note(pointer, "two_windows", "choose one of `within` and `between`")
        if within is not None:
            return Window(within=self.duration(within, f"{pointer}/within"))
        if between is None:
            return Window()
        if not _is_window(between):
            self.note(f"{pointer}/between", "invalid_value", "two RFC 3339 times: [from, to], the second excluded")
            return Window()
        return Window(between=(between[0], between[1]))

    def duration(self, raw: Any, pointer: str) -> Duration:
        try:
            found = clock.duration(raw) if isinstance(raw, str) else clock.duration(str(raw))
        except Invalid as error:
            self.note(pointer, error.code, str(error))
            return Duration(exact=clock.DAY)
        if not found.exact and not found.months:
            self.note(pointer, "invalid_duration", "longer than nothing, please")
        return found

    def path(self, raw: Any, pointer: str) -> tuple[str, ...]:
        parts = tuple(self.text(raw, pointer, "a dotted path").split("."))
        if isinstance(raw, str) and raw and (len(parts) > MAX_DEPTH or "" in parts or "\x00" in raw):
            self.note(pointer, "invalid_path", "a path is names joined by dots, such as products.*.sku")
        return parts

    def text(self, raw: Any, pointer: str, what: str) -> str:
        if isinstance(raw, str) and raw and len(raw) <= 1000 and "\x00" not in raw:
            return raw
        self.note(pointer, "not_text", f"write {what} as text")
        return ""

    def known(self, raw: Mapping[str, Any], pointer: str, *keys: str) -> None:
        for key in raw:
            if key not in keys:
                message = f"{key!r} is not known here; these are: {' '.join(keys)}"
                self.note(_join(pointer, key), "unknown_field", message)


_Form = Callable[[Reader, str, dict[str, Any], str, int], Rule]
_FORMS: dict[str, _Form] = {
    "all": Reader.rules,
    "any": Reader.rules,
    "not": Reader.negation,
    "trait": Reader.trait,
    "did": Reader.did,
    "did_not": Reader.did,
    **dict.fromkeys(nouns.AGGREGATES, Reader.aggregate),
    "last": Reader.pick,
    "first": Reader.pick,
    "sequence": Reader.sequence,
    **dict.fromkeys(ENGAGEMENT, Reader.engagement),
    "in_segment": Reader.in_segment,
    "listed": Reader.listed,
    "consent": Reader.consent,
    "bucket": Reader.bucket,
}


def _which_form(raw: dict[str, Any], forms: list[str]) -> tuple[str, str]:
    if len(forms) > 1:
        return "two_forms", f"a rule has one form, this has {' and '.join(forms)}; join them with all or any"
    later = [form for form in LATER if form in raw]
    if later:
        return "unknown_form", f"`{later[0]}` cannot be asked: {LATER[later[0]]}"
    return "unknown_form", f"none of the known forms is here: {' '.join(_FORMS)}"


def _is_window(raw: Any) -> bool:
    if not isinstance(raw, list) or len(raw) != 2:
        return False
    return all(isinstance(each, str) and clock.read_time(each) is not None for each in raw)


def _enough(tests: tuple[Test, ...]) -> int:
    """The number up to which is counted, for the cost."""
    bounds = [number(each) for test in tests for each in (test.value if test.op == "between" else [test.value])]
    return int(min(max([1, *(bound for bound in bounds if bound is not None)]), MAX_KEPT + 1))


def _size(value: Any) -> int:
    if isinstance(value, list):
        return sum(1 + _size(each) for each in value)
    return sum(1 + _size(each) for each in value.values()) if isinstance(value, dict) else 0


def _join(pointer: str, key: object) -> str:
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
