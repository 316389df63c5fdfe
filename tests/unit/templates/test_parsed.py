"""Templates are kept by use, within bounds, and compiled when they are used often."""

from __future__ import annotations

from kizuna.templates.parsed import COMPILED_AT, Shelf


def test_a_template_is_parsed_once_and_compiled_when_used_often() -> None:
    shelf = Shelf()
    parsed = shelf.parsed("{{ a }}", True)
    assert shelf.parsed("{{ a }}", True) is parsed
    assert [parsed.compiled() is None for _ in range(COMPILED_AT)] == [True] * (COMPILED_AT - 1) + [False]


def test_escaping_and_partials_make_another_template_of_it() -> None:
    shelf = Shelf()
    kept = [shelf.parsed("{{ a }}", True), shelf.parsed("{{ a }}", False), shelf.parsed("{{ a }}", True, {"p": "x"})]
    assert len(set(map(id, kept))) == 3


def test_those_used_longest_ago_leave_when_there_are_too_many_or_too_long() -> None:
    shelf = Shelf(most=2, most_characters=10)
    first = shelf.parsed("a", True)
    shelf.parsed("b", True)
    assert shelf.parsed("a", True) is first
    shelf.parsed("c", True)
    assert shelf.parsed("a", True) is first
    shelf.parsed("x" * 10, True)
    assert shelf.parsed("a", True) is not first
