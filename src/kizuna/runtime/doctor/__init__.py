"""Is everything as it must be? Every other file here asks about one part of it; adding a check is adding it there."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import psycopg
from msgspec import Struct
from psycopg import Connection

from kizuna.core.errors import KizunaError
from kizuna.runtime import migrate
from kizuna.runtime.database import connect
from kizuna.runtime.lake.place import Place

GRACE = 60 * 1_000_000  # microseconds that something due may wait
SECONDS = 5.0  # that one check may take; what is not answered by then is not known
SAMPLE = 20_000  # rows of a large table that a check looks at
INSTALLATION = 0  # in place of a workspace

# `now` of a workspace is its own clock; a live one's is the machine's
NOW = "CASE w.clock WHEN 'test' THEN w.now ELSE (extract(epoch FROM clock_timestamp()) * 1e6)::bigint END"


class Check(Struct, frozen=True):
    """One answer."""

    name: str
    ok: bool
    message: str
    found: int = 0


class Finding(Struct, frozen=True):
    """Something that is not as it must be: where, what, how often."""

    workspace: int
    subject: str = ""
    count: int = 1


class Patient(Struct, frozen=True):
    """The installation that is examined. Without a place, lake and disk are not looked at."""

    connection: Connection[Any]
    place: Place | None = None


class Question(Struct, frozen=True, kw_only=True):
    """One check. `advice` follows the number found."""

    name: str
    invariant: int  # of the architecture's list; 0: of none
    ask: Callable[[Patient], Iterable[Finding]]
    advice: str
    is_watched: bool = False  # cheap enough to be asked all the time; what it finds is an alarm
    is_listing: bool = False  # worth knowing, and nothing is broken


def examine(url: str, place: Place | None = None, deep: Sequence[Question] = ()) -> list[Check]:
    """All checks; those that need the schema only when it is current. `deep` are those of higher layers."""
    try:
        with connect(url, name="kizuna doctor", autocommit=True) as connection:
            try:
                migrate.require_current(connection)
            except KizunaError as error:
                return [_reachable(), Check("schema_current", ok=False, message=str(error))]
            current = Check("schema_current", ok=True, message=f"schema {migrate.current(connection)}")
            patient = Patient(connection, place)
            return [_reachable(), current, *(check(patient, question) for question in (*questions(), *deep))]
    except KizunaError as error:
        return [Check("database_reachable", ok=False, message=str(error))]


def check(patient: Patient, question: Question) -> Check:
    """One question, answered or given up in time."""
    found = answer(patient, question)
    if found is None:
        return Check(question.name, ok=True, message=f"not known: no answer in {SECONDS:.0f} s")
    count = sum(finding.count for finding in found)
    named = sorted({finding.subject for finding in found if finding.subject})
    shown = f" ({', '.join(named[:5])}{', ...' if len(named) > 5 else ''})" if named else ""
    message = f"{count} {question.advice}{shown}" if count else "none"
    return Check(question.name, ok=not count or question.is_listing, message=message, found=count)


def answer(patient: Patient, question: Question) -> list[Finding] | None:
    """What is found; None when it took too long."""
    patient.connection.execute(f"SET statement_timeout = {int(SECONDS * 1000)}")  # type: ignore[arg-type]  # a number
    try:
        return list(question.ask(patient))
    except psycopg.errors.QueryCanceled:
        return None


@cache
def questions() -> tuple[Question, ...]:
    """Every question of this folder, by file."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return tuple(question for module in modules for question in getattr(module, "QUESTIONS", ()))


def sql(statement: str) -> Callable[[Patient], Iterator[Finding]]:
    """A question that is one statement: it answers (workspace, subject, count) and may use %(grace)s.

    `{sample}` behind a table's name stands for a sample of it, so that its size does not matter.
    """

    def ask(patient: Patient) -> Iterator[Finding]:
        text = statement
        while "{sample:" in text:
            before, _, rest = text.partition("{sample:")
            table, _, after = rest.partition("}")
            text = before + sample(patient.connection, table) + after
        for row in patient.connection.execute(text, {"grace": GRACE}):  # type: ignore[arg-type]  # our own words
            yield Finding(*row)

    return ask


def sample(connection: Connection[Any], table: str) -> str:
    """A clause that takes about `SAMPLE` rows of a table, all of a small one."""
    row = connection.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [table]).fetchone()
    rows = max(row[0] if row else 0, 1)
    share = 100 if rows <= SAMPLE else max(100 * SAMPLE / rows, 0.001)
    return f"TABLESAMPLE SYSTEM ({share:.3f})"


def _reachable() -> Check:
    return Check("database_reachable", ok=True, message="the database answers")
