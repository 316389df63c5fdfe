"""Orders per buyer."""

from __future__ import annotations

from kizuna.insight.metrics import Metric

METRIC = Metric(
    name="purchase_frequency",
    unit="orders per customer",
    definition="Orders divided by customers who ordered.",
    top="sum(orders)",
    below="count(*)",
    rows="(SELECT bucket, part, profile, count(*) AS orders FROM counted GROUP BY ALL)",
)
