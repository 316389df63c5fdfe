"""What a test bears of its own: the template does not see it, and a customer's message has none of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kizuna.core import ids
from kizuna.messages import rehearsal
from kizuna.messages.message import Claimed
from kizuna.messages.rehearsal import CopyOf, packed, packed_copy

ADA = bytes(range(16))
COPY = CopyOf("sale", "lch_1", "b", ADA, "ja")


def claimed(data: dict[str, Any], *, is_test: bool = True) -> Claimed:
    return Claimed(
        1, bytes(16), bytes(16), "email", "hello", 1, None, True, None, None, None, None, None, data, None, 0, 0, 0, 0,
        0, None, None, "a@x.example", is_test,
    )  # fmt: skip


def test_a_test_lends_traits_and_a_copy_names_a_customer() -> None:
    test, copy = claimed(packed({"code": 1}, "[T] ", {"name": "Ada"})), claimed(packed_copy({"code": 1}, "", COPY))
    assert (rehearsal.shown_as(test), rehearsal.sample_of(test)) == ({"name": "Ada"}, None)
    assert (rehearsal.shown_as(copy), rehearsal.sample_of(copy)) == ({}, (ADA, "ja"))
    assert rehearsal.data_of(test) == rehearsal.data_of(copy) == {"code": 1}
    assert (rehearsal.marked(test, "Hi"), rehearsal.marked(copy, "Hi")) == ("[T] Hi", "Hi")


def test_a_copy_says_what_it_is_of() -> None:
    copy = claimed(packed_copy({}, "", COPY))
    assert rehearsal.part_of(copy) == {"campaign": "sale", "launch": "lch_1", "variant": "b"}
    assert rehearsal.headers(copy) == {"X-Kizuna-Test": "yes", "X-Kizuna-Seed": "lch_1"}
    assert rehearsal.headers(claimed(packed({}, "", {}))) == {"X-Kizuna-Test": "yes"}


def test_what_others_put_under_our_name_means_nothing() -> None:
    message = claimed(packed_copy({}, "[T] ", COPY), is_test=False)
    assert (rehearsal.sample_of(message), rehearsal.part_of(message), rehearsal.shown_as(message)) == (None, {}, {})
    assert rehearsal.marked(message, "Hi") == "Hi"
    assert rehearsal.data_of(message) == message.data


def test_a_sample_that_is_no_id_is_nobody() -> None:
    assert rehearsal.sample_of(claimed({rehearsal.OURS: {"sample": "ada", "locale": ""}})) is None


@pytest.mark.parametrize(("mark", "is_good"), [("", True), ("試" * 50, True), ("x" * 51, False), ("a\nb", False)])
def test_a_mark_is_short_and_of_one_line(mark: str, is_good: bool) -> None:
    assert rehearsal.is_marked_well(mark) is is_good


def test_each_has_a_record_of_its_own() -> None:
    first, second = (rehearsal.item_of(1, "a@x.example", {"data": {}}, 5, each) for each in ("evt_1", "evt_2"))
    assert first.profile != second.profile
    said = msgspec.json.decode(first.properties)
    assert (said["to"], said["test"], said["transactional"]) == ("a@x.example", True, True)
    assert ids.show("prf", first.profile)
