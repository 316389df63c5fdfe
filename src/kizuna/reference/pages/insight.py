"""Metrics that can be asked."""

from __future__ import annotations

from kizuna.insight.metrics import all_metrics
from kizuna.reference.page import Page, code, table


def page() -> Page:
    rows = [(code(each.name), each.unit, each.definition) for each in all_metrics().values()]
    about = "What `GET /api/v1/insight/{metric}` knows. See [asking history](../guides/asking-history.md)."
    return Page("Insight", about, table(("metric", "unit", "definition"), rows))
