"""What is tested on history: a journey, campaign or segment as written, checked, and the rules that it asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from kizuna.campaigns import definition as campaigns
from kizuna.core.errors import FieldError, NotFound, Unprocessable
from kizuna.engine.slice import Definition
from kizuna.journeys import definition as journeys
from kizuna.segments import rule

Kind = Literal["journey", "campaign", "segment"]
KINDS: tuple[Kind, ...] = ("journey", "campaign", "segment")
RULES = "tested_rules"  # a kind of definition that only tests have: what its rules ask is kept from the beginning


class Tested(Struct, frozen=True):
    """One definition under test."""

    kind: Kind
    name: str
    version: int  # that of what rules, when that is what is tested
    body: dict[str, Any]
    rules: list[Any]  # as written
    wakes: str = ""  # the section in which every record is woken when it begins


def find(
    definitions: Sequence[Definition], kind: Kind, name: str, given: Mapping[str, Any] | None, draft: Any
) -> Tested:
    """What was given, else what is published, else the draft; raises `NotFound`, or `Invalid` with every error."""
    known = [each for each in definitions if each.kind == kind and each.name == name]
    ruling = next((each for each in known if each.retired is None), None)
    body: Any = dict(given) if given is not None else ruling.body if ruling else draft
    if body is None:
        raise NotFound(f"no {kind} {name!r} in this workspace, neither published nor as a draft")
    following = max((each.version for each in known), default=0) + 1
    version = ruling.version if ruling and given is None else following
    tested = Tested(kind, name, version, body, _rules(kind, name, body), _wakes(kind, name, body))
    _check_segments(tested, {each.name for each in definitions if each.kind == "segment"} | {name})
    return tested


def before(definitions: Iterable[Definition], tested: Tested) -> list[Definition]:
    """What rules until the test begins. Program versions are doubled: the odd ones have the tested definition."""
    kept = Definition(RULES, tested.name, 0, "active", {"rules": tested.rules}, introduced=0, retired=None)
    return [kept, *(_doubled(each) for each in definitions)]


def after(definitions: Iterable[Definition], tested: Tested, program: int, at: int) -> list[Definition]:
    """What rules from `program` on: the tested definition in the place of all others of its name."""
    ruling: list[Definition] = []
    for each in definitions:
        if each.kind == tested.kind and each.name == tested.name:
            if each.introduced > program:
                continue
            if each.retired is None or each.retired > program:
                each = replace(each, retired=program)
        ruling.append(each)
    tried = Definition(
        tested.kind, tested.name, tested.version, "active", tested.body, introduced=program, retired=None,
        published_at=at,
    )  # fmt: skip
    return sorted([*ruling, tried], key=lambda each: each.introduced)


def rules_of_test(definition: Definition) -> list[Any]:
    return definition.body["rules"] if definition.kind == RULES else []


def _doubled(each: Definition) -> Definition:
    retired = None if each.retired is None else each.retired * 2
    return replace(each, introduced=each.introduced * 2, retired=retired)


def _rules(kind: Kind, name: str, body: Any) -> list[Any]:
    """Reads the definition, which checks it."""
    match kind:
        case "journey":
            return [each.raw for each in journeys.parse(name, body).rules()]
        case "campaign":
            campaigns.parse(body)
        case "segment":
            rule.parse(body.get("where"))
    return [body["where"]] if body.get("where") is not None else []


def _wakes(kind: Kind, name: str, body: Any) -> str:
    """Everybody is judged by a new segment, and has a next time in a journey that begins by the calendar."""
    if kind == "segment":
        return "segments"
    return "journeys" if kind == "journey" and journeys.parse(name, body).entry.timed else ""


def _check_segments(tested: Tested, known: set[str]) -> None:
    asked = {name for raw in tested.rules for name in rule.segments_of(rule.parse(raw))}
    if tested.kind == "campaign" and tested.body.get("segment"):
        asked.add(tested.body["segment"])
    if unknown := asked - known:
        listed = ", ".join(sorted(unknown))
        problem = FieldError("", "unknown_segment", f"publish first: {listed}")
        raise Unprocessable(f"there never was a segment {listed}", code="unknown_segment", errors=[problem])
