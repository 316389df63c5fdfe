from __future__ import annotations

from typing import Any

import pytest

from kizuna.core.errors import Invalid
from kizuna.messages.seed_list import MOST_ADDRESSES, parse


def test_a_list_of_addresses() -> None:
    assert parse("ours", {"addresses": ["a@b.example"]}).addresses == ["a@b.example"]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"addresses": []}, {"addresses": ["nobody"]}, {"addresses": ["a@b.example"], "more": 1},
        {"addresses": [f"a{n}@b.example" for n in range(MOST_ADDRESSES + 1)]},
    ],
)  # fmt: skip
def test_what_is_no_seed_list(body: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        parse("ours", body)
