"""A customer's runs as the API shows them: the open ones, and the last of each journey and key."""

from __future__ import annotations

from typing import Any

from kizuna.core import clock, ids
from kizuna.journeys.section import Journeys


def show_runs(section: Journeys) -> list[dict[str, Any]]:
    """`{journey, version, run, key, step, state, entered_at, left_at, exit_reason}`, newest entry first."""
    shown = [
        (run.entered_at, _line(run.journey, run.version, run.id, run.key, run.step, run.entered_at))
        for run in section.open
    ]
    for ended in section.ended:
        line = _line(ended.journey, ended.version, ended.run, ended.key, ended.step, ended.entered_at)
        line["state"] = "completed" if ended.reason == "completed" else "exited"
        line["left_at"], line["exit_reason"] = clock.show(ended.left_at), ended.reason
        shown.append((ended.entered_at, line))
    return [line for _, line in sorted(shown, key=lambda pair: -pair[0])]


def _line(journey: str, version: int, run: bytes, key: str, step: str, entered_at: int) -> dict[str, Any]:
    return {
        "journey": journey,
        "version": version,
        "run": ids.show("run", run),
        "key": key or None,
        "step": step or None,
        "state": "active",
        "entered_at": clock.show(entered_at),
        "left_at": None,
        "exit_reason": None,
    }
