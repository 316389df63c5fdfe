"""`kizuna query`: read-only SQL on a workspace's lake, from the command line."""

from __future__ import annotations

import csv
import os
import sys
from typing import TYPE_CHECKING, Any, Literal

from psycopg import Connection

from kizuna.core import exact_json
from kizuna.core.errors import Invalid, NotFound
from kizuna.insight import store
from kizuna.runtime import reach
from kizuna.runtime.database import connect
from kizuna.runtime.lake import locked
from kizuna.runtime.lake.query import Lake

if TYPE_CHECKING:
    from kizuna.config import Config

Format = Literal["table", "json", "csv"]
WORKSPACE = "KIZUNA_WORKSPACE"  # which of several is meant


def main(config: Config, sql: str, form: Format = "table", workspace: str | None = None) -> int:
    """Print the answer; rows beyond the limit are left out, and standard error says so."""
    with reach.database(config) as url, connect(url, name="kizuna query", autocommit=True) as connection:
        chosen = workspace_named(connection, workspace or os.environ.get(WORKSPACE))
        snapshot = Lake(config).snapshot_sync(connection, chosen)
    answer = locked.ask_sync(snapshot, sql)
    _print(answer, form)
    if answer.is_cut:
        print(f"only the first {len(answer.rows)} rows are shown", file=sys.stderr)
    return 0


def workspace_named(connection: Connection[Any], name: str | None) -> int:
    """Its id; without a name, of the only one."""
    found = store.workspaces(connection)
    if name is not None:
        if name not in found:
            raise NotFound(f"no workspace is named {name!r}; there are {', '.join(found) or 'none'}")
        return found[name]
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise NotFound("there is no workspace yet: `kizuna workspace create NAME` makes one")
    raise Invalid(
        f"say which workspace is meant by --workspace NAME or {WORKSPACE}=NAME: {', '.join(found)}",
        code="which_workspace",
    )


def _print(answer: locked.Answer, form: Format) -> None:
    match form:
        case "json":
            rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
            sys.stdout.write(exact_json.encode(rows).decode() + "\n")
        case "csv":
            writer = csv.writer(sys.stdout)
            writer.writerow(answer.columns)
            writer.writerows(answer.rows)
        case _:
            _print_table(answer)


def _print_table(answer: locked.Answer) -> None:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    table = Table(*(Column(Text(column)) for column in answer.columns))
    for row in answer.rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    Console().print(table)
