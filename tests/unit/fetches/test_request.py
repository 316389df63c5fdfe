from __future__ import annotations

import pytest

from kizuna.fetches.request import Answer


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'{"a\u0000": "\u0000b\u0000\u0000"}', {"a": "b"}),
        (rb'["\\u0000", "\\\u0000"]', ["\\u0000", "\\"]),
        (b"a\x00b", "ab"),
    ],
)
def test_what_an_answer_says_holds_no_nul(body: bytes, value: object) -> None:
    assert Answer(200, "application/json", body).value() == value
