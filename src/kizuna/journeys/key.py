"""The key of a keyed journey: one run per value, such as an order's id."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from kizuna.core import exact_json
from kizuna.engine.moment import Moment


def key_of(path: str, moment: Moment) -> str | None:
    """The value an event carries at `properties.order_id`, as text; None when it carries none."""
    value: Any = {"properties": moment.properties}
    for part in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return None if value is None else text_of(value)


def text_of(value: Any) -> str:
    """One text per value: the number 7, 7.0 and the text `7` are the same key."""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
    return exact_json.encode(value).decode()


def concerns(path: str, key: str, moment: Moment) -> bool:
    """Whether an event is about the run with this key: one that carries no value concerns every run."""
    if not path:
        return True
    carried = key_of(path, moment)
    return carried is None or carried == key
