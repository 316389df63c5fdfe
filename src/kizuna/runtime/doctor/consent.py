"""No message without consent: opt-outs are folded, and nothing went to a suppressed address."""

# ruff: noqa: S608  # statements put together from our own words

from __future__ import annotations

from kizuna.runtime.doctor import Question, sql
from kizuna.runtime.doctor.messages import HANDED, STATE_BITS

QUESTIONS = [
    Question(
        name="vetoes_unfolded",
        invariant=4,
        ask=sql(
            "SELECT workspace, '', count(*) FROM veto WHERE at < real_now() - %(grace)s"
            " AND NOT EXISTS (SELECT FROM parked p WHERE p.workspace = veto.workspace AND p.profile = veto.profile)"
            " GROUP BY workspace"
        ),
        advice="opt-outs were accepted and are not folded: is `kizuna work` running?",
        is_watched=True,
    ),
    Question(
        name="sent_to_suppressed",
        invariant=4,
        ask=sql(  # a bounce that waited in the log suppresses from its own instant on: some minutes are let pass
            f"""SELECT m.workspace, '', count(*) FROM message m {{sample:message}}
                JOIN suppression s ON s.workspace = m.workspace AND s.channel = m.channel
                     AND s.address = lower(m.address)
                CROSS JOIN LATERAL unnest(m.history) AS passed
                WHERE passed & {STATE_BITS} = {HANDED} AND passed >> 5 > s.at + 5 * %(grace)s GROUP BY m.workspace"""
        ),
        advice="messages were handed over to an address that was suppressed before",
    ),
]
