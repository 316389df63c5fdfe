from __future__ import annotations

from typing import Any

import pytest

from kizuna.core.clock import read_time
from kizuna.core.errors import Invalid
from kizuna.promotions.promotion import read


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"per_profile": 0}, "/per_profile"), ({"until": "soon"}, "/until"), ({"minimum": -1}, "/minimum"),
        ({"minimum": "NaN"}, "/minimum"), ({"minimum": "1e99"}, "/minimum"),
        ({"x": 1}, "/x"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(body: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as error:
        read(body)
    assert [each.pointer for each in error.value.errors] == [pointer]


def test_it_is_open_from_its_beginning_until_its_end() -> None:
    promotion = read({"from": "2026-05-01T00:00:00Z", "until": "2026-06-01T00:00:00Z"})
    ends = [("2026-04-30T23:59:59Z", False), ("2026-05-01T00:00:00Z", True), ("2026-06-01T00:00:00Z", False)]
    assert [promotion.is_open(read_time(at) or 0) for at, _ in ends] == [is_open for _, is_open in ends]
    assert read({}).is_open(0)
