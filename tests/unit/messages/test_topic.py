"""Topics as written."""

from __future__ import annotations

import pytest

from kizuna.core.errors import Invalid
from kizuna.messages.topic import parse


@pytest.mark.parametrize("body", [{}, {"title": "News", "description": "Weekly", "default": "opt_in"}])
def test_a_topic_says_what_it_likes_to(body: dict[str, str]) -> None:
    parse("news", body)


@pytest.mark.parametrize(
    ("body", "pointer"), [({"default": "maybe"}, "/default"), ({"title": 7}, "/title"), ({"titel": "News"}, "/titel")]
)
def test_what_is_wrong_is_said_with_its_place(body: dict[str, object], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse("news", body)
    assert [each.pointer for each in refused.value.errors] == [pointer]


def test_a_topic_without_a_name_is_refused() -> None:
    with pytest.raises(Invalid):
        parse(" ", {})
