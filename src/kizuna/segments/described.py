"""The forms and operators of rules in words; a test holds them to what is read."""

from __future__ import annotations

_PLACE = "`count` `within` `where` as for `did`"

FORMS = {  # by form: an example, and when it is true
    "all": ('{"all": [RULE, ...]}', "every rule is true; an empty list is true"),
    "any": ('{"any": [RULE, ...]}', "one rule is true; an empty list is false"),
    "not": ('{"not": RULE}', "the rule is false"),
    "trait": ('{"trait": "plan", "is": "gold"}', "a trait (a dotted path) passes the operators"),
    "did": (
        '{"did": "Order Completed", "count": {"gte": 2}, "within": "30d", "where": PROPS}',
        "the number of such events, in `(now - within, now]` or `between` two instants, meets `count` (1 or more)",
    ),
    "did_not": ('{"did_not": "App Opened", "within": "7d"}', "there is no such event"),
    "sum": (
        '{"sum": {"event": "Order Completed", "property": "total"}, "gte": 100}',
        "the sum of a property; 0 of none",
    ),
    "avg": ('{"avg": {"event": E, "property": "total"}, "gte": 100}', "the mean of a property; false of none"),
    "min": ('{"min": {"event": E, "property": "total"}, "lt": 10}', "the least of a property; false of none"),
    "max": ('{"max": {"event": E, "property": "total"}, "gte": 100}', "the greatest of a property; false of none"),
    "distinct": ('{"distinct": {"event": E, "property": "sku"}, "gte": 3}', "how many different values; 0 of none"),
    "last": ('{"last": {"event": E, "property": "plan"}, "is": "gold"}', "a property of the latest such event"),
    "first": ('{"first": {"event": E, "property": "plan"}, "is": "gold"}', "a property of the earliest such event"),
    "sequence": (
        '{"sequence": [{"did": "A"}, {"did": "B", "within": "3d"}], "within": "30d"}',
        "each event comes strictly after the one before, at most its `within` later",
    ),
    "received": (
        '{"received": {"channel": "email", "campaign": "may"}, "within": "14d"}',
        f"a message of ours was sent; {_PLACE}",
    ),
    "opened": ('{"opened": {"channel": "email"}, "within": "14d"}', f"a message was opened by a person; {_PLACE}"),
    "clicked": ('{"clicked": {"journey": "welcome"}}', f"a link in a message was followed by a person; {_PLACE}"),
    "replied": ('{"replied": {"channel": "sms"}}', f"the customer answered; {_PLACE}"),
    "in_segment": ('{"in_segment": "vip"}', "member of that segment now"),
    "listed": ('{"listed": "vip"}', "named by the uploaded list of that segment; it stands in no rule of your own"),
    "consent": (
        '{"consent": {"channel": "email", "topic": "news"}, "is": "opted_in"}',
        "the state of the topic, or of the channel where none is named",
    ),
    "bucket": (
        '{"bucket": {"salt": "x", "from": 0, "to": 1000}}',
        "the customer's stable random bucket of 0 to 9999 lies in it",
    ),
}

OPERATORS = {  # by operator: what it takes, and when it is true
    "is": ("a value", "the same JSON value; a number and numeric text are the same by value"),
    "is_not": ("a value", "not the same; also where nothing is there"),
    "in": ("a list", "the same as one of them"),
    "not_in": ("a list", "the same as none of them; also where nothing is there"),
    "gt": ("a number", "greater"),
    "gte": ("a number", "greater or the same"),
    "lt": ("a number", "less"),
    "lte": ("a number", "less or the same"),
    "between": ("two numbers or two times", "within, both numbers included; of times the second is not"),
    "contains": ("a value", "the text has it within, or the list has it as an element"),
    "not_contains": ("a value", "it has not; also where nothing is there"),
    "starts_with": ("text", "the text begins so"),
    "ends_with": ("text", "the text ends so"),
    "matches": ("an RE2 pattern", "the pattern is found anywhere in the text, in linear time"),
    "exists": ("true or false", "something is there, or is not"),
    "before": ("a time or date", "strictly earlier"),
    "after": ("a time or date", "strictly later"),
    "within_last": ("a duration", "in `(now - duration, now]`"),
    "within_next": ("a duration", "in `[now, now + duration)`"),
    "anniversary": ('`{"within_next": "7d"}`', "month and day come up within so many local days, today the first"),
}
