"""One consistent state of a workspace's history: files and offsets of one Delta version, and the log beyond them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from msgspec import Struct

from kizuna.runtime.lake.tail import Tail

if TYPE_CHECKING:
    from deltalake import DeltaTable

    from kizuna.runtime.lake.tables import Name

HEADS = 'SELECT partition FROM log_head WHERE workspace = %s AND "offset" > 0'


class Snapshot(Struct, frozen=True):
    """What a question reads. `age` changes whenever the history did."""

    folder: Path
    files: Mapping[str, list[Path]]  # by table
    archived: Mapping[int, int]  # newest offset the files hold, by partition
    tail_events: Any  # Arrow
    tail_changes: Any
    age: int


class History:
    """Follows one workspace: asks Delta and PostgreSQL only for what is new since the last question."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.Lock()
        self.tail = Tail()
        self._tables: dict[str, DeltaTable] = {}
        self._versions: dict[str, int] = {}
        self._files: dict[str, list[Path]] = {"events": [], "profiles": []}
        self._archived: dict[int, int] = {}
        self._snapshot: Snapshot | None = None
        self._age = 0

    def refresh(self, partitions: Iterable[int]) -> Mapping[int, int]:
        """Read the newest version of the tables; says what they hold. Events first: profiles may only be ahead."""
        self._refresh("events", partitions)
        self._refresh("profiles", ())
        return self._archived

    def take(self, rows: Iterable[tuple[Any, ...]]) -> Snapshot:
        """Add what the log said beyond the tables."""
        if self.tail.take(rows) or self._snapshot is None:
            self._age += 1
            tail_events, tail_changes = self.tail.tables()
            self._snapshot = Snapshot(
                folder=self.folder,
                files={name: list(files) for name, files in self._files.items()},
                archived=dict(self._archived),
                tail_events=tail_events,
                tail_changes=tail_changes,
                age=self._age,
            )
        return self._snapshot

    def forget(self) -> None:
        """Begin anew: a file of the list is gone."""
        self._tables, self._versions, self._snapshot = {}, {}, None

    def _refresh(self, name: Name, partitions: Iterable[int]) -> None:
        from kizuna.runtime.lake.tables import offsets, open_table

        found = self._tables.get(name) or open_table(self.folder, name)
        if found is None:
            return
        self._tables[name] = found
        found.update_incremental()
        version, before = found.version(), self._versions.get(name)
        if version == before:
            return
        actions: Any = found.get_add_actions(flatten=True)
        self._files[name] = [self.folder / name / unquote(path) for path in actions.column("path").to_pylist()]
        if name == "events":
            self._archived = offsets(found, self.folder / name, partitions, self._archived, before)
        self._versions[name] = version
        self._snapshot = None
