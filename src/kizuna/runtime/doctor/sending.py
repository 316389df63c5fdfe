"""Whether this is a restored copy that does not send, and what receivers refuse."""

# ruff: noqa: S608  # statements put together from our own words

from __future__ import annotations

from kizuna.runtime.doctor import NOW, Question, sql

_REFUSED = f"""
WITH w AS MATERIALIZED (SELECT w.id, {NOW} - 86400000000 AS since FROM workspace w)
SELECT m.workspace, {{subject}}, count(*) FROM harm h JOIN w ON w.id = h.workspace AND h.at > w.since
JOIN message m ON m.workspace = h.workspace AND m.id = h.message WHERE h.what = '{{what}}' GROUP BY 1, 2
"""  # of the last day

QUESTIONS = [
    Question(
        name="sending_locked",
        invariant=0,
        ask=sql("SELECT 0, '', 1 FROM installation WHERE sending_locked_at IS NOT NULL"),
        advice="copy restored: sending is locked until `kizuna unlock-sending` says that it is the original",
        is_listing=True,
    ),
    Question(
        name="templates_refused",
        invariant=0,
        ask=sql(_REFUSED.format(subject="m.template", what="refused_content")),
        advice="messages of a template were refused within a day for what they say, or for their size",
        is_watched=True,
        is_listing=True,
    ),
    Question(
        name="senders_refused",
        invariant=0,
        ask=sql(_REFUSED.format(subject="coalesce(m.provider, m.channel)", what="refused_sender")),
        advice="messages were refused within a day for who sends them: blocked, not authenticated, or of bad repute",
        is_watched=True,
        is_listing=True,
    ),
]
