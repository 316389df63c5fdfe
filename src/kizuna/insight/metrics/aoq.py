"""Average order quantity."""

from __future__ import annotations

from kizuna.insight.metrics import Metric

METRIC = Metric(
    name="aoq",
    unit="units per order",
    definition="Units bought, less units returned, divided by orders.",
    top="sum(units)",
    below="count(*)",
)
