"""Two ways to read a batch, at once and item by item, come to the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kizuna.core import clock
from kizuna.core.errors import Invalid
from kizuna.events.wires import Decoded
from kizuna.events.wires.segment import Reader

NOW = 1_700_000_000 * clock.SECOND
LARGEST = 4096


class Patient(Reader):
    """Reads item by item, always."""

    def at_once(self, body: bytes) -> Decoded | None:
        return None


def nested(levels: int, kind: str = "{") -> str:
    return '{"d":' * levels + "1" + "}" * levels if kind == "{" else "[" * levels + "]" * levels


GOOD = '"type":"track","event":"View","userId":"ada","messageId":"m"'
ODD = [
    nested(30), nested(31), nested(32), nested(33), nested(31, "["), nested(40, "["), nested(3000),
    "{" + '"a":{},' * 40 + '"b":1}', "[" + "{}," * 40 + "{}]", '"{{{{[[[["', '"' + "{" * 40 + '"',
    "null", "true", "17", "1.5", "[]", "{}", '{"a":1}', ' {"a" : [1, 2.50] } ',
    "NaN", "1e999", "1e-999", "9" * 250, "9" * 250 + "e99", "9" * 400, "12345", "12345.0", "-0.0",
    '"\\u0000"', '{"a\\u0000":1}', '"\\ud800"', '"\\ud83d\\ude00"', '"絆"', '"\x01"', '"\x00"', '"\\x"',
    '" "', '""', '" ada "', '"' + "x" * 300 + '"', '"' + "y" * 5000 + '"', "tru", "1,", "]", "}", "[",
    '{"Kizuna":{"backfill":true}}', '{"Kizuna":{"backfill":false}}', '{"Kizuna":null}', '{"Kizuna":',
    '"2023-11-14T10:00:00Z"', '"2023-11-14T10:00:00.123456+09:00"', '"2023-11-14"', '"soon"',
    "1700000000", "1700000000123", "-5", "1e30",
    '"identify"', '"page"', '"screen"', '"group"', '"alias"', '"dance"',
]  # fmt: skip
FIELDS = [
    "type", "messageId", "userId", "anonymousId", "previousId", "groupId", "event", "name", "category", "timestamp",
    "originalTimestamp", "sentAt", "writeKey", "properties", "traits", "context", "integrations", "unknown",
]  # fmt: skip
SHARED = ["sentAt", "writeKey", "context", "integrations", "unknown", "batch"]


@st.composite
def members(draw: st.DrawFn, names: list[str], most: int) -> str:
    chosen = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(ODD)), max_size=most))
    return "".join(f',"{name}":{value}' for name, value in chosen)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Mostly good batches with something odd in a few places, and now and then a byte that is not what it was."""
    items = [
        "{" + GOOD + (draw(members(FIELDS, 3)) if draw(st.integers(0, 2)) == 0 else ',"properties":{"n":1}') + "}"
        for _ in range(draw(st.integers(0, 6)))
    ]
    items += draw(st.lists(st.sampled_from(ODD), max_size=1 if draw(st.integers(0, 4)) == 0 else 0))
    shared = draw(members(SHARED, 2)) if draw(st.booleans()) else ""
    body = bytearray(('{"batch":[' + ",".join(items) + "]" + shared + "}").encode())
    if draw(st.integers(0, 5)) == 0:
        body[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    return draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf", b" \n"])) + bytes(body)


def outcome(reader: type[Reader], body: bytes) -> Any:
    try:
        found = reader(7, NOW, "Asia/Tokyo", LARGEST, b"seed").read("batch", body)
    except Invalid as error:
        return error.code, str(error)
    return found.items, found.refused, found.write_keys


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bodies())
def test_both_ways_come_to_the_same(body: bytes) -> None:
    assert outcome(Reader, body) == outcome(Patient, body)


@pytest.mark.parametrize("field", FIELDS)
def test_both_ways_take_one_odd_field_the_same(field: str) -> None:
    for odd in ODD:
        body = f'{{"batch":[{{{GOOD}}},{{{GOOD},"{field}":{odd}}},{{{GOOD}}}]}}'.encode()
        assert outcome(Reader, body) == outcome(Patient, body), odd


@pytest.mark.parametrize("field", SHARED)
def test_both_ways_take_one_odd_word_for_all_the_same(field: str) -> None:
    for odd in ODD:
        body = f'{{"batch":[{{{GOOD}}},{{{GOOD}}}],"{field}":{odd}}}'.encode()
        assert outcome(Reader, body) == outcome(Patient, body), odd


def test_what_clients_send_is_read_at_once() -> None:
    event = {"type": "track", "event": "View", "userId": "ada", "messageId": "m1", "timestamp": "2023-11-14T10:00:00Z"}
    sections = {"properties": {"products": [{"sku": "a"}]}, "context": {"library": {"name": "x"}}, "integrations": {}}
    body = json.dumps({"batch": [event | sections] * 100, "sentAt": "2023-11-14T10:00:01Z"}).encode()
    found = Reader(7, NOW, "UTC", 1 << 20).at_once(body)  # which way it went shows nowhere else
    assert found is not None
    assert len(found.items) == 100


def test_depth_that_hides_where_nothing_is_kept_is_not_read_at_once() -> None:
    body = ('{"batch":[{' + GOOD + ',"unknown":' + nested(32) + "}]}").encode()
    assert Reader(7, NOW, "UTC", 1 << 20).at_once(body) is None
    [refused] = Reader(7, NOW, "UTC", 1 << 20).read("batch", body).refused
    assert refused.code == "too_deep"


@pytest.mark.parametrize("number", ["1e999", "9" * 400, "9" * 250 + "e99", "0." + "9" * 250 + "e399"])
def test_a_number_beyond_a_float_is_refused_however_it_is_written(number: str) -> None:
    body = ('{"batch":[{' + GOOD + "},{" + GOOD + ',"properties":{"n":' + number + "}}]}").encode()
    found = Reader(7, NOW, "UTC", 1 << 20).read("batch", body)
    assert [(refused.index, refused.code) for refused in found.refused] == [(1, "invalid_number")]
