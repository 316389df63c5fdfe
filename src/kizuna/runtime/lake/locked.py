"""SQL that others wrote: a process of its own, which sees one workspace's lake and nothing else, for a bounded time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.core.errors import Invalid, KizunaError, Unavailable
from kizuna.runtime.lake.query import lay_out, open_duckdb
from kizuna.runtime.lake.snapshot import Snapshot
from kizuna.runtime.lake.views import quoted

SECONDS = 10.0
MOST_ROWS = 10_000
MOST_SQL = 64 << 10
GRACE_SECONDS = 4.0  # to start, and to say that time is over


class Task(Struct):
    """What the process is asked; `folders` are all it may open."""

    sql: str
    files: dict[str, list[Path]]
    folders: list[Path]
    tail: Path
    seconds: float
    rows: int


class Answer(Struct):
    """What it says. `code` is empty when it went well; then columns have names and types."""

    columns: list[str] = []
    types: list[str] = []
    rows: list[list[Any]] = []
    is_cut: bool = False  # more rows than `MOST_ROWS`
    code: str = ""
    message: str = ""


async def ask(snapshot: Snapshot, sql: str, *, seconds: float = SECONDS) -> Answer:
    """Run one SELECT or EXPLAIN; raises `Invalid` or `Unavailable` with a code."""
    return await asyncio.to_thread(ask_sync, snapshot, sql, seconds=seconds)


def ask_sync(snapshot: Snapshot, sql: str, *, seconds: float = SECONDS) -> Answer:
    if len(sql) > MOST_SQL:
        raise Invalid(f"the SQL is longer than {MOST_SQL} characters", code="sql_too_long")
    with _tail(snapshot) as tail:
        task = Task(sql, dict(snapshot.files), [snapshot.folder, tail], tail, seconds, MOST_ROWS)
        return _checked(_run(task))


def _run(task: Task) -> Answer:
    try:
        done = subprocess.run(  # noqa: S603  # our own file, by our own interpreter
            [sys.executable, "-I", str(Path(__file__).with_name("locked_child.py"))],
            input=msgspec.json.encode(task, enc_hook=str),
            capture_output=True,
            timeout=task.seconds + GRACE_SECONDS,
            check=False,
            env={"LC_ALL": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired:
        return Answer(code="query_too_slow")
    try:
        return msgspec.json.decode(done.stdout, type=Answer)
    except msgspec.DecodeError:  # it was killed, or Python itself had no memory left
        return Answer(code="query_too_large")


def _checked(answer: Answer) -> Answer:
    errors: dict[str, KizunaError] = {
        "query_too_slow": Unavailable("the query took too long: narrow it", code="query_too_slow"),
        "query_too_large": Unavailable("the query or its answer needs too much memory", code="query_too_large"),
    }
    if answer.code:
        raise errors.get(answer.code) or Invalid(answer.message, code=answer.code)
    return answer


@contextmanager
def _tail(snapshot: Snapshot) -> Iterator[Path]:
    """What the files lack, as files: the process gets no connection to anything."""
    with tempfile.TemporaryDirectory(prefix="kizuna-sql-") as name:
        folder = Path(name)
        connection = open_duckdb(None)
        try:
            lay_out(connection, snapshot)
            for table in ("tail_events", "tail_changes", "archived"):
                connection.execute(f"COPY {table} TO {quoted(folder / f'{table}.parquet')} (FORMAT parquet)")
        finally:
            connection.close()
        yield folder
