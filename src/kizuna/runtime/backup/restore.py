"""Put a backup into an empty place. The copy sends nothing until it is told that it is the original."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from psycopg import Connection

from kizuna.config import FILE, Config
from kizuna.core import clock
from kizuna.core.errors import Conflict, Invalid
from kizuna.runtime import folder, migrate, reach
from kizuna.runtime.backup import archive, tables
from kizuna.runtime.backup.archive import Manifest
from kizuna.runtime.database import connect
from kizuna.runtime.lake.place import root_of

Members = Iterator[tuple[str, Iterable[bytes]]]


def restore(config: Config, source: str) -> list[str]:
    """Restore into an empty database and lake; what the operator should know now, line by line."""
    path = Path(source)
    manifest = archive.verify(path)
    known = migrate.revisions()
    if manifest.schema not in known:
        raise Invalid(f"{path} has schema {manifest.schema}, this Kizuna knows up to {known[-1]}: install a newer one")
    _require_no_lake(config)
    if not config.database_url and folder.is_held(config.data):
        raise Conflict(f"Kizuna runs on {config.data}: give an empty folder with --data")
    with reach.database(config, migrated=False) as url, connect(url, name="kizuna restore", binary=False) as connection:
        if not tables.is_empty(connection):
            where = "the database of KIZUNA_DATABASE_URL" if config.database_url else str(config.data)
            raise Conflict(f"{where} holds something already: restore into an empty database or data folder")
        connection.commit()
        _put(config, connection, path, manifest)
    return _lines(config, manifest)


def _put(config: Config, connection: Connection[Any], path: Path, manifest: Manifest) -> None:
    """All in one transaction; the lake gets its name just before the commit, so that a crash leaves no half."""
    root = root_of(config)
    unfinished = root.with_name(f"{root.name}.restoring")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700, parents=True)
    try:
        with connection.transaction():
            migrate.create(connection, manifest.schema)
            tables.clear(connection, manifest.tables)
            _take_members(config, connection, unfinished, archive.read(path, manifest), manifest)
            tables.set_sequences(connection, manifest.sequences)
            migrate.run_after(connection, manifest.schema)
            _settle(connection, manifest)
            if root.exists():
                root.rmdir()  # it is empty
            unfinished.rename(root)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    connection.autocommit = True
    connection.execute("ANALYZE")


def _take_members(
    config: Config, connection: Connection[Any], lake: Path, members: Members, manifest: Manifest
) -> None:
    for (kind, *place), group in itertools.groupby(members, key=lambda member: _place(member[0])):
        match kind, place:
            case "tables", [table] if table in manifest.tables:
                tables.copy_in(connection, table, manifest.tables[table], (p for _, body in group for p in body))
            case "lake", _:
                for name, body in group:
                    _write(lake / name.removeprefix("lake/"), body)
            case "settings", _:
                for _, body in group:
                    _write(config.data / f"{FILE}.restored", body)
            case _:
                raise Invalid(f"the backup holds {'/'.join([kind, *place])}, which this Kizuna does not know")


def _place(name: str) -> list[str]:
    """What belongs together: the pieces of a table, or all of another kind."""
    parts = name.split("/")
    return parts[:2] if parts[0] == "tables" else parts[:1]


def _write(path: Path, body: Iterable[bytes]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("wb") as out:
        for piece in body:
            out.write(piece)


def _settle(connection: Connection[Any], manifest: Manifest) -> None:
    """Sending is locked; what the lake holds is what was copied, and log rows are kept another seven days."""
    connection.execute("UPDATE installation SET sending_locked_at = real_now()")
    connection.execute("UPDATE log_head SET archived = 0")
    for lake in manifest.lakes:
        connection.execute(
            """UPDATE log_head h SET archived = held."offset"
               FROM unnest(%s::smallint[], %s::bigint[]) AS held (partition, "offset")
               WHERE h.workspace = %s AND h.partition = held.partition""",
            [list(lake.offsets), list(lake.offsets.values()), lake.workspace],
        )
    connection.execute("DELETE FROM lake_mark")


def _require_no_lake(config: Config) -> None:
    root = root_of(config)
    if root.is_dir() and any(root.iterdir()):
        raise Conflict(f"the lake folder {root} holds something already: give an empty place")


def _lines(config: Config, manifest: Manifest) -> list[str]:
    said = [
        f"restored what was there at {clock.show(manifest.taken_at)}",
        "sending is locked: `kizuna unlock-sending` once this copy is the original",
    ]
    if (config.data / f"{FILE}.restored").exists():
        said.append(f"the settings of then are in {config.data / f'{FILE}.restored'}")
    if manifest.has_secret and not config.secret:
        said.append("KIZUNA_SECRET was set then and is not in the file: set the same before `kizuna up`")
    return said
