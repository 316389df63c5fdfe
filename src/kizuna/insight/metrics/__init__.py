"""One file a metric: what it counts, in SQL over `counted`, and its definition in words.

`counted` has a row for each order of the period: order_id, profile, timestamp, amount (net or gross, NULL in a
currency that is not the workspace's), units, nth (1: the customer's first order ever), bucket, part.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import Literal

from msgspec import Struct

Unit = Literal["orders", "money", "money per order", "units per order", "share", "orders per customer", "customers"]


class Metric(Struct, frozen=True, kw_only=True):
    """`top` divided by `below` (nothing: `top` itself); `n` is what it rests on. All are SQL aggregates of `rows`."""

    name: str
    unit: Unit
    definition: str
    top: str
    below: str | None = None
    n: str = "count(*)"
    rows: str = "counted"

    @property
    def is_money(self) -> bool:
        return self.unit.startswith("money")


@cache
def all_metrics() -> dict[str, Metric]:
    """By name, as the folder lists them."""
    modules = (import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return {module.METRIC.name: module.METRIC for module in modules}
