"""What the workers counted, as the outside sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from kizuna.segments.values import number

IN_ALL = ("entered", "active", "completed", "goal")
BY_STEP = ("entered", "waiting", "left")


# A sum of money in two counters of whole numbers, so that neither its fractions are lost nor 64 bits overflow.
VALUE_HIGH, VALUE_LOW = "value:high", "value:low"  # thousands, and millionths of one
_LOW = 10**9
_MOST = Decimal(10) ** 12  # what is more, or has more than six digits after the point, is no money


def value_counters(value: Any) -> dict[str, int]:
    """What the value of a met goal adds to the journey's counters; a value that is no number adds nothing."""
    found = number(value)
    if found is None or abs(found) >= _MOST:
        return {}
    high, low = divmod(int(found * 1_000_000), _LOW)
    return {VALUE_HIGH: high, VALUE_LOW: low}


def counts_of(counted: Mapping[str, int], steps: Iterable[str], *, has_value: bool = False) -> dict[str, Any]:
    """`counted` by name within the journey, such as `step:mail:entered`; every one of `steps` is shown.

    `value` is the sum of the values of met goals, where the journey has such.
    """
    by_step: dict[str, dict[str, int]] = {step: dict.fromkeys(BY_STEP, 0) for step in steps}
    exited: dict[str, int] = {}
    for name, count in counted.items():
        what, _, rest = name.partition(":")
        if what == "exited":
            exited[rest] = count
        elif what == "step":
            step, _, counter = rest.rpartition(":")
            by_step.setdefault(step, dict.fromkeys(BY_STEP, 0))[counter] = count
    worth = (counted.get(VALUE_HIGH, 0) * _LOW + counted.get(VALUE_LOW, 0)) * Decimal("0.000001")
    value = {"value": f"{worth.normalize():f}"} if has_value or worth else {}
    return {**{name: counted.get(name, 0) for name in IN_ALL}, **value, "exited": exited, "steps": by_step}
