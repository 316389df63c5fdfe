"""`kizuna import` at the terminal."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kizuna.accounts import store as accounts
from kizuna.accounts import workspaces
from kizuna.core import exact_json, strict_yaml
from kizuna.core.errors import FieldError, Invalid, NotFound
from kizuna.imports import map as maps
from kizuna.imports import run as running
from kizuna.imports.look import look
from kizuna.imports.piece import Reject
from kizuna.imports.run import Order
from kizuna.imports.show import show
from kizuna.imports.store import Import
from kizuna.runtime import folder, reach
from kizuna.runtime.database import Database

if TYPE_CHECKING:
    from rich.progress import Progress

    from kizuna.config import Config
    from kizuna.consent.subjects import Subjects

GENTLE = 50_000  # events not yet folded before it waits


def main(
    config: Config, file: str, map_file: str, workspace: str | None, subjects: Subjects,
    *, checks_only: bool = False, rejects: str | None = None, as_json: bool = False,
) -> int:  # fmt: skip
    """Import a file with a progress bar."""
    path = Path(file)
    said = _read_map(Path(map_file))
    chosen = maps.parse(said, subjects)
    looked = look(path, encoding=chosen.encoding)
    is_folded = bool(config.database_url) or folder.running(config.data) is not None
    rejected: list[Reject] = []

    async def do(url: str) -> Import:
        database = Database(url, name="kizuna import", largest=4)
        await database.open()
        try:
            space = await workspaces.choose(database, workspace or os.environ.get(workspaces.VARIABLE))
            order = Order(
                space, looked, path.name, chosen, said,
                Path(rejects) if rejects else path.with_name(f"{path.name}.rejected.csv"),
                checks_only=checks_only, max_event=config.max_event,
                most_behind=min(GENTLE, config.most_behind // 2) if is_folded else None,
            )  # fmt: skip
            with _bar() as bar:
                tell = _teller(bar, looked.size)
                if checks_only:
                    async with database.connection() as conn:
                        now = await accounts.now(conn, space.id)
                    return await running.check(order, tell, rejected, now)
                return await running.run(database, order, tell)
        finally:
            await database.close()

    started = time.monotonic()
    with reach.database(config) as url:
        found = asyncio.run(do(url))
    seconds = time.monotonic() - started
    _report(found, rejected, seconds, rejects or f"{file}.rejected.csv", as_json=as_json, is_folded=is_folded)
    return 0


def _read_map(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            return exact_json.decode(exact_json.encode(strict_yaml.decode(file.read(strict_yaml.MAX_BYTES + 1))))
    except (FileNotFoundError, IsADirectoryError):
        raise NotFound(f"there is no map {path}") from None
    except Invalid as error:
        wrong = FieldError("", error.code, str(error))
        raise Invalid(f"{path} cannot be read", code=error.code, errors=[wrong]) from None


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rejected]:,} rejected"), TimeRemainingColumn(),
        console=Console(stderr=True), refresh_per_second=4,
    )  # fmt: skip


def _teller(bar: Progress, size: int) -> running.Tell:
    task = bar.add_task("importing", total=size, rows=0, rejected=0)

    def tell(at: Import) -> None:
        doing = "waiting for the workers of `kizuna up`" if at.state == running.WAITING else "importing"
        bar.update(task, completed=at.done, rows=at.rows, rejected=at.rejected, description=doing)

    return tell


def _report(
    found: Import, rejected: list[Reject], seconds: float, rejects: str, *, as_json: bool, is_folded: bool
) -> None:
    if as_json:
        first = [{"line": each.line, "code": each.code, "reason": each.message} for each in rejected]
        said = {**show(found), "seconds": round(seconds, 3), "first_rejected": first}
        print(exact_json.encode(said).decode())
        return
    word = "would be taken" if found.checks_only else "taken"
    print(f"{found.rows} rows: {found.taken} {word}, {found.rejected} rejected, {found.consents} consents")
    for each in rejected:
        print(f"  line {each.line}: {each.code}: {each.message}")
    if found.rejects_size:
        print(f"rejected rows with reasons: {rejects}")
    if not found.checks_only:
        print(f"{found.rows / max(seconds, 0.001):,.0f} rows a second; the same again does nothing twice")
        if not is_folded:
            print("kizuna: nothing runs here: customers show it once `kizuna up` has folded it", file=sys.stderr)
