from __future__ import annotations

import pytest

from kizuna.core.errors import Invalid
from kizuna.providers.json_body import json_body


@pytest.mark.parametrize("said", ["Hello", "[Sale] Hello", "{Name}さん", "", "[1, 2]", "12"])
def test_words_are_words(said: str) -> None:
    assert json_body(said) is None


def test_objects_and_lists_of_them_are_read() -> None:
    assert json_body(' {"type": "text"}\n') == {"type": "text"}
    assert json_body('[\n {"type": "text"}]') == [{"type": "text"}]


@pytest.mark.parametrize("said", ['{"type": "text"', '[{"a": 1}', '{"a":' + "[" * 100_000])
def test_broken_json_is_said_to_nobody(said: str) -> None:
    with pytest.raises(Invalid):
        json_body(said)
