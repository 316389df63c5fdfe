"""Active customers."""

from __future__ import annotations

from kizuna.insight.metrics import Metric

METRIC = Metric(
    name="active_customers",
    unit="customers",
    definition="Customers with at least one order in the period.",
    top="count(DISTINCT profile)",
)
