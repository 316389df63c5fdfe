from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.core.entities import unescape


@given(st.lists(st.sampled_from(["&", "#", "0", "1", "65", "x41", ";", "amp", "&#", "a", "9999999"])).map("".join))
def test_it_reads_what_the_library_reads(text: str) -> None:
    assert unescape(text) == html.unescape(text)


@pytest.mark.parametrize(
    ("text", "read"),
    [("&#" + "1" * 5000 + ";", "\ufffd"), ("&#" + "0" * 5000 + "65;b", "Ab"), ("&#" + "0" * 5000 + ";", "\ufffd")],
)
def test_numbers_of_any_length_are_read(text: str, read: str) -> None:
    assert unescape(text) == read
