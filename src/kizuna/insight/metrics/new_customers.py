"""New customers."""

from __future__ import annotations

from kizuna.insight.metrics import Metric

METRIC = Metric(
    name="new_customers",
    unit="customers",
    definition="Customers whose first order ever, cancelled ones aside, falls in the period.",
    top="count(*) FILTER (WHERE nth = 1)",
    n="count(DISTINCT profile)",
)
