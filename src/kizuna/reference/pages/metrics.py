"""Figures of `/metrics`."""

from __future__ import annotations

from kizuna.reference.page import Page, code, table
from kizuna.reference.source import measures


def page() -> Page:
    about = (
        "What `GET /metrics` answers for Prometheus, labelled with the id of the workspace; beside it what its client "
        "library says of the process and of Python."
    )
    return Page("Metrics", about, table(("name", "meaning"), [(code(each.name), each.about) for each in measures()]))
