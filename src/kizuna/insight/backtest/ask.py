"""Asking for a backtest: at most two at a time an installation, and those of a server in processes of their own."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import contextmanager, suppress
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection

from kizuna.config import Config
from kizuna.core import clock, errors
from kizuna.core.errors import FieldError, Invalid, KizunaError, TooMany, Unavailable
from kizuna.engine import store as engine_store
from kizuna.engine.engine import Engine
from kizuna.insight import period
from kizuna.insight.backtest.run import SAMPLE, Asked, Progress, backtest
from kizuna.insight.backtest.tested import Kind
from kizuna.runtime.child import end_with_parent, follow_parent
from kizuna.runtime.database import connect
from kizuna.runtime.lake.query import Lake
from kizuna.segments.fill.store import now

AT_ONCE = 2  # more would take the cores from live work
SECONDS = 600.0  # the longest that a server waits
MOST_SHOWN = 10_000
LOCK = 1263755  # the first half of an advisory lock: others of ours are taken beside it

COMMAND = (sys.executable, "-P", "-m", "kizuna", "backtest-task")

NewEngine = Callable[[int], Engine]


class Question(Struct, frozen=True, kw_only=True):
    """As it was asked: times are RFC 3339, or dates of the workspace's zone; without `until`, up to now."""

    kind: Kind
    name: str
    since: str
    until: str | None = None
    definition: dict[str, Any] | None = None
    sample: int = SAMPLE


class Task(Struct, frozen=True):
    """What the process is told."""

    workspace: int
    question: Question


class Refusal(Struct, frozen=True):
    """An error of ours on its way from the process."""

    type: str
    message: str
    code: str
    errors: list[FieldError] = []


class Reply(Struct, frozen=True):
    """What it says."""

    answer: msgspec.Raw = msgspec.Raw(b"null")
    refusal: Refusal | None = None


def ask(
    config: Config,
    connection: Connection[Any],
    new_engine: NewEngine,
    workspace: int,
    question: Question,
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """The answer; raises `TooMany` while two others are at work."""
    count = engine_store.partitions(connection)
    with connection.cursor(binary=True) as cursor:
        found = engine_store.workspaces(cursor, count)[workspace]
    latest = now(connection, workspace)
    span = period.read(question.since, question.until, found.zone, latest)
    until = min(span.end, latest)
    if span.start is None or span.start >= until:
        raise Invalid("say `from` and `to`: history between them is folded again", code="invalid_period")
    asked = Asked(
        kind=question.kind, name=question.name, since=span.start, until=until, definition=question.definition,
        sample=max(0, min(question.sample, MOST_SHOWN)),
    )  # fmt: skip
    connection.commit()
    with _slot(connection), _no_collecting():
        answer = backtest(connection, Lake(config), new_engine(count), found, asked, progress)
    return {**answer, "from": clock.show(span.start), "to": clock.show(until)}


@contextmanager
def _slot(connection: Connection[Any]) -> Any:
    for slot in range(AT_ONCE):
        row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, slot]).fetchone()
        connection.commit()  # the lock is the connection's, not the transaction's
        if row and row[0]:
            try:
                yield
            finally:
                connection.rollback()
                connection.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, slot])
                connection.commit()
            return
    raise TooMany(f"{AT_ONCE} backtests are at work already: ask again when one is done", retry_after=10)


@contextmanager
def _no_collecting() -> Any:
    """A fold makes no cycles; looking for them among its records takes a good part of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


# in a process of its own ---------------------------------------------------------------------------------------------


async def ask_apart(
    config: Config, workspace: int, question: Question, gone: Callable[[], Coroutine[Any, Any, Any]]
) -> Any:
    """As `ask`, in a process that ends with its question: when its time is over, and when `gone` returns."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **config.environment()},
        start_new_session=True,
        preexec_fn=end_with_parent(signal.SIGKILL),
    )
    told = msgspec.json.encode(Task(workspace, question))
    asking, leaving = asyncio.create_task(process.communicate(told)), asyncio.create_task(gone())
    try:
        await asyncio.wait([asking, leaving], timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            raise Unavailable(f"a backtest takes at most {SECONDS:g} s: ask about less", code="backtest_too_slow")
        return _read(asking.result()[0])
    finally:
        leaving.cancel()
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        await _ended(asking)


async def _ended(asking: Awaitable[Any]) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):
        await asking


def _read(said: bytes) -> Any:
    try:
        reply = msgspec.json.decode(said, type=Reply)
    except msgspec.DecodeError:
        raise Unavailable("the backtest ended before its time", code="backtest_failed") from None
    if reply.refusal is None:
        return reply.answer
    kind = getattr(errors, reply.refusal.type, KizunaError)
    if kind in (TooMany, Unavailable):
        raise kind(reply.refusal.message, code=reply.refusal.code, retry_after=10)
    raise kind(reply.refusal.message, code=reply.refusal.code, errors=reply.refusal.errors)


def main(config: Config, new_engine: NewEngine) -> None:
    """The process: reads a task, says what came of it."""
    follow_parent()
    os.nice(5)  # live work comes first
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    try:
        with connect(config.database_url, name="kizuna backtest") as connection:
            answer = ask(config, connection, new_engine, task.workspace, task.question)
        reply: dict[str, Any] = {"answer": answer}
    except KizunaError as error:
        reply = {"refusal": Refusal(type(error).__name__, str(error), error.code, error.errors)}
    sys.stdout.buffer.write(msgspec.json.encode(reply))
