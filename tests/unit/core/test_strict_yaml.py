"""Strict YAML."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.core.errors import Invalid
from kizuna.core.strict_yaml import decode, encode

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
    | st.sampled_from(
        ["on", "yes", "21:00", "2026-12-24", "007", "1e3", "~", "<<", "=", "a: b", "- x", "#", " x ", "a\n b\n"]
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_what_is_written_reads_as_it_was(value: Any) -> None:
    written = encode(value)
    assert decode(written.encode()) == _exact(value)
    assert encode(decode(written.encode())) == written


def _exact(value: Any) -> Any:
    match value:
        case dict():
            return {key: _exact(inner) for key, inner in value.items()}
        case list():
            return [_exact(each) for each in value]
        case float():
            return Decimal(str(value))
    return value


def test_words_and_times_of_day_are_text() -> None:
    read = decode(b"on: yes\nat: 21:00\nday: 2026-12-24\nsku: 007\nphone: +81901\nrate: 1.50\nis: true\nnone:\n")
    assert read == {
        "on": "yes", "at": "21:00", "day": "2026-12-24", "sku": "007", "phone": "+81901",
        "rate": Decimal("1.50"), "is": True, "none": None,
    }  # fmt: skip


def test_other_programs_read_the_values_alike() -> None:
    value = {"at": "21:00", "word": "yes", "day": "2026-12-24", "steps": [{"id": "a", "days": 1}]}
    assert yaml.safe_load(encode(value)) == value


def test_lines_are_a_block() -> None:
    assert encode({"body": "<p>\n  Hello\n</p>\n"}) == "body: |\n  <p>\n    Hello\n  </p>\n"
    assert encode({"steps": [{"id": "a"}]}) == "steps:\n  - id: a\n"


@pytest.mark.parametrize(
    ("document", "line"),
    [
        (b"a: 1\na: 2\n", "line 2"),
        (b"a: 1\nb: !!python/object/apply:os.system ['true']\n", "line 2"),
        (b"a: [1\n", "line 2"),
        (b"a: &x {b: 1}\nc:\n  <<: *x\n", "line 3"),
        (b"? [1, 2]\n: 3\n", "line 1"),
        (b"a: 1\n--- \nb: 2\n", "line 2"),
        (b"a: &x [*x]\n", "line 1"),
        (b"a: \xff\n", "not UTF-8"),
        (b"a: '\x00'\n", ""),
        (b"a: 1e999\n", "64-bit"),
        (b"a: " + b"9" * 500, "64-bit"),
    ],
)
def test_what_json_cannot_say_is_refused_with_its_line(document: bytes, line: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode(document)
    assert line in str(refused.value)


@pytest.mark.parametrize(
    "bomb",
    [
        b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 12)),
        b"[" * 100_000,
        b"{a: " * 100_000,
        b"- " * 100_000,
        b"- x\n" * 300_000,
        b"x" * (3 << 20),
        b"&a " * 100_000,
    ],
    ids=["aliases", "lists", "objects", "items", "many", "large", "anchors"],
)
def test_a_bomb_costs_little_and_is_refused(bomb: bytes) -> None:
    started = time.process_time()
    with pytest.raises(Invalid):
        decode(bomb)
    assert time.process_time() - started < 5
