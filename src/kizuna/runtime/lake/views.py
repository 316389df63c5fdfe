"""The tables a question sees, as SQL over the lake's files and the log's tail. Instants are microseconds in UTC.

events       what was said to each customer, under the customer's present id; `arrival` breaks ties in time
profiles     each customer's traits as last known; records merged away are absent
memberships  who is in which segment now
consents     the last word per channel and topic
messages     one row a message, with the first instant of each state
orders       one row an order, by the rules of the Order events; money is exact
refunds      one row an Order Refunded; `order_id` need not be of an order we know
"""

# ruff: noqa: S608  (SQL is put together from this file's own text; values are parameters)

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_SAID = (
    'profile, partition, "offset", "index", id, type, event, timestamp, received_at, logged_at, properties, context, '
    "user_id, anonymous_id, caused_by, flags"
)
_CHANGE = 'profile, merged_into, traits, zone, locale, user_id, timestamp, logged_at, partition, "offset", "index"'


def said(files: Sequence[Path]) -> str:
    """Items as they were said: of the files, and of the tail beyond what the files hold."""
    tail = f"""SELECT {_SAID} FROM tail_events t
        WHERE t."offset" > coalesce((SELECT a."offset" FROM archived a WHERE a.partition = t.partition), 0)"""
    return f"SELECT {_SAID} FROM {_parquet(files)} UNION ALL {tail}" if files else tail


def changes(files: Sequence[Path]) -> str:
    """Changes of profiles; a row may come twice, so only the latest by key means anything."""
    tail = f"SELECT {_CHANGE} FROM tail_changes"
    return f"SELECT {_CHANGE} FROM {_parquet(files)} UNION ALL {tail}" if files else tail


# Whom each merged-away record belongs to now: merges may follow each other.
IDENTITY = """
WITH RECURSIVE merges AS (
    SELECT profile, arg_max(merged_into, (logged_at, "offset", "index")) AS merged_into
    FROM changes WHERE merged_into IS NOT NULL AND merged_into <> profile GROUP BY profile
), walk AS (
    SELECT profile, merged_into AS canonical, 1 AS depth FROM merges
    UNION ALL
    SELECT w.profile, m.merged_into, w.depth + 1 FROM walk w JOIN merges m ON m.profile = w.canonical WHERE w.depth < 64
)
SELECT profile, arg_max(canonical, depth) AS canonical FROM walk GROUP BY profile
"""

_SAID_NOW = 's."offset", s."index", s.partition, s.id, s.type, s.event, s.timestamp, s.received_at, s.logged_at'


def events(*, merged: bool) -> str:
    """Events under the customer's present id; without merges the join is left out."""
    profile = "coalesce(i.canonical, s.profile)" if merged else "s.profile"
    join = "LEFT JOIN identity i ON i.profile = s.profile" if merged else ""
    return f"""
    SELECT {profile} AS profile, s.profile AS said_to, {_SAID_NOW}, s.properties, s.context, s.user_id, s.anonymous_id,
           s.caused_by, s.flags, (s.logged_at - 1577836800000000) * 4096 + least(s."index", 4095) AS arrival
    FROM said s {join}"""


MACROS = [
    # Numbers as JSON writes them, also in text; what cannot be money (twelve digits before the point) is none.
    r"""CREATE TEMP MACRO num(t) AS CASE WHEN regexp_matches(t, '^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?$')
        THEN try_cast(t AS DECIMAL(18, 6)) END""",
    """CREATE TEMP MACRO lines(properties) AS
        from_json(json_extract(properties, '$.products'), '[{"price": "VARCHAR", "quantity": "VARCHAR"}]')""",
    """CREATE TEMP MACRO lines_value(products) AS list_sum(list_transform(products, lambda p:
        CAST(num(p.price) * coalesce(num(p.quantity), 1) AS DECIMAL(30, 6))))""",
    """CREATE TEMP MACRO lines_units(products) AS
        list_sum(list_transform(products, lambda p: coalesce(num(p.quantity), 1)))""",
    # revenue; else subtotal; else total - shipping - tax; else the lines less the discount
    """CREATE TEMP MACRO order_value(v, products) AS coalesce(
        num(v[2]), num(v[3]), num(v[4]) - coalesce(num(v[5]), 0) - coalesce(num(v[6]), 0),
        try_cast(lines_value(products) - coalesce(num(v[7]), 0) AS DECIMAL(18, 6)))""",
    # Of one refund: its lines; else its share of the order's total; else all that is left
    """CREATE TEMP MACRO refund_value(total, products, value, order_total) AS coalesce(
        try_cast(lines_value(products) AS DECIMAL(18, 6)),
        CASE WHEN order_total > 0 AND total IS NOT NULL
             THEN try_cast(round(CAST(total * value AS DECIMAL(38, 12)) / order_total, 6) AS DECIMAL(18, 6)) END,
        total, value)""",
]

_ORDER_EVENTS = """
order_events AS (
    SELECT event, profile, timestamp, arrival, coalesce(nullif(v[1], ''), id) AS order_id, v,
           lines(properties) AS products
    FROM (
        SELECT *, json_extract_string(properties, ['$.order_id', '$.revenue', '$.subtotal', '$.total', '$.shipping',
                                                   '$.tax', '$.discount', '$.currency']) AS v
        FROM events WHERE type = 'track'
             AND event IN ('Order Completed', 'Order Updated', 'Order Cancelled', 'Order Refunded')
    )
), opened AS (
    SELECT * FROM order_events WHERE event = 'Order Completed'
    QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY timestamp, arrival) = 1
), updated AS (
    SELECT * FROM order_events WHERE event = 'Order Updated'
    QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY timestamp DESC, arrival DESC) = 1
), valued AS (
    SELECT o.order_id, o.profile, o.timestamp, o.arrival, coalesce(upper(u.v[8]), upper(o.v[8])) AS currency,
           coalesce(order_value(u.v, u.products), order_value(o.v, o.products), 0) AS value,
           coalesce(num(u.v[4]), num(o.v[4])) AS total,
           coalesce(lines_units(u.products), lines_units(o.products), 0) AS units
    FROM opened o LEFT JOIN updated u USING (order_id)
), refunded AS (
    SELECT r.order_id, r.profile, r.timestamp, r.arrival, upper(r.v[8]) AS currency, o.order_id IS NOT NULL AS known,
           coalesce(refund_value(num(r.v[4]), r.products, o.value, o.total), 0) AS amount,
           coalesce(lines_units(r.products), 0) AS units
    FROM order_events r LEFT JOIN valued o USING (order_id) WHERE r.event = 'Order Refunded'
)"""

ORDERS = f"""
WITH {_ORDER_EVENTS}
SELECT o.order_id, o.profile, o.timestamp, o.arrival, o.currency, o.value, o.units - coalesce(r.units, 0) AS units,
       least(coalesce(r.amount, 0), o.value) AS refund, o.value - least(coalesce(r.amount, 0), o.value) AS net,
       coalesce(r.amount, 0) > o.value AS over_refund
FROM valued o
LEFT JOIN (SELECT order_id, sum(amount) AS amount, sum(units) AS units FROM refunded GROUP BY order_id) r
     USING (order_id)
WHERE o.order_id NOT IN (SELECT order_id FROM order_events WHERE event = 'Order Cancelled')
"""

REFUNDS = (
    f"WITH {_ORDER_EVENTS} SELECT order_id, profile, timestamp, arrival, currency, amount, units, known FROM refunded"
)


def some_profiles(among: str = "") -> str:
    """`profiles`, of those alone that a `SELECT profile` names: chosen before their changes are grouped."""
    chosen = f"changes JOIN ({among}) USING (profile)" if among else "changes"
    return f"""
SELECT profile, last.traits AS traits, last.zone AS zone, last.locale AS locale, last.user_id AS user_id,
       created_at, updated_at
FROM (
    SELECT profile, min(logged_at) AS created_at, max(logged_at) AS updated_at,
           arg_max({{'traits': traits, 'zone': zone, 'locale': locale, 'user_id': user_id}},
                   (logged_at, "offset", "index")) AS last
    FROM {chosen} WHERE merged_into IS NULL GROUP BY profile
) WHERE profile NOT IN (SELECT profile FROM identity)
"""


# A membership goes on when its holder is joined to another record, unless that one leaves afterwards.
MEMBERSHIPS = """
WITH latest AS (
    SELECT profile, json_extract_string(properties, '$.segment') AS segment,
           arg_max(event, (logged_at, "offset", "index")) AS last,
           arg_max(timestamp, (logged_at, "offset", "index")) AS entered_at,
           max((logged_at, "offset", "index")) AS place
    FROM said WHERE type = 'fact' AND event IN ('segment_entered', 'segment_left') GROUP BY ALL
), joins AS (
    SELECT profile, max((logged_at, "offset", "index")) AS place
    FROM changes WHERE merged_into IS NOT NULL GROUP BY profile
), brought AS (
    SELECT i.canonical AS profile, l.segment, l.entered_at, j.place
    FROM latest l JOIN identity i USING (profile) JOIN joins j USING (profile) WHERE l.last = 'segment_entered'
)
SELECT profile, segment, min(entered_at) AS entered_at FROM (
    SELECT profile, segment, entered_at FROM latest
    WHERE last = 'segment_entered' AND profile NOT IN (SELECT profile FROM identity)
    UNION ALL
    SELECT b.profile, b.segment, b.entered_at FROM brought b
    LEFT JOIN latest l ON l.profile = b.profile AND l.segment = b.segment
    WHERE l.profile IS NULL OR l.last = 'segment_entered' OR l.place < b.place
) GROUP BY profile, segment
"""

CONSENTS = """
SELECT profile, channel, topic, arg_max(state, (timestamp, arrival)) AS state, max(timestamp) AS changed_at
FROM (
    SELECT *, json_extract_string(properties, '$.channel') AS channel,
           coalesce(json_extract_string(properties, '$.topic'), '') AS topic,
           json_extract_string(properties, '$.state') AS state
    FROM events WHERE type = 'fact' AND event = 'consent_changed'
) GROUP BY profile, channel, topic
"""

_STATES = [
    *("planned", "skipped", "sent", "delivered", "bounced", "opened", "clicked", "unsubscribed", "complained"),
    *("rejected", "expired", "unknown"),
]
_AT = ", ".join(f"min(timestamp) FILTER (WHERE state = '{state}') AS {state}_at" for state in _STATES)

# What machines open or click is no engagement, and what members send to look at it no message.
MESSAGES = f"""
WITH restated AS (
    SELECT unnest(json_extract_string(properties, '$.items[*].id')) AS item
    FROM events WHERE type = 'report' AND event = 'message_restated'
)
SELECT message, arg_min(profile, arrival) AS profile, any_value(v[2]) AS channel, any_value(v[3]) AS template,
       any_value(v[4]) AS journey, any_value(v[5]) AS campaign, any_value(v[6]) AS variant, any_value(v[7]) AS run,
       any_value(v[8]) AS step, any_value(v[9]) AS topic,
       arg_max(v[10], (timestamp, arrival)) FILTER (WHERE v[10] IS NOT NULL) AS reason,
       arg_max(state, (state <> 'planned', timestamp, arrival)) AS state, {_AT}
FROM (
    SELECT *, v[1] AS message, substr(event, 9) AS state FROM (
        SELECT *, json_extract_string(properties, ['$.message', '$.channel', '$.template', '$.journey', '$.campaign',
               '$.variant', '$.run', '$.step', '$.topic', '$.reason', '$.actor', '$.test']) AS v
        FROM events WHERE type IN ('fact', 'report') AND starts_with(event, 'message_') AND event <> 'message_restated'
             AND NOT (event IN ('message_opened', 'message_clicked') AND id IN (SELECT item FROM restated))
    )
)
WHERE message IS NOT NULL AND NOT (state IN ('opened', 'clicked') AND coalesce(v[11], 'human') <> 'human')
      AND v[12] IS NULL
GROUP BY message
"""

VIEWS = {
    "profiles": some_profiles(),
    "memberships": MEMBERSHIPS,
    "consents": CONSENTS,
    "messages": MESSAGES,
    "orders": ORDERS,
    "refunds": REFUNDS,
}


def _parquet(files: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(quoted(file) for file in files)}], hive_partitioning = false)"


def quoted(path: Path) -> str:
    """A path as an SQL literal in which DuckDB sees no pattern."""
    text = str(path).replace("'", "''")
    for sign in "[*?":
        text = text.replace(sign, f"[{sign}]")
    return f"'{text}'"
