"""Whether this is a restored copy that does not send."""

from __future__ import annotations

from kizuna.runtime.doctor import Question, sql

QUESTIONS = [
    Question(
        name="sending_locked",
        invariant=0,
        ask=sql("SELECT 0, '', 1 FROM installation WHERE sending_locked_at IS NOT NULL"),
        advice="copy restored: sending is locked until `kizuna unlock-sending` says that it is the original",
        is_listing=True,
    )
]
