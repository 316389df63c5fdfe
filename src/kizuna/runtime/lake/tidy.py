"""Compaction and vacuum: many small files become few, and what queries no longer read is removed."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

from deltalake import DeltaTable

from kizuna.runtime.lake.tables import WRITER

SMALL = 8 << 20  # bytes; smaller files are worth joining
MANY = 24  # small files of one month (or of a table without months)
KEPT_HOURS = 1  # a query in flight reads the files of the version it opened
_TARGET = 64 << 20


def crowded(found: DeltaTable) -> list[str | None]:
    """The months with many small files; [None] for a table that is not divided."""
    actions = found.get_add_actions(flatten=True)
    sizes = cast("list[int]", actions.column("size_bytes").to_pylist())
    months = _months(actions, len(sizes))
    small = Counter(month for month, size in zip(months, sizes, strict=True) if size < SMALL)
    return [month for month, count in small.items() if count >= MANY]


def compact(found: DeltaTable) -> bool:
    """Join the small files of crowded months; says whether it did anything. Rows and offsets stay as they are."""
    months = crowded(found)
    for month in months:
        found.optimize.compact(
            partition_filters=[("month", "=", month)] if month is not None else None,
            target_size=_TARGET,
            max_concurrent_tasks=1,
            writer_properties=WRITER,
        )
    return bool(months)


def vacuum(found: DeltaTable) -> None:
    """Remove files that no version of the last hour names."""
    found.vacuum(retention_hours=KEPT_HOURS, dry_run=False, enforce_retention_duration=False)


def _months(actions: Any, count: int) -> list[str | None]:
    if "partition.month" not in actions.column_names:
        return [None] * count
    return actions.column("partition.month").to_pylist()
