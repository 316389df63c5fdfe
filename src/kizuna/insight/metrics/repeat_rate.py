"""Repeat purchase rate."""

from __future__ import annotations

from kizuna.insight.metrics import Metric

METRIC = Metric(
    name="repeat_rate",
    unit="share",
    definition="Customers with at least two orders in the period divided by customers with at least one.",
    top="count(*) FILTER (WHERE orders >= 2)",
    below="count(*)",
    rows="(SELECT bucket, part, profile, count(*) AS orders FROM counted GROUP BY ALL)",
)
