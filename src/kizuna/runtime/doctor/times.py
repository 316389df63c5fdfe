"""Times: zones that exist, and a clock that did not step back."""

# ruff: noqa: S608  # statements put together from our own words

from __future__ import annotations

from collections.abc import Iterator

from kizuna.core import clock
from kizuna.core.errors import Invalid
from kizuna.runtime.doctor import NOW, Finding, Patient, Question, sql


def unknown_zones(patient: Patient) -> Iterator[Finding]:
    for workspace, zone in patient.connection.execute("SELECT id, zone FROM workspace"):
        try:
            clock.zone_info(zone)
        except Invalid:
            yield Finding(workspace, zone)


QUESTIONS = [
    Question(
        name="zones_unknown",
        invariant=9,
        ask=unknown_zones,
        advice="workspaces are in a zone that this machine's tz database does not know",
    ),
    Question(
        name="log_ahead_of_clock",
        invariant=9,
        ask=sql(
            "SELECT w.id, '', count(*) FROM log_head h JOIN workspace w ON w.id = h.workspace"
            f" WHERE h.at > {NOW} + %(grace)s GROUP BY w.id"
        ),
        advice="partitions of the log are ahead of the clock: did the clock of the database's machine step back?",
        is_watched=True,
    ),
]
