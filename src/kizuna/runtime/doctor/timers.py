"""No timer is due and unfired beyond the grace."""

# ruff: noqa: S608  # statements put together from our own words

from __future__ import annotations

from kizuna.runtime.doctor import NOW, Question, sql

QUESTIONS = [
    Question(
        name="timers_unfired",
        invariant=6,
        ask=sql(
            f"""SELECT w.id, '', sum(due.n)::bigint FROM log_head h JOIN workspace w ON w.id = h.workspace
                CROSS JOIN LATERAL (
                    SELECT count(*) AS n FROM (
                        SELECT FROM profile p WHERE p.workspace = h.workspace AND p.partition = h.partition
                        AND p.wake_at < {NOW} - %(grace)s LIMIT 1000) AS unfired
                ) due WHERE due.n > 0 GROUP BY w.id"""
        ),
        advice="timers are due and not fired: is `kizuna work` running?",
        is_watched=True,
    )
]
