"""Average order value."""

from __future__ import annotations

from kizuna.insight.metrics import Metric

METRIC = Metric(
    name="aov",
    unit="money per order",
    definition="Value of the orders divided by their number; free orders count, cancelled ones do not.",
    top="sum(amount)",
    below="count(amount)",
    n="count(amount)",
)
