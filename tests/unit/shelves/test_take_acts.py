from __future__ import annotations

import pytest

from kizuna.core import clock
from kizuna.core.clock import SECOND
from kizuna.messages.sql_shelf import Lying
from kizuna.shelves.take_acts import done

CARD = Lying(
    b"m" * 16, b"p" * 16, "card", "Title", "", None, 100 * SECOND, 900 * SECOND, None, None, None, False, "hello", None,
    None, None, None, None, None, False,
)  # fmt: skip


@pytest.mark.parametrize(("said", "at"), [(50, 100), (100, 100), (150, 150), (200, 200), (201, 200)])
def test_an_act_is_between_the_placing_and_now(said: int, at: int) -> None:
    assert done(CARD, "click", clock.show(said * SECOND), 200 * SECOND).at == at * SECOND


def test_what_is_no_time_is_now() -> None:
    for said in ("", "yesterday", "9999999-01-01", "2026-02-30T00:00:00Z"):
        assert done(CARD, "click", said, 200 * SECOND).at == 200 * SECOND


def test_buttons_are_clicked_and_few() -> None:
    assert done(CARD, "click", "", 0, "b1").is_possible
    assert done(CARD, "click", "", 0, None).is_possible
    assert not done(CARD, "click", "", 0, "b6").is_possible
    assert not done(CARD, "dismiss", "", 0, "b1").is_possible


def test_the_same_act_has_the_same_key() -> None:
    keys = {done(CARD, act, "", 0, button).key for act, button in (("click", None), ("click", "b1"), ("read", None))}
    assert len(keys) == 3
    assert done(CARD, "click", "", 5, "b1").key in keys
