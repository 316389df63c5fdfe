"""A cell's value as its column wants it."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from kizuna.core import clock, exact_json
from kizuna.core.errors import Invalid
from kizuna.imports.map import Column

LONGEST_NUMBER = 60
_NUMBER = re.compile(r"[-+]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?\Z", re.ASCII)
_COMMA_NUMBER = re.compile(r"[-+]?(?:\d+|\d{1,3}(?:[. ]\d{3})+)(?:,\d+)?\Z", re.ASCII)
_BOOLEANS = {
    "true": True, "yes": True, "y": True, "t": True, "1": True, "on": True,
    "false": False, "no": False, "n": False, "f": False, "0": False, "off": False,
}  # fmt: skip


def convert(value: Any, column: Column, zone: str) -> Any:
    """None for nothing; raises `Invalid` with the reason a row is rejected for. `zone` is the workspace's."""
    value = plain(value)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    match column.type:
        case "number":
            return _number(value, column.decimal)
        case "boolean":
            return _boolean(value)
        case "text":
            return _text(value)
        case "date":
            return _local(value, column, zone).date().isoformat()
        case "time":
            return clock.show(_instant(value, column, column.zone or zone))
        case "json":
            return exact_json.decode_checked(value.encode()) if isinstance(value, str) else value
    return clock.show(clock.to_instant(value)) if isinstance(value, datetime) else _dated(value)


def plain(value: Any) -> Any:
    """What JSON can say; times stay times. Raises `Invalid` for bytes."""
    match value:
        case float() if value != value or value in (float("inf"), float("-inf")):
            return None
        case Decimal() if not value.is_finite():
            return None
        case bytes() | bytearray() | memoryview():
            raise Invalid("it holds bytes, not text", code="binary")
        case UUID():
            return str(value)
        case timedelta():
            return value.total_seconds()
        case dict():
            return {str(key): _dated(plain(inner)) for key, inner in value.items()}
        case list() | tuple():
            return [_dated(plain(inner)) for inner in value]
    return value


def _dated(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date | time) else value


def _number(value: Any, decimal: str) -> Any:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if len(text) > LONGEST_NUMBER or not (_NUMBER if decimal == "." else _COMMA_NUMBER).match(text):
        raise Invalid(f"{_short(value)} is no number", code="invalid_number")
    text = text.replace(",", "") if decimal == "." else re.sub(r"[. ]", "", text).replace(",", ".")
    return int(text) if text.lstrip("+-").isdigit() else Decimal(text)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    found = _BOOLEANS.get(str(value).strip().lower())
    if found is None:
        raise Invalid(f"{_short(value)} is neither true nor false", code="invalid_boolean")
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return exact_json.encode(value).decode()
    return str(_dated(value))


def _instant(value: Any, column: Column, zone: str) -> int:
    form = column.format or "iso"
    if isinstance(value, datetime):
        return clock.to_instant(value) if value.tzinfo else clock.from_local(value, zone)
    if isinstance(value, date):
        return clock.from_local(datetime(value.year, value.month, value.day), zone)
    if form in ("unix", "unix_ms"):
        number = _number(value, ".")
        found = int(Decimal(str(number)) * (clock.SECOND if form == "unix" else 1000))
        if not 0 <= found <= clock.LAST_INSTANT:
            raise Invalid(f"{_short(value)} is no time", code="invalid_time")
        return found
    text = str(value).strip()
    if form == "iso":
        instant = clock.read_time(text, zone)
        if instant is None:
            raise Invalid(f"{_short(value)} is no time such as 2026-12-01T09:00:00Z", code="invalid_time")
        return instant
    local = _parsed(text, form)
    try:
        return clock.to_instant(local) if local.tzinfo else clock.from_local(local, zone)
    except (ValueError, OverflowError):
        raise Invalid(f"{_short(value)} is no time", code="invalid_time") from None


def _local(value: Any, column: Column, zone: str) -> datetime:
    """A date is what is written: no zone moves it."""
    if isinstance(value, datetime | date):
        return datetime(value.year, value.month, value.day)
    form = column.format or "iso"
    if form in ("unix", "unix_ms"):
        return clock.to_local(_instant(value, column, zone), column.zone or zone)
    return _parsed(str(value).strip(), "%Y-%m-%d" if form == "iso" else form)


def _parsed(text: str, form: str) -> datetime:
    try:
        if len(text) > 100:
            raise ValueError
        return datetime.strptime(text, form)
    except ValueError:
        raise Invalid(f"{_short(text)} is not of the form {form}", code="invalid_time") from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
