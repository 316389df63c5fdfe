"""An import as the outside sees it."""

from __future__ import annotations

from typing import Any

import msgspec

from kizuna.core import clock, exact_json, ids
from kizuna.imports.store import Import


def show(found: Import) -> dict[str, Any]:
    """`rows` are those read: `taken` and `rejected` add up to them."""
    return {
        "id": ids.show("imp", found.id),
        "name": found.name,
        "kind": found.kind,
        "state": found.state,
        "dry_run": found.checks_only,
        "map": msgspec.Raw(exact_json.encode(found.map)),
        "size": found.size,
        "done": found.done,
        "rows": found.rows,
        "taken": found.taken,
        "consents": found.consents,
        "rejected": found.rejected,
        "position": str(found.position) if found.position else None,
        "error": found.error,
        "started_at": clock.show(found.started_at) if found.started_at else None,
        "changed_at": clock.show(found.changed_at) if found.changed_at else None,
    }
