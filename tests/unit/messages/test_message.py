from __future__ import annotations

import pytest

from kizuna.messages.message import NUMBER, passed, read_passed, read_word, restated, written_as


@pytest.mark.parametrize("actor", ["human", "machine", "unsure"])
@pytest.mark.parametrize("state", ["opened", "clicked"])
def test_who_did_it_is_kept_in_the_history(state: str, actor: str) -> None:
    word, at = read_passed(passed(written_as(state, actor), 9))
    assert (read_word(word), at) == ((state, None if actor == "human" else actor), 9)


def test_every_state_has_a_number_of_its_own_that_fits() -> None:
    assert len(set(NUMBER.values())) == len(NUMBER)
    assert max(NUMBER.values()) < 32


def history(*words: str) -> list[int]:
    return [passed(word, at) for at, word in enumerate(words)]


@pytest.mark.parametrize(
    ("before", "acts", "after", "state"),
    [
        (("sent", "clicked"), [("clicked", 1)], ("sent", "machine_clicked"), "sent"),
        (("sent", "opened", "clicked"), [("clicked", 2)], ("sent", "opened", "machine_clicked"), "opened"),
        (("sent", "unsure_opened"), [("opened", 1)], ("sent", "machine_opened"), "sent"),
        (("sent", "clicked", "complained"), [("clicked", 1)], ("sent", "machine_clicked", "complained"), "complained"),
        (("sent", "clicked"), [("clicked", 7)], ("sent", "clicked"), "clicked"),
    ],
)
def test_what_was_a_machines_is_taken_back(
    before: tuple[str, ...], acts: list[tuple[str, int]], after: tuple[str, ...], state: str
) -> None:
    assert restated(history(*before), acts) == (history(*after), state)


def test_of_several_at_one_instant_only_so_many_are_taken_back() -> None:
    entries = [passed("sent", 0), passed("clicked", 3), passed("clicked", 3)]
    left, state = restated(entries, [("clicked", 3)])
    assert (sorted(read_passed(each)[0] for each in left), state) == (["clicked", "machine_clicked", "sent"], "clicked")
