"""Items in a file beside their catalog's definition: CSV and its relatives, JSON lines, or one JSON list."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from kizuna.catalogs.catalog import Catalog
from kizuna.catalogs.item import MOST_ITEMS, Item, digest, wrong_item
from kizuna.core import exact_json
from kizuna.core.errors import FieldError, Invalid
from kizuna.imports.formats import Broken, Row
from kizuna.imports.formats.delimited import Delimited
from kizuna.imports.formats.json_lines import JsonLines
from kizuna.imports.look import look

MOST_ERRORS = 10
MOST_JSON = 32 << 20  # bytes of one JSON list, which is read whole
ID = "id"
_TRUTH = {"true": True, "false": False}


def digests_of(path: Path, catalog: Catalog) -> dict[str, bytes]:
    """Of every item by its id; raises `Invalid` naming the first wrong lines. A file that stays is read once."""
    try:
        known = path.stat()
    except OSError:
        raise _refused([_wrong(path, 0, f"there is no file {path.name} beside this one")]) from None
    fields = tuple(sorted(catalog.fields.items()))
    return _digests(path, known.st_size, known.st_mtime_ns, fields)


@lru_cache(maxsize=8)
def _digests(path: Path, size: int, changed_at: int, fields: tuple[tuple[str, str], ...]) -> dict[str, bytes]:
    return {item[ID]: digest(item) for item in items_of(path, Catalog(fields=dict(fields)))}


def items_of(path: Path, catalog: Catalog) -> Iterator[Item]:
    """One after the other, each id once; raises `Invalid` at the end, or after so many wrong ones."""
    errors: list[FieldError] = []
    seen: set[str] = set()
    for line, found in _records(path, catalog):
        wrong = found if isinstance(found, str) else _wrong_item(catalog, found, seen)
        if isinstance(found, str) or wrong:
            errors.append(_wrong(path, line, str(wrong)))
            if len(errors) == MOST_ERRORS:
                break
            continue
        seen.add(found[ID])
        if len(seen) > MOST_ITEMS:
            errors.append(_wrong(path, line, f"more than {MOST_ITEMS:,} items"))
            break
        if not errors:
            yield found
    if errors:
        raise _refused(errors)


def _wrong_item(catalog: Catalog, item: Any, seen: set[str]) -> str:
    try:
        wrong = wrong_item(catalog, item, "")
    except (Invalid, UnicodeEncodeError) as error:
        return "text that is not of the file's encoding" if isinstance(error, UnicodeEncodeError) else str(error)
    if wrong is not None:
        return f"{wrong.pointer.lstrip('/')}: {wrong.message}".removeprefix(": ")
    return f"id: {item[ID]!r} stands on a line before" if item[ID] in seen else ""


def _wrong(path: Path, line: int, message: str) -> FieldError:
    return FieldError("/items", "invalid_item", f"{path.name} line {line}: {message}" if line else message)


def _refused(errors: list[FieldError]) -> Invalid:
    return Invalid("items cannot be taken; none was", code="invalid_item", errors=errors)


# reading -------------------------------------------------------------------------------------------------------------


def _records(path: Path, catalog: Catalog) -> Iterator[tuple[int, Any]]:
    """(line, item), or of one that cannot be read (line, what is wrong with it)."""
    try:
        if path.suffix.lower() == ".json":
            yield from _listed(path)
        elif path.suffix.lower() == ".jsonl":
            yield from _json_lines(path)
        else:
            yield from _cells(path, catalog)
    except Invalid as error:
        raise _refused([_wrong(path, 0, f"{path.name}: {error}")]) from None


def _listed(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open("rb") as file:
        raw = file.read(MOST_JSON + 1)
    if len(raw) > MOST_JSON:
        raise Invalid(f"a list of more than {MOST_JSON >> 20} MB: write one object a line, as .jsonl")
    items = exact_json.decode_checked(raw.removeprefix(b"\xef\xbb\xbf"))
    if not isinstance(items, list):
        raise Invalid("not a list of objects")
    yield from enumerate(items, 1)


def _json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    looked = msgspec.structs.replace(look(path, "items.jsonl"), format="jsonl")
    source = JsonLines(looked)
    try:
        for row in source.rows():
            yield row.line, row.message if isinstance(row, Broken) else dict(row.cells)
    finally:
        source.close()


def _cells(path: Path, catalog: Catalog) -> Iterator[tuple[int, Any]]:
    source = Delimited(look(path, "items.csv"), "\t" if path.suffix.lower() == ".tsv" else "")
    try:
        if ID not in source.columns:
            raise Invalid(f"it has no column {ID}; it has {', '.join(source.columns[:50])}")
        for row in source.rows():
            yield row.line, row.message if isinstance(row, Broken) else _item(row, catalog)
    finally:
        source.close()


def _item(row: Row, catalog: Catalog) -> Item | str:
    """Empty cells are no fields; what the catalog does not declare is text."""
    item: Item = {}
    for name, cell in row.cells.items():
        if cell == "":
            continue
        kind = "text" if name == ID else catalog.fields.get(name, "text")
        try:
            item[name] = _value(kind, cell)
        except (Invalid, UnicodeEncodeError, KeyError):
            return f"{name}: {cell[:100]!r} is no {kind}".encode("utf-8", "replace").decode()
    return item


def _value(kind: str, cell: str) -> Any:
    match kind:
        case "number":
            number = exact_json.decode_checked(cell.encode())
            if isinstance(number, bool) or not isinstance(number, int | Decimal):
                raise Invalid("no number")
            return number
        case "boolean":
            return _TRUTH[cell.strip().lower()]
        case "object" | "list":
            return exact_json.decode_checked(cell.encode())
        case _:
            return cell


# writing -------------------------------------------------------------------------------------------------------------


class Writer:
    """Writes items as `items_of` reads them; what CSV cannot say, such as a number of no declared field, it says as it
    would read: whoever writes compares."""

    def __init__(self, path: Path, keys: Sequence[str]) -> None:
        self.kind = path.suffix.lower()
        self.keys = [ID, *(key for key in keys if key != ID)]
        self.file = path.open("w", encoding="utf-8", newline="")
        self.count = 0
        if self.kind in (".csv", ".tsv"):
            self.file.write(self._line(self.keys))

    def write(self, items: Iterable[Item]) -> None:
        for item in items:
            self.file.write(self._said(item))
            self.count += 1

    def close(self) -> None:
        if self.kind == ".json":
            self.file.write("\n]\n" if self.count else "[]\n")
        self.file.close()

    def _said(self, item: Item) -> str:
        if self.kind in (".csv", ".tsv"):
            return self._line([_cell(item.get(key)) for key in self.keys])
        said = exact_json.encode({ID: item[ID], **item}).decode()
        if self.kind == ".jsonl":
            return said + "\n"
        return (",\n" if self.count else "[\n") + said

    def _line(self, cells: Sequence[str]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter="\t" if self.kind == ".tsv" else ",").writerow(cells)  # a lone CR is quoted, too
        return text.getvalue().removesuffix("\r\n") + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else exact_json.encode(value).decode()
