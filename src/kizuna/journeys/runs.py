"""The runs of one journey, newest entry first: read from what was recorded of them, so that none costs a row."""

from __future__ import annotations

from typing import Any

import msgspec

from kizuna.core import clock, ids
from kizuna.core.errors import Invalid
from kizuna.journeys.store import RUNS
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake

STATES = ("active", "completed", "exited")


async def runs_of(
    lake: Lake,
    database: Database,
    workspace: int,
    journey: str,
    *,
    state: str | None,
    profile: bytes | None,
    cursor: str | None,
    limit: int,
) -> dict[str, Any]:
    """Lines as a profile shows them, each with its `profile`, `holdout`, `goal_at` and `goal_value`."""
    if state is not None and state not in STATES:
        raise Invalid(f"a state is one of {', '.join(STATES)}", code="invalid_state")
    before, run = _read_cursor(cursor)
    asked = {
        "journey": journey,
        "state": state or "",
        "profile": ids.show("prf", profile) if profile else "",
        "before": before,
        "run": run,
        "limit": limit,
    }
    rows = await lake.query(database, workspace, RUNS, asked)
    following = f"{rows[-1][6]}.{rows[-1][0]}" if len(rows) == limit else None
    return {"items": [_line(journey, *row) for row in rows], "next_cursor": following}


def _line(
    journey: str,
    run: str,
    profile: str,
    version: str,
    key: str | None,
    step: str | None,
    state: str,
    entered_at: int,
    left_at: int | None,
    reason: str | None,
    holdout: bool,
    goal_at: int | None,
    goal_value: str | None,
) -> dict[str, Any]:
    return {
        "journey": journey,
        "version": int(version),
        "run": run,
        "profile": profile,
        "key": key,
        "step": step,
        "state": state,
        "entered_at": clock.show(entered_at),
        "left_at": None if left_at is None else clock.show(left_at),
        "exit_reason": reason,
        "holdout": holdout,
        "goal_at": None if goal_at is None else clock.show(goal_at),
        "goal_value": None if goal_value is None else msgspec.Raw(goal_value.encode()),
    }


def _read_cursor(cursor: str | None) -> tuple[int, str]:
    if not cursor:
        return 1 << 62, ""
    before, _, run = cursor.partition(".")
    if not (before.isascii() and before.isdigit() and len(before) <= 18):
        raise Invalid("this cursor is not one of ours; begin without it", code="invalid_cursor")
    return int(before), run
