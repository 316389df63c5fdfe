"""No timer is due and unfired beyond the grace."""

# ruff: noqa: S608  # statements put together from our own words

from __future__ import annotations

from kizuna.runtime.doctor import NOW, Question, sql

QUESTIONS = [
    Question(
        name="timers_unfired",
        invariant=6,
        ask=sql(
            # the clock is read once: an index cannot be asked for what is another value at each look
            f"""WITH w AS MATERIALIZED (SELECT w.id, {NOW} - %(grace)s AS latest FROM workspace w)
                SELECT w.id, '', sum(due.n)::bigint FROM log_head h JOIN w ON w.id = h.workspace CROSS JOIN LATERAL (
                    SELECT count(*) AS n FROM (
                        SELECT FROM alarm a WHERE a.workspace = h.workspace AND a.partition = h.partition
                        AND a.at < w.latest ORDER BY a.at LIMIT 1000) AS unfired
                ) due WHERE due.n > 0 GROUP BY w.id"""
        ),
        advice="timers are due and not fired: is `kizuna work` running?",
        is_watched=True,
    )
]
