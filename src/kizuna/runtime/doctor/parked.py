"""Profiles that could not be folded, and events that were refused in masses."""

from __future__ import annotations

from kizuna.runtime.doctor import Question, sql

QUESTIONS = [
    Question(
        name="profiles_parked",
        invariant=2,
        ask=sql("SELECT DISTINCT workspace, 'prf_' || encode(profile, 'hex'), 1 FROM parked LIMIT 100"),
        advice="profiles are parked because folding them raised: table `parked` has the errors;"
        " `kizuna resume-profile` when the cause is gone",
        is_watched=True,
    ),
    Question(
        name="events_refused",
        invariant=10,
        ask=sql(
            """SELECT w.id, '', 1000 FROM workspace w CROSS JOIN LATERAL (
                   SELECT at FROM rejected r WHERE r.workspace = w.id ORDER BY id DESC OFFSET 999 LIMIT 1
               ) r WHERE w.clock = 'live' AND r.at > real_now() - 3600000000"""
        ),
        advice="or more events were refused within an hour: GET /api/v1/rejected says why",
        is_watched=True,
        is_listing=True,
    ),
]
