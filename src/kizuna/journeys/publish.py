"""Publishing a journey: the draft is checked whole and becomes a version; pausing, resuming and stopping it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.core.errors import Conflict, FieldError, NotFound, Unprocessable
from kizuna.core.problems import escape
from kizuna.engine.slice import Workspace
from kizuna.events import publish as definitions
from kizuna.journeys import store
from kizuna.journeys.definition import Journey, parse
from kizuna.journeys.program import ACTIVE, JOURNEY, MIGRATION, PAUSED, STOPPED
from kizuna.journeys.steps import END
from kizuna.journeys.steps.send import Send
from kizuna.messages import store as messages
from kizuna.messages.doubts import Wish
from kizuna.segments import rule
from kizuna.templates.legal_check import check_use

FROM = {PAUSED: (ACTIVE,), ACTIVE: (PAUSED,), STOPPED: (ACTIVE, PAUSED)}  # what may become so


class Options(Struct, frozen=True):
    """What the body of `publish` may ask for."""

    include_members: bool = False
    migrate: dict[str, str] = {}  # from a step of an older version to one of the new version, or to `end`


async def publish(
    conn: AsyncConnection[Any], workspace: Workspace, name: str, options: Options
) -> tuple[Journey, int, int]:
    """The journey, its version and position; without a draft, what rules is published again."""
    ruling = await store.published(conn, workspace.id, name)
    body = await store.draft(conn, workspace.id, name) or (ruling.body if ruling else None)
    if body is None:
        raise NotFound(f"no journey {name!r} in this workspace")
    journey = parse(name, body)
    _check_segments(journey, await store.segments(conn, workspace.id))
    await check_use(conn, workspace.id, marketing_templates(body))
    if options.include_members:
        _check_members(journey)
    if options.migrate:
        _check_migration(journey, options.migrate, await store.steps_ever(conn, workspace.id, name))
    is_timed, was_paused = journey.entry.timed is not None, ruling is not None and ruling.status == PAUSED
    if was_paused:
        await messages.put_off(conn, workspace.id, await accounts.now(conn, workspace.id), journey=name)
    version, position = await definitions.publish(
        conn,
        workspace,
        JOURNEY,
        name,
        body,
        status=ACTIVE,
        sweep="journeys" if is_timed or was_paused else "",
        tell="calendar" if is_timed else "",
    )
    assert version is not None  # noqa: S101  # a body was published
    if options.migrate:
        moved = {"version": version, "steps": options.migrate}
        _, position = await definitions.publish(conn, workspace, MIGRATION, name, moved, sweep="journeys")
    return journey, version, position


async def begins_by_membership(conn: AsyncConnection[Any], workspace: Workspace, name: str) -> bool:
    """Whether what would be published begins by `segment_entered`."""
    ruling = await store.published(conn, workspace.id, name)
    body = await store.draft(conn, workspace.id, name) or (ruling.body if ruling else {})
    entry = body.get("entry")
    return isinstance(entry, dict) and isinstance(on := entry.get("on"), dict) and "segment_entered" in on


async def change_status(
    conn: AsyncConnection[Any], workspace: Workspace, name: str, status: str
) -> tuple[int | None, int]:
    """Pause, resume or stop; version and position."""
    ruling = await store.published(conn, workspace.id, name)
    if ruling is None:
        raise NotFound(f"no journey {name!r} is published in this workspace")
    if ruling.status not in FROM[status]:
        raise Conflict(f"the journey is {ruling.status}; only {' or '.join(FROM[status])} ones can become {status}")
    sweep = "" if status == PAUSED else "journeys"
    tell = ""
    if status == ACTIVE:
        tell = "calendar" if parse(name, ruling.body).entry.timed else ""  # it may have become so while paused
        await messages.put_off(conn, workspace.id, await accounts.now(conn, workspace.id), journey=name)
    return await definitions.publish(conn, workspace, JOURNEY, name, ruling.body, status=status, sweep=sweep, tell=tell)


def marketing_templates(body: dict[str, Any]) -> set[str]:
    """Those that its steps say marketing with."""
    sends = [step["send"] for step in body.get("steps", []) if isinstance(step.get("send"), dict)]
    return {str(send["template"]) for send in sends if send.get("template") and not send.get("transactional")}


def wishes(journey: Journey) -> list[Wish]:
    """What its steps want said."""
    said = [node.settings for node in journey.steps.values() if isinstance(node.settings, Send.Settings)]
    return [Wish(each.template, each.channels, each.transactional) for each in said]


def _check_segments(journey: Journey, known: set[str]) -> None:
    unknown = {name for each in journey.rules() for name in rule.segments_of(rule.parse(each.raw))} - known
    if unknown:
        listed = ", ".join(sorted(unknown))
        problem = FieldError("", "unknown_segment", f"publish first: {listed}")
        raise Unprocessable(
            f"rules ask for segments that are not there: {listed}", code="unknown_segment", errors=[problem]
        )


def _check_migration(journey: Journey, steps: dict[str, str], known: set[str]) -> None:
    """Raises `Unprocessable` with a pointer to each step that is not there."""
    found = [
        FieldError(f"/migrate/{escape(old)}", "unknown_step", f"no version published so far has a step {old!r}")
        for old in steps
        if old not in known
    ]
    found += [
        FieldError(f"/migrate/{escape(old)}", "unknown_next", f"no step is called {new!r}; `{END}` leaves")
        for old, new in steps.items()
        if new != END and new not in journey.steps
    ]
    if found:
        raise Unprocessable(f"runs cannot be moved: {found[0].message}", code="invalid_migration", errors=found)


def _check_members(journey: Journey) -> None:
    trigger = journey.entry.trigger
    if trigger is None or trigger.event != "segment_entered":
        problem = FieldError("/include_members", "no_members", "only a journey that begins by segment_entered has any")
        raise Unprocessable("there are no members to include", code="no_members", errors=[problem])
