"""Elements of an array that no decoder takes as a whole."""

from __future__ import annotations

import pytest

from kizuna.core.errors import Invalid
from kizuna.events.wires.brackets import MOST_MARKS, array_elements, batches


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        (b"]", []),
        (b" ]", []),
        (b"1, 2 ,3]", [b"1", b"2", b"3"]),
        (b'{"a":[1,{"b":2}]},[[],[3]]]', [b'{"a":[1,{"b":2}]}', b"[[],[3]]"]),
        (b'"a,]}","\\"]","\\\\"]x]', [b'"a,]}"', b'"\\"]"', b'"\\\\"']),
        (b'{"\xff":NaN},{"t":"\\ud800"}]', [b'{"\xff":NaN}', b'{"t":"\\ud800"}']),
        (b"{]", None),
        (b"1,2", None),
        (b'"never closed]', None),
    ],
)
def test_elements_are_told_apart(text: bytes, elements: list[bytes] | None) -> None:
    found = array_elements(b"[" + text, 1)
    assert (found and found[0]) == elements


def test_the_rest_of_the_request_stays_readable() -> None:
    text = b'{"context":{"batch":[0]},"batch":[NaN,{"batch":[1]}],"sentAt":"x"}'
    assert list(batches(text)) == [
        ([b"0"], b'{"context":{"batch":[]},"batch":[NaN,{"batch":[1]}],"sentAt":"x"}'),
        ([b"NaN", b'{"batch":[1]}'], b'{"context":{"batch":[0]},"batch":[],"sentAt":"x"}'),
        ([b"1"], b'{"context":{"batch":[0]},"batch":[NaN,{"batch":[]}],"sentAt":"x"}'),
    ]


def test_too_many_brackets_are_not_counted_to_their_end() -> None:
    with pytest.raises(Invalid, match="too many parts"):
        array_elements(b"[" + b"[]," * MOST_MARKS, 1)
