"""Revenue."""

from __future__ import annotations

from kizuna.insight.metrics import Metric

METRIC = Metric(
    name="revenue",
    unit="money",
    definition="Value of the orders of the period: after discount, before shipping and tax; net of refunds.",
    top="coalesce(sum(amount), 0)",
    n="count(amount)",
)
