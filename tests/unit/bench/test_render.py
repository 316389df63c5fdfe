from __future__ import annotations

from kizuna.bench.render import data, our_renderer, their_renderer


def test_the_reference_mail_is_the_same_by_both_renderers() -> None:
    ours, theirs = our_renderer(), their_renderer()
    for number in range(6):
        assert ours(data(number)) == theirs(data(number))
