from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kizuna.core import clock
from kizuna.letters.batch import Cut, Waiting, cut
from kizuna.providers.letters import Settings

HOURS = st.lists(st.integers(0, 24 * 20), max_size=30).map(sorted)


def waiting(hours: list[int]) -> list[Waiting]:
    return [Waiting(number.to_bytes(2, "big"), hour * clock.HOUR) for number, hour in enumerate(hours)]


@given(HOURS, st.integers(0, 5), st.sampled_from(("", "17:00", "00:00")), st.booleans(), st.integers(0, 24 * 25))
def test_each_letter_is_in_one_batch_or_waits(
    hours: list[int], count: int, daily: str, by_hand: bool, now: int
) -> None:
    letters = [each for each in waiting(hours) if each.handed_at <= now * clock.HOUR]
    settings = Settings(close_at=daily, close_count=count)
    cuts = cut(letters, settings, "Asia/Tokyo", now * clock.HOUR, by_hand=by_hand)
    together = [message for each in cuts for message in each.messages]
    assert together == [each.message for each in letters[: len(together)]]  # in order, none twice
    assert all(each.messages and (not count or len(each.messages) <= count) for each in cuts)
    assert all(each.closed_at <= now * clock.HOUR for each in cuts)
    if by_hand:
        assert len(together) == len(letters)


@given(HOURS, st.integers(0, 5), st.sampled_from(("", "17:00", "00:00")), st.integers(0, 480), st.integers(0, 480))
def test_to_look_in_between_changes_nothing(hours: list[int], count: int, daily: str, first: int, more: int) -> None:
    settings = Settings(close_at=daily, close_count=count)

    def closed(letters: list[Waiting], now: int) -> list[Cut]:
        there = [each for each in letters if each.handed_at <= now * clock.HOUR]
        return cut(there, settings, "Asia/Tokyo", now * clock.HOUR, by_hand=False)

    letters = waiting(hours)
    early = closed(letters, first)
    left = letters[sum(len(each.messages) for each in early) :]
    assert early + closed(left, first + more) == closed(letters, first + more)


def test_what_comes_at_the_closing_time_is_of_the_next_batch() -> None:
    letters = waiting([7, 8, 9])  # 17:00 in Tokyo is 8:00 UTC
    settings = Settings(close_at="17:00")
    found = cut(letters, settings, "Asia/Tokyo", 30 * clock.HOUR, by_hand=False)
    assert [(each.messages, each.closed_at) for each in found] == [([letters[0].message], 8 * clock.HOUR)]
