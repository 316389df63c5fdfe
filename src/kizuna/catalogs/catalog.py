"""A catalog as declared: its fields with their types, and selections of its items. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.core.errors import FieldError, Invalid
from kizuna.core.shape import misfit

LONGEST_NAME = 100
MOST_FIELDS, MOST_SELECTIONS, MOST_CONDITIONS, MOST_SELECTED = 200, 50, 10, 50
TYPES = ("text", "number", "boolean", "time", "object", "list")
FILES = (".csv", ".tsv", ".json", ".jsonl")
OPERATORS = ("is", "is_not", "in", "gt", "gte", "lt", "lte", "contains", "exists")

_FILE = re.compile(r"[^./\\\x00-\x1f][^/\\\x00-\x1f]{0,199}")


class Sort(Struct, frozen=True, forbid_unknown_fields=True):
    field: str
    descending: bool = False


class Selection(Struct, frozen=True, forbid_unknown_fields=True):
    """`where` is field to {operator: value}; every condition must hold. `limit` items, in the order of `sort`."""

    name: str
    where: dict[str, dict[str, Any]] = {}
    sort: Sort | None = None
    limit: int = 10


class Catalog(Struct, frozen=True, forbid_unknown_fields=True):
    fields: dict[str, str] = {}  # name to type; a field that is not named may hold anything
    selections: list[Selection] = []
    items: str = ""  # the file of its items, beside its definition; empty: they are kept by the API alone

    def selection(self, name: str) -> Selection | None:
        return next((each for each in self.selections if each.name == name), None)


def read(body: Mapping[str, Any]) -> Catalog:
    """Raises `Invalid` naming every wrong place."""
    try:
        catalog = msgspec.convert(dict(body), Catalog)
    except msgspec.ValidationError as error:
        raise _invalid([misfit(error, Catalog)]) from None
    errors = [
        FieldError(f"/fields/{name}", "unsupported", f"one of {', '.join(TYPES)}")
        for name, kind in catalog.fields.items()
        if kind not in TYPES
    ]
    if catalog.items and (wrong := wrong_file(catalog.items)):
        errors.append(FieldError("/items", "invalid", wrong))
    if len(catalog.fields) > MOST_FIELDS or len(catalog.selections) > MOST_SELECTIONS:
        errors.append(FieldError("", "too_large", f"up to {MOST_FIELDS} fields and {MOST_SELECTIONS} selections"))
    names = [each.name for each in catalog.selections]
    for place, selection in enumerate(catalog.selections):
        errors += _wrong(f"/selections/{place}", selection)
        if names.index(selection.name) < place:
            errors.append(FieldError(f"/selections/{place}/name", "twice", "another selection has this name"))
    if errors:
        raise _invalid(errors)
    return catalog


def wrong_file(name: str) -> str:
    """What is wrong with the name of a file of items; it lies in the same folder."""
    if not _FILE.fullmatch(name):
        return "the name of a file beside this one: no folders, and none that begins with a point"
    is_known = name.lower().endswith(FILES)
    return "" if is_known else f"a file of {', '.join(FILES)}"


def _wrong(pointer: str, selection: Selection) -> list[FieldError]:
    errors: list[FieldError] = []
    if not selection.name.strip() or len(selection.name) > LONGEST_NAME:
        errors.append(FieldError(f"{pointer}/name", "invalid_name", f"1 to {LONGEST_NAME} characters"))
    if not 1 <= selection.limit <= MOST_SELECTED:
        errors.append(FieldError(f"{pointer}/limit", "invalid", f"1 to {MOST_SELECTED}"))
    conditions = [(f, o, v) for f, said in selection.where.items() for o, v in said.items()]
    if len(conditions) > MOST_CONDITIONS:
        errors.append(FieldError(f"{pointer}/where", "too_large", f"up to {MOST_CONDITIONS} conditions"))
    for field, operator, value in conditions:
        wrong = _wrong_condition(operator, value)
        if wrong:
            errors.append(FieldError(f"{pointer}/where/{field}/{operator}", "invalid", wrong))
    return errors


def _wrong_condition(operator: str, value: Any) -> str:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    match operator:
        case "gt" | "gte" | "lt" | "lte":
            return "" if is_number or isinstance(value, str) else "a number, or a text such as a time"
        case "in":
            return "" if isinstance(value, list) and 1 <= len(value) <= 100 else "a list of 1 to 100 values"
        case "exists":
            return "" if isinstance(value, bool) else "true or false"
        case "contains":
            return "" if isinstance(value, (str, int, float, bool)) else "a text, or an element of a list"
        case "is" | "is_not":
            return "" if value is not None else "a value; what is not there is asked for with exists"
        case _:
            return f"one of {', '.join(OPERATORS)}"


def _invalid(errors: list[FieldError]) -> Invalid:
    return Invalid("the catalog is not valid", code="invalid_catalog", errors=errors)
