"""An item as brought: an object with an id, of the types that its catalog says. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec

from kizuna.catalogs.catalog import Catalog
from kizuna.core import clock, exact_json
from kizuna.core.errors import FieldError, Invalid

LONGEST_ID = 200
MOST_ITEMS = 100_000
MOST_BYTES = 256 << 20  # of a catalog
ITEM_BYTES = 32 * 1024
AT_ONCE = 10_000  # items of one request

Item = dict[str, Any]
_sorted = msgspec.json.Encoder(order="sorted").encode


def checked(catalog: Catalog, items: Sequence[Any], pointer: str = "/items") -> list[Item]:
    """The items, each id once; raises `Invalid` naming the first wrong ones."""
    if len(items) > AT_ONCE:
        raise Invalid(f"more than {AT_ONCE:,} items at once: send them in pieces", code="too_large")
    errors: list[FieldError] = []
    seen: set[str] = set()
    for place, item in enumerate(items):
        error = wrong_item(catalog, item, f"{pointer}/{place}" if pointer else "")
        if error is None and item["id"] in seen:
            error = FieldError(f"{pointer}/{place}/id", "twice", "another item of this request has this id")
        if error is not None:
            errors.append(error)
            if len(errors) == 10:
                break
        else:
            seen.add(item["id"])
    if errors:
        raise Invalid("items cannot be taken; none was", code="invalid_item", errors=errors)
    return list(items)


def wrong_item(catalog: Catalog, item: Any, pointer: str) -> FieldError | None:
    exact_json.check(item)
    if not isinstance(item, dict):
        return FieldError(pointer, "invalid", "an object with an `id`")
    name = item.get("id")
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_ID or not name.isprintable():
        return FieldError(f"{pointer}/id", "invalid", f"a text of 1 to {LONGEST_ID} printable characters")
    for field, kind in catalog.fields.items():
        if (value := item.get(field)) is not None and not _is(kind, value):
            return FieldError(f"{pointer}/{field}", "wrong_type", f"the catalog says {kind}")
    if len(exact_json.encode(item)) > ITEM_BYTES:
        return FieldError(pointer, "too_large", f"an item has at most {ITEM_BYTES // 1024} kB")
    return None


def digest(item: Item) -> bytes:
    """16 bytes that differ where two items would read differently once they are kept."""
    return blake2b(_sorted(_as_kept(item)), digest_size=16).digest()


def _as_kept(value: Any) -> Any:
    """Fractions as PostgreSQL keeps them: written out, with their last zeros."""
    if isinstance(value, Decimal):
        return msgspec.Raw(format(value if value else abs(value), "f").encode())
    if isinstance(value, dict):
        return {key: _as_kept(inner) for key, inner in value.items()}
    return [_as_kept(each) for each in value] if isinstance(value, list) else value


def _is(kind: str, value: Any) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "time":
            return isinstance(value, str) and clock.read_time(value) is not None
        case "object":
            return isinstance(value, dict)
        case "list":
            return isinstance(value, list)
        case _:
            return not isinstance(value, (bool, str, dict, list))
