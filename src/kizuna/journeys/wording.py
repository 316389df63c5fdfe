"""Liquid in the values of `update` and `emit`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kizuna.core import exact_json, ids
from kizuna.core.problems import escape
from kizuna.engine.slice import Scope
from kizuna.journeys.problems import Problems
from kizuna.journeys.run import Run
from kizuna.profiles.fold import identities
from kizuna.profiles.section import zone_of
from kizuna.templates.render import check, render_text


def worded(values: dict[str, Any], run: Run, scope: Scope) -> dict[str, Any]:
    """The values with every Liquid text rendered; raises `Invalid` when one cannot be."""
    if not _has_liquid(values):
        return values
    variables = _variables(run, scope)
    return _each_text(
        values, lambda text: render_text(text, variables, now=scope.now, zone=zone_of(scope.record, scope.workspace))
    )


def check_wording(values: Any, pointer: str, problems: Problems) -> None:
    """Notes each text that is no readable Liquid."""
    if isinstance(values, dict):
        for key, value in values.items():
            check_wording(value, f"{pointer}/{escape(key)}", problems)
    elif isinstance(values, list):
        for index, value in enumerate(values):
            check_wording(value, f"{pointer}/{index}", problems)
    elif isinstance(values, str) and _is_liquid(values):
        problems.guard(pointer, lambda: check(values), None)


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _each_text(inner, change) for key, inner in value.items()}
    return [_each_text(inner, change) for inner in value] if isinstance(value, list) else value


def _has_liquid(value: Any) -> bool:
    if isinstance(value, str):
        return _is_liquid(value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_has_liquid(each) for each in inner)


def _is_liquid(text: str) -> bool:
    return "{{" in text or "{%" in text


def _variables(run: Run, scope: Scope) -> dict[str, Any]:
    profile, segments = scope.record["profiles"], scope.record.get("segments")
    return {
        "profile": {
            "id": ids.show("prf", scope.record.id),
            "traits": profile.traits,
            "identities": identities(profile),
            "segments": sorted(segments.member_of) if segments else [],
            "computed": {},
        },
        "event": exact_json.decode(run.event),
        "run": {"id": run.name, "journey": run.journey, "version": run.version, "key": run.key, "step": run.step},
        "data": exact_json.decode(run.data),
        "workspace": {"name": scope.workspace.name, "zone": scope.workspace.zone, "currency": scope.workspace.currency},
    }
