"""Promotions: codes are left to be given out."""

from __future__ import annotations

from kizuna.runtime.doctor import Question, sql

QUESTIONS = [
    Question(
        name="promotion_codes_low",
        invariant=0,
        ask=sql(
            """SELECT p.workspace, p.promotion, 1 FROM promotion_pool p
               JOIN definition d ON d.workspace = p.workspace AND d.kind = 'promotion' AND d.name = p.promotion
                    AND d.retired IS NULL
               CROSS JOIN LATERAL (SELECT count(*) AS free FROM (
                   SELECT FROM promotion_code c WHERE c.workspace = p.workspace AND c.promotion = p.promotion
                   AND c.state = 'free' LIMIT p.total / 10 + 1) few) f
               WHERE p.total > 0 AND f.free <= p.total / 10"""
        ),
        advice="promotion with a tenth of its codes left, or less: add some before messages are skipped with no_code",
        is_watched=True,
        is_listing=True,
    ),
]
