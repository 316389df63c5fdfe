"""New rules get their history in time."""

from __future__ import annotations

from kizuna.runtime.doctor import Question, sql

QUESTIONS = [
    Question(
        name="fills_waiting",
        invariant=6,
        ask=sql(
            """SELECT f.workspace, coalesce(d.name, ''), 1 FROM fill f JOIN workspace w ON w.id = f.workspace
               LEFT JOIN definition d ON d.workspace = f.workspace AND d.introduced = f.program
               WHERE f.state = 'waiting' AND w.clock = 'live'
               AND coalesce(d.published_at, 0) < real_now() - 10 * %(grace)s"""
        ),
        advice="definitions wait for their history for ten minutes: is `kizuna archive` running?",
        is_watched=True,
    )
]
