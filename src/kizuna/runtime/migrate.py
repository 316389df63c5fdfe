"""Brings a database to the schema this version needs: plain SQL files, run in order by Alembic."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from kizuna.core.errors import KizunaError
from kizuna.core.ids import PARTITIONS_DEFAULT
from kizuna.runtime.database import connect

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x6B697A756E61  # "kizuna": one migration at a time on a database
_FILE = re.compile(r"(\d{4})_(pre|post)\.sql\Z")  # pre: before the code that needs it starts; post: after it

_STAMP = "CREATE TABLE alembic_version (version_num varchar(32) CONSTRAINT alembic_version_pkc PRIMARY KEY)"


def revisions(folder: Path = FOLDER) -> list[str]:
    """`0001_pre`, `0001_post`, `0002_pre`, ... as there are files."""
    matches = [match for path in folder.iterdir() if (match := _FILE.match(path.name))]
    return [match[0].removesuffix(".sql") for match in sorted(matches, key=lambda m: (m[1], m[2] == "post"))]


def current(connection: psycopg.Connection[Any]) -> str | None:
    """The revision a database has, None when it is empty."""
    found = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if found and found[0] else None
    return row[0] if row else None


def is_behind(connection: psycopg.Connection[Any]) -> bool:
    """Whether `migrate` has work to do; raises when a newer Kizuna was here."""
    revision, known = current(connection), revisions()
    if revision is not None and revision not in known:
        raise KizunaError(
            f"the database has schema {revision}, this Kizuna knows up to {known[-1]}: install a newer one"
        )
    return revision != known[-1]


def require_current(connection: psycopg.Connection[Any]) -> None:
    """Refuse to work on another schema than ours."""
    if is_behind(connection):
        raise KizunaError("the database is behind this version: run `kizuna migrate`", code="schema_behind")


def migrate(url: str, partitions: int = PARTITIONS_DEFAULT) -> bool:
    """Run what is missing; False when nothing was. Safe to call from several processes at once."""
    with connect(url, autocommit=True, binary=False) as connection:
        if not is_behind(connection):
            return False
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # freed when the connection closes
        if not is_behind(connection):
            return False
        if current(connection) is None:
            create(connection)
        else:
            upgrade(url)
        connection.execute(
            "INSERT INTO installation (partitions, secret, created_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [partitions, secrets.token_bytes(32), time.time_ns() // 1000],
        )
    return True


def partitions_of(url: str) -> int:
    """The number of partitions fixed at install."""
    with connect(url) as connection:
        row = connection.execute("SELECT partitions FROM installation").fetchone()
    if row is None:
        raise KizunaError("the database was never migrated: run `kizuna migrate`")
    return row[0]


def is_sending_locked(url: str) -> bool:
    """Whether this is a restored copy that was not told that it is the original."""
    with connect(url) as connection:
        row = connection.execute("SELECT FROM installation WHERE sending_locked_at IS NOT NULL").fetchone()
    return row is not None


def create(connection: psycopg.Connection[Any], last: str | None = None) -> None:
    """All files (up to `last`) into an empty database, stamped as Alembic does: a first start need not load it."""
    known = revisions()
    wanted = known if last is None else known[: known.index(last) + 1]
    with connection.transaction():
        _run(connection, wanted)
        connection.execute(_STAMP.encode())
        connection.execute("INSERT INTO alembic_version VALUES (%s)", [wanted[-1]])


def run_after(connection: psycopg.Connection[Any], revision: str) -> None:
    """The files after a revision, in the caller's transaction."""
    known = revisions()
    _run(connection, known[known.index(revision) + 1 :])
    connection.execute("UPDATE alembic_version SET version_num = %s", [known[-1]])


def _run(connection: psycopg.Connection[Any], wanted: list[str]) -> None:
    for revision in wanted:
        connection.execute((FOLDER / f"{revision}.sql").read_bytes())  # no parameters: many statements, % is %


def upgrade(url: str) -> None:
    """What is missing, by Alembic."""
    from alembic.migration import MigrationContext  # 2 s and 50 MB: only when there is something to do
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    engine = create_engine("postgresql+psycopg://", creator=lambda: connect(url, binary=False), poolclass=NullPool)
    with engine.begin() as connection:
        scripts = _scripts(connection.connection.cursor())
        # the step that Alembic's own `upgrade` command takes
        options = {"fn": lambda revision, _: scripts._upgrade_revs("head", revision)}  # pyright: ignore[reportPrivateUsage]
        MigrationContext.configure(connection, opts=options).run_migrations()
    engine.dispose()


def _scripts(cursor: Any) -> ScriptDirectory:
    """An Alembic script directory whose revisions are our SQL files, run on `cursor`."""
    from types import ModuleType

    from alembic.script import Script, ScriptDirectory

    def module(revision: str, before: str | None) -> ModuleType:
        def upgrade() -> None:
            cursor.execute((FOLDER / f"{revision}.sql").read_text())  # no parameters: many statements, % is %

        found = ModuleType(revision, revision)
        vars(found).update(revision=revision, down_revision=before, upgrade=upgrade)
        return found

    class SqlFiles(ScriptDirectory):
        def _load_revisions(self) -> Iterator[Script]:
            before = None
            for revision in revisions():
                yield Script(module(revision, before), revision, str(FOLDER / f"{revision}.sql"))
                before = revision

    return SqlFiles(str(FOLDER))
