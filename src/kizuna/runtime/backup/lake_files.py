"""The files of a Delta table as they stand at one version, held so that no clean-up takes them away meanwhile."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from msgspec import Struct

from kizuna.core.errors import Unavailable
from kizuna.runtime.backup.archive import Held

LOG = "_delta_log"
TRIES = 5
STALE = 24 * 3600  # seconds after which the links of a killed backup are removed
_COMMIT = re.compile(r"(\d{20})\.json\Z")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(\.\d{10}\.\d{10})?\.parquet\Z")


class Taken(Struct, frozen=True):
    """What is to be copied: files by their name in the backup, and what the lakes hold."""

    files: dict[str, Path]
    logs: dict[str, bytes]
    held: list[Held]


@contextmanager
def taken(root: Path, workspaces: dict[int, list[int]]) -> Iterator[Taken]:
    """The newest version of every table; `workspaces` gives the partitions of each.

    Events are looked at before the other tables, which may only be ahead of them.
    """
    found = Taken({}, {}, [])
    if not root.is_dir():
        yield found
        return
    _remove_stale(root)
    links = Path(tempfile.mkdtemp(prefix=".backup-", dir=root))
    try:
        for workspace, partitions in workspaces.items():
            folder = root / str(workspace)
            tables = sorted((path.parent for path in folder.glob(f"*/{LOG}")), key=lambda p: (p.name != "events", p))
            for table in tables:
                take_table(table, f"lake/{workspace}/{table.name}", links, partitions, found)
        yield found
    finally:
        shutil.rmtree(links, ignore_errors=True)


def take_table(table: Path, name: str, links: Path, partitions: list[int], found: Taken) -> None:
    """Again from the start when a file went between the look and the link."""
    for _ in range(TRIES):
        try:
            _try(table, name, links, partitions, found)
        except FileNotFoundError:
            continue
        return
    raise Unavailable(f"the lake's table {table} changes too fast to be copied: try again")


def _try(table: Path, name: str, links: Path, partitions: list[int], found: Taken) -> None:
    from deltalake import DeltaTable

    from kizuna.runtime.lake.tables import offset_in

    opened = DeltaTable(table)
    version = opened.version()
    logs = {f"{name}/{LOG}/{path.name}": path.read_bytes() for path in _log_of(table / LOG, version)}
    actions: Any = opened.get_add_actions(flatten=True)
    files: dict[str, Path] = {}
    for quoted in actions.column("path").to_pylist():
        path = unquote(quoted)
        files[f"{name}/{path}"] = _held(table / path, links, len(found.files) + len(files))
    found.logs.update(logs)
    found.files.update(files)
    if table.name == "events":
        held = {partition: offset for partition in partitions if (offset := offset_in(opened, partition))}
        found.held.append(Held(int(table.parent.name), held))


def _log_of(folder: Path, version: int) -> list[Path]:
    """The newest checkpoint up to a version, and the commits from there to it."""
    checkpoints: dict[int, list[Path]] = {}
    commits: dict[int, Path] = {}
    for path in folder.iterdir():
        if match := _CHECKPOINT.match(path.name):
            checkpoints.setdefault(int(match[1]), []).append(path)
        elif match := _COMMIT.match(path.name):
            commits[int(match[1])] = path
    base = max((number for number in checkpoints if number <= version), default=-1)
    wanted = range(base + 1, version + 1)
    if any(number not in commits for number in wanted):
        raise FileNotFoundError(folder)
    whole = [commits[base]] if base in commits else []
    return [*checkpoints.get(base, []), *whole, *(commits[number] for number in wanted)]


def _held(path: Path, links: Path, number: int) -> Path:
    """A second name for a file, which the lake's clean-up does not know; where links cannot be, the file itself."""
    link = links / str(number)
    try:
        link.unlink(missing_ok=True)
        os.link(path, link)
    except FileNotFoundError:
        raise
    except OSError:
        path.stat()
        return path
    return link


def _remove_stale(root: Path) -> None:
    for left in root.glob(".backup-*"):
        if time.time() - left.stat().st_mtime > STALE:
            shutil.rmtree(left, ignore_errors=True)
