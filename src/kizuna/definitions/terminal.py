"""`kizuna plan`, `apply` and `export` at the terminal."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from kizuna.accounts import workspaces
from kizuna.core import exact_json
from kizuna.core.errors import KizunaError
from kizuna.definitions import apply as applying
from kizuna.definitions import export as exporting
from kizuna.definitions import folder, reach
from kizuna.definitions import plan as planning
from kizuna.definitions.difference import Change
from kizuna.definitions.kinds import all_kinds
from kizuna.definitions.plan import Plan, Planned
from kizuna.runtime import reach as databases
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake

if TYPE_CHECKING:
    from kizuna.config import Config
    from kizuna.engine.slice import Workspace

SIGNS = {"created": "+", "changed": "~", "removed": "-", "unchanged": " "}
LONGEST = 70  # characters of a value in a line
MOST_FIELDS = 40  # of one definition


def plan(config: Config, directory: str, workspace: str | None, *, as_json: bool) -> int:
    """Print what applying the folder would do."""

    async def ask(database: Database, chosen: Workspace) -> Plan:
        return await planning.plan(database, Lake(config), chosen, folder.read(Path(directory)), config.secret)

    made = _run(config, workspace, ask)
    if made is None:
        return 1
    if as_json:
        print(msgspec.json.format(exact_json.encode(planning.show(made))).decode())
    else:
        print("\n".join(lines_of(made)))
    return 0


def apply(config: Config, directory: str, workspace: str | None, *, is_sure: bool) -> int:
    """Show the plan, ask, publish, say what was done."""

    async def do(database: Database, chosen: Workspace) -> int:
        documents = folder.read(Path(directory))
        made = await planning.plan(database, Lake(config), chosen, documents, config.secret)
        print("\n".join(lines_of(made)), flush=True)
        if made.is_empty:
            return 0
        if not is_sure and not await asyncio.to_thread(_agrees, chosen.name):
            print("nothing was changed", file=sys.stderr)
            return 1
        done = await applying.apply(database, chosen, documents, config.secret, made.mark)
        for entry in done.entries:
            place = f"{all_kinds()[entry.kind].folder}/{entry.name}"
            print(f"{entry.action} {place}{' (draft)' if entry.is_draft else ''}")
        print(f"applied to {chosen.name}, position {done.position}")
        return 0

    code = _run(config, workspace, do)
    return 1 if code is None else code


def export(config: Config, directory: str, workspace: str | None) -> int:
    """Write every definition of the workspace as a file."""

    async def ask(database: Database, chosen: Workspace) -> Any:
        documents, beside = await exporting.export_files(database, chosen, Path(directory))
        done = folder.write(Path(directory), documents)
        return msgspec.structs.replace(done, written=[*beside, *done.written])

    done = _run(config, workspace, ask)
    if done is None:
        return 1
    for place in done.written:
        print(place)
    print(f"{len(done.written)} files written, {done.unchanged} unchanged in {directory}")
    for place in done.strange:
        print(f"kizuna: {place} is not in the workspace: remove it, or apply it", file=sys.stderr)
    return 0


def _run(config: Config, named: str | None, ask: Callable[[Database, Workspace], Awaitable[Any]]) -> Any:
    """What `ask` gives; None when it was refused for many reasons, which are printed, one a line."""

    async def run(url: str) -> Any:
        database = Database(url, name="kizuna definitions")
        await database.open()
        try:
            chosen = await workspaces.choose(database, named or os.environ.get(workspaces.VARIABLE))
            return await ask(database, chosen)
        finally:
            await database.close()

    try:
        with databases.database(config) as url:
            return asyncio.run(run(url))
    except KizunaError as error:
        if not error.errors:
            raise
        print(f"kizuna: {error}", file=sys.stderr)
        for field in error.errors:
            print(f"  {field.pointer.removesuffix('#')}: {field.message}", file=sys.stderr)
        return None


def _agrees(workspace: str) -> bool:
    if not sys.stdin.isatty():
        print("kizuna: nobody is here to ask: say --yes", file=sys.stderr)
        return False
    return input(f"apply to {workspace}? (yes/no) ").strip().lower() in ("y", "yes")


# the plan as text ---------------------------------------------------------------------------------------------------


def lines_of(made: Plan) -> list[str]:
    said = [
        line for planned in made.lines if planned.entry.action != "unchanged" or planned.reach
        for line in _lines(planned)
    ]  # fmt: skip
    if made.is_empty:
        said.append("no difference")
    else:
        counted = [f"{made.count(action)} {action}" for action in ("created", "changed", "removed", "unchanged")]
        said.append(", ".join(counted))
    if not made.is_settled:
        said.append("numbers are without what is not folded yet")
    return said


def _lines(line: Planned) -> list[str]:
    entry = line.entry
    place = f"{all_kinds()[entry.kind].folder}/{entry.name}{' (draft)' if entry.is_draft else ''}"
    word = "moves with what it asks for" if entry.action == "unchanged" else entry.action
    effect = _effect(line.reach) if line.reach else ""
    shown = [f"{SIGNS[entry.action]} {place}: {word}{effect}"]
    shown += [f"    {_field(change)}" for change in entry.changes[:MOST_FIELDS]]
    if len(entry.changes) > MOST_FIELDS:
        shown.append(f"    and {len(entry.changes) - MOST_FIELDS} fields more")
    return [*shown, *(f"    ! {warning}" for warning in line.warnings)]


def _effect(said: reach.Reach) -> str:
    parts: list[str] = []
    if said.enter is not None:
        parts.append(f"{said.enter} enter, {said.leave} leave, {said.members} afterwards")
    elif said.members is not None:
        parts.append(f"reaches {said.members} now")
    if said.starts:
        parts.append(f"starts {', '.join(said.starts)}")
    if said.open_runs is not None:
        parts.append(f"{said.open_runs} runs open")
    if said.waiting is not None:
        parts.append(f"{said.waiting} are members already and do not enter")
    if said.used_by:
        parts.append(f"used by {', '.join(said.used_by)}")
    return f"; {'; '.join(parts)}" if parts else ""


def _field(change: Change) -> str:
    if change.was is UNSET:
        return f"+ {change.path}: {_value(change.becomes)}"
    if change.becomes is UNSET:
        return f"- {change.path}: {_value(change.was)}"
    if isinstance(change.was, str) and isinstance(change.becomes, str):
        was, becomes = _apart(change.was, change.becomes)
        return f"{change.path}: {_value(was)} → {_value(becomes)}"
    return f"{change.path}: {_value(change.was)} → {_value(change.becomes)}"


def _apart(was: str, becomes: str) -> tuple[str, str]:
    """Long texts from a little before where they part."""
    if max(len(was), len(becomes)) <= LONGEST:
        return was, becomes
    same = next((at for at, pair in enumerate(zip(was, becomes, strict=False)) if pair[0] != pair[1]), None)
    start = max(0, (min(len(was), len(becomes)) if same is None else same) - 20)
    return ("…" + was[start:], "…" + becomes[start:]) if start else (was, becomes)


def _value(value: Any) -> str:
    text = exact_json.encode(value).decode()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
