"""Take a backup of an installation, running or not, into one file."""

from __future__ import annotations

import json
import os
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from psycopg import Connection

from kizuna import __version__
from kizuna.config import FILE, Config
from kizuna.core.errors import KizunaError
from kizuna.runtime import migrate, reach
from kizuna.runtime.backup import lake_files, tables
from kizuna.runtime.backup.archive import FORMAT, Manifest, Writer
from kizuna.runtime.database import connect
from kizuna.runtime.lake.place import root_of

SETTINGS = f"settings/{FILE}"
SECRET_SETTINGS = frozenset(("secret", "database_url", "log_url", "url"))  # keys, or addresses with passwords in them
STANDARD_OUTPUT = "-"


def backup(config: Config, target: str) -> str:
    """Write the file, whole or not at all, and say what it holds; `-` is standard output."""
    with reach.database(config, migrated=False) as url, connect(url, name="kizuna backup") as connection:
        if migrate.current(connection) is None:
            raise KizunaError("there is no installation here to back up: see --data and KIZUNA_DATABASE_URL")
        migrate.is_behind(connection)  # raises for a newer one
        connection.commit()
        with _opened(target) as out:
            return _write(config, connection, Writer(out))


def _write(config: Config, connection: Connection[Any], writer: Writer) -> str:
    """The lake is looked at first: what it does not hold yet is then surely in the snapshot's log."""
    with lake_files.taken(root_of(config), _partitions(connection)) as lake:
        connection.commit()
        found = tables.begin(connection)
        schema = migrate.current(connection)
        assert schema is not None  # noqa: S101
        taken_at = time.time_ns() // 1000
        for name, body in lake.logs.items():
            writer.add(name, body)
        for name, path in lake.files.items():
            writer.add_file(name, path)
        for table, names in found.items():
            for number, piece in enumerate(tables.copy_out(connection, table, names)):
                writer.add(f"tables/{table}/{number:06}", piece)
        settings = _settings(Path.cwd() / FILE)
        if settings is not None:
            writer.add(SETTINGS, settings.encode())
        manifest = Manifest(
            format=FORMAT, kizuna=__version__, schema=schema, taken_at=taken_at, tables=found,
            sequences=tables.sequences(connection), lakes=lake.held, has_secret=bool(config.secret),
        )  # fmt: skip
        connection.rollback()
    writer.close(manifest)
    size = sum(member.size for member in writer.members)
    return f"{len(found)} tables and {len(lake.files)} files of the lake, {size / 1e6:.1f} MB before compression"


def _partitions(connection: Connection[Any]) -> dict[int, list[int]]:
    rows = connection.execute("SELECT workspace, partition FROM log_head ORDER BY workspace, partition").fetchall()
    found: dict[int, list[int]] = {}
    for workspace, partition in rows:
        found.setdefault(workspace, []).append(partition)
    return found


def _settings(path: Path) -> str | None:
    """kizuna.toml without secrets, in its own form; None where there is none."""
    if not path.is_file():
        return None
    values = tomllib.loads(path.read_text())
    kept = {name: value for name, value in sorted(values.items()) if name not in SECRET_SETTINGS}
    return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in kept.items())


@contextmanager
def _opened(target: str) -> Iterator[IO[bytes]]:
    """Standard output, or a file that gets its name when it is whole and on the disk."""
    if target == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(target).absolute()
    unfinished = path.with_name(f"{path.name}.part")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise KizunaError(f"{unfinished} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
