"""The Segment wire format at its edges: one bad event never costs its neighbours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kizuna.core import clock, ids
from kizuna.core.errors import Invalid
from kizuna.engine.moment import BACKFILL, CLOCK_AHEAD
from kizuna.events.wires import Decoded
from kizuna.events.wires.segment import Reader

NOW = 1_700_000_000 * clock.SECOND


def read(path: str, body: Any) -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reader(7, NOW, "Asia/Tokyo", 512 * 1024).read(path, raw)


def good(**more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "View", "userId": "ada", "messageId": "m1", **more}


def test_a_track_becomes_an_item_of_its_users_profile() -> None:
    [item] = read("track", {"event": "View", "userId": "ada", "messageId": "m1", "properties": {"n": 1.50}}).items
    assert item.profile == ids.profile_id(7, "user", "ada")
    assert (item.type, item.name, item.timestamp) == ("track", "View", NOW)
    assert item.properties == b'{"n": 1.5}'


def test_clock_skew_is_corrected() -> None:
    body = {"batch": [good(timestamp="2023-11-14T10:00:00Z")], "sentAt": "2023-11-14T10:00:30Z"}
    [item] = read("batch", body).items
    assert item.timestamp == NOW - 30 * clock.SECOND


def test_numbers_name_people_as_decimal_text() -> None:
    [item] = read("track", good(userId=12345)).items
    assert item.user_id == "12345"


def test_explicit_null_is_no_identity() -> None:
    [refused] = read("batch", {"batch": [good(userId=None, anonymousId=None)]}).refused
    assert refused.code == "no_identity"


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b'{"type":"track","event":"x","userId":"a","properties":{"n":NaN}}', "invalid_json"),
        (b'{"type":"track","event":"x","userId":"a","properties":{"t":"\\ud800"}}', "invalid_json"),
        (b'{"type":"track","event":"x","userId":"a","properties":{"t":"\\u0000"}}', "invalid_text"),
        (b'{"type":"track","event":"x","userId":"a","properties":{"n":1e999}}', "invalid_number"),
        (b'{"type":"track","event":"x","userId":"a","properties":' + b'{"d":' * 40 + b"1" + b"}" * 41, "too_deep"),
        (b'{"type":"track","event":"x","userId":"a","properties":' + b'{"d":' * 9000 + b"1" + b"}" * 9001, None),
        (b'{"type":"track","event":"x","userId":"a","properties":{"t":"\xff"}}', "invalid_json"),
        (b'{"type":"track","userId":"a"}', "no_event"),
        (b'{"type":"dance","userId":"a"}', "invalid_type"),
        (b'{"type":"track","event":{"a":1},"userId":"a"}', "invalid_item"),
        (b'{"type":"track","event":"x","userId":"a","properties":[1]}', "invalid_item"),
        (b'{"type":"track","event":"x","userId":"a","properties":{"t":"' + b"x" * 600_000 + b'"}}', "too_large"),
        (b"17", "invalid_item"),
    ],
)
def test_a_bad_event_is_refused_beside_good_ones(bad: bytes, code: str | None) -> None:
    first, last = json.dumps(good()).encode(), json.dumps(good(messageId="m2")).encode()
    decoded = read("batch", b'{"batch":[' + first + b"," + bad + b"," + last + b"]}")
    assert [item.id for item in decoded.items] == ["m1", "m2"]
    [refused] = decoded.refused
    assert refused.index == 1
    assert code is None or refused.code == code


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"batch":', b"null", b"\x1f\x8b", b'{"batch":{}}'])
def test_an_unreadable_body_is_refused_whole(body: bytes) -> None:
    with pytest.raises(Invalid):
        read("batch", body)


def test_page_and_screen_are_events_with_a_name() -> None:
    [item] = read("page", {"userId": "ada", "name": "Home", "properties": {"url": "/"}}).items
    assert item.name == "Page Viewed"
    assert json.loads(item.properties) == {"name": "Home", "url": "/"}


def test_batch_context_is_merged_and_the_item_wins() -> None:
    body = {"batch": [good(context={"locale": "ja"})], "context": {"locale": "en", "timezone": "Asia/Tokyo"}}
    [item] = read("batch", body).items
    assert json.loads(item.context) == {"locale": "ja", "timezone": "Asia/Tokyo"}


def test_backfill_and_future_are_flagged() -> None:
    ahead = clock.show(NOW + 6 * clock.MINUTE)
    body = {"batch": [good(timestamp=ahead)], "integrations": {"Kizuna": {"backfill": True}}}
    [item] = read("batch", body).items
    assert item.flags == BACKFILL | CLOCK_AHEAD


def test_a_local_time_without_offset_is_read_in_the_workspaces_zone() -> None:
    [item] = read("track", good(timestamp="2023-11-14T19:00:00")).items
    assert clock.show(item.timestamp) == "2023-11-14T10:00:00Z"
