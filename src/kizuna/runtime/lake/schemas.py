"""The columns of the lake's two tables."""

from __future__ import annotations

from arro3.core import DataType, Field, Schema

TEXT, LONG, INT = DataType.utf8(), DataType.int64(), DataType.int32()

EVENTS = Schema(
    [
        Field("profile", TEXT),  # the outer id it was said to; `identity` leads to whom that is now
        Field("partition", INT),
        Field("offset", LONG),
        Field("index", INT),
        Field("id", TEXT),
        Field("type", TEXT),
        Field("event", TEXT),
        Field("timestamp", LONG),
        Field("received_at", LONG),
        Field("logged_at", LONG),
        Field("properties", TEXT),
        Field("context", TEXT),
        Field("user_id", TEXT),
        Field("anonymous_id", TEXT),
        Field("caused_by", TEXT),
        Field("flags", INT),
        Field("month", TEXT),  # UTC month of `timestamp`: the partition column
    ]
)
PROFILES = Schema(
    [
        Field("profile", TEXT),
        Field("merged_into", TEXT),  # set: this profile is from now on that one
        Field("traits", TEXT),
        Field("zone", TEXT),
        Field("locale", TEXT),
        Field("user_id", TEXT),
        Field("timestamp", LONG),
        Field("logged_at", LONG),
        Field("partition", INT),
        Field("offset", LONG),
        Field("index", INT),
    ]
)
