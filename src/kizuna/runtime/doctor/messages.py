"""Messages: each is claimed in time, comes to an end, and was sent once."""

# ruff: noqa: S608  # statements put together from our own words

from __future__ import annotations

from kizuna.runtime.doctor import NOW, Question, sql

STATE_BITS, HANDED, SENT = 31, 2, 7  # of an entry of a message's history: instant << 5 | number of the state
_OPEN = "('planned', 'claimed', 'handed')"
_KNOWN = (
    "('planned', 'claimed', 'handed', 'unknown', 'expired', 'skipped', 'rejected', 'sent', 'delivered', 'opened',"
    " 'clicked', 'bounced', 'unsubscribed', 'complained')"
)
_NOT_PAUSED = (  # what is paused waits until it is resumed
    "NOT EXISTS (SELECT FROM definition d WHERE d.workspace = m.workspace AND d.retired IS NULL AND d.status = 'paused'"
    " AND (d.kind, d.name) IN (('campaign', m.campaign), ('journey', m.journey), ('sending', m.channel)))"
)
_UNLOCKED = "NOT EXISTS (SELECT FROM installation WHERE sending_locked_at IS NOT NULL)"  # a restored copy waits

_WAITS_FOR_US = f"{_UNLOCKED} AND {_NOT_PAUSED}"

# the clocks are read once, not for each message
_CLOCKS = f"""
WITH w AS MATERIALIZED (
    SELECT w.id, {NOW} - %(grace)s AS latest, real_now() - %(grace)s AS really FROM workspace w
)"""

QUESTIONS = [
    Question(
        name="messages_unclaimed",
        invariant=6,
        ask=sql(
            f"""{_CLOCKS} SELECT w.id, '', count(*) FROM w JOIN message m ON m.workspace = w.id
                WHERE m.state IN {_OPEN} AND m.due_at < w.latest
                AND (m.state <> 'handed' OR m.lease_until < w.really) AND {_WAITS_FOR_US} GROUP BY w.id"""
        ),
        advice="messages are due and not claimed: is `kizuna send` running, and does their provider answer?",
        is_watched=True,
    ),
    Question(
        name="messages_unended",
        invariant=5,
        ask=sql(
            f"""{_CLOCKS} SELECT w.id, '', count(*) FROM w JOIN message m ON m.workspace = w.id
                WHERE m.state IN {_OPEN} AND m.expires_at < w.latest - %(grace)s AND {_WAITS_FOR_US}
                AND (m.state <> 'handed' OR m.lease_until IS NOT NULL)  -- people have it
                GROUP BY w.id"""
        ),
        advice="messages are past their time and did not expire: is `kizuna send` running?",
        is_watched=True,
    ),
    Question(
        name="messages_in_no_state",
        invariant=5,
        ask=sql(
            "SELECT workspace, '', count(*) FROM message {sample:message}"
            f" WHERE state NOT IN {_KNOWN} GROUP BY workspace"
        ),
        advice="messages are in a state that does not exist",
    ),
    Question(
        name="messages_granted_twice",
        invariant=5,
        ask=sql(
            """SELECT workspace, '', count(*) FROM (
                   SELECT m.workspace FROM message m JOIN (
                       SELECT DISTINCT workspace, profile FROM message {sample:message} LIMIT 2000
                   ) s ON s.workspace = m.workspace AND s.profile = m.profile
                   GROUP BY m.workspace, m.profile, m.purpose, m.occurrence, m.channel HAVING count(*) > 1
               ) twice GROUP BY workspace"""
        ),
        advice="messages exist twice for one purpose, profile, occurrence and channel",
    ),
    Question(
        name="messages_sent_twice",
        invariant=5,
        ask=sql(
            f"""SELECT workspace, '', count(*) FROM message {{sample:message}} WHERE NOT transactional
                AND (SELECT count(*) FROM unnest(history) AS passed WHERE passed & {STATE_BITS} = {SENT}) > 1
                GROUP BY workspace"""
        ),
        advice="marketing messages were sent more than once",
    ),
]
