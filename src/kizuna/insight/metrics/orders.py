"""Orders."""

from __future__ import annotations

from kizuna.insight.metrics import Metric

METRIC = Metric(
    name="orders",
    unit="orders",
    definition="Orders completed in the period and not cancelled; one order id is one order.",
    top="count(*)",
)
