from __future__ import annotations

import pytest

from kizuna.calls.rule import OUTCOMES, after, check
from kizuna.core import clock
from kizuna.core.errors import Invalid
from kizuna.providers.call_list import Settings

NOW = 1_000 * clock.HOUR
SETTINGS = Settings(tries=3, spacing="4h")
EXPIRES = NOW + 4 * clock.HOUR


@pytest.mark.parametrize(
    ("outcome", "tries", "state", "left", "waits"),
    [
        ("reached", 1, "done", 1, 0), ("refused", 1, "done", 1, 0), ("wrong_number", 1, "done", 1, 0),
        ("do_not_call", 1, "done", 1, 0), ("no_answer", 1, "open", 1, 4), ("busy", 2, "open", 2, 4),
        ("no_answer", 3, "done", 3, 0), ("not_called", 1, "open", 0, 0), ("callback_at", 3, "open", 3, 2),
    ],
)  # fmt: skip
def test_what_comes_next(outcome: str, tries: int, state: str, left: int, waits: int) -> None:
    callback_at = NOW + 2 * clock.HOUR if outcome == "callback_at" else None
    then = after(outcome, tries, callback_at, SETTINGS, NOW, EXPIRES, "UTC")
    assert (then.state, then.tries, then.next_at) == (state, left, NOW + waits * clock.HOUR)


def test_an_outcome_is_one_of_ours_and_a_callback_lies_ahead() -> None:
    for outcome in OUTCOMES:
        check(outcome, EXPIRES if outcome == "callback_at" else None, NOW, EXPIRES)
    wrong = [
        ("maybe", None),
        ("callback_at", None),
        ("callback_at", NOW),
        ("callback_at", EXPIRES + 1),
        ("reached", NOW + 1),
    ]
    for outcome, callback_at in wrong:
        with pytest.raises(Invalid):
            check(outcome, callback_at, NOW, EXPIRES)


def test_what_cannot_be_tried_again_in_time_is_done() -> None:
    assert after("no_answer", 1, None, SETTINGS, NOW, EXPIRES - 1, "UTC").is_finished
