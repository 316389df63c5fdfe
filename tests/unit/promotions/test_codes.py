from __future__ import annotations

import random

import pytest

from kizuna.core.errors import Invalid
from kizuna.promotions.codes import ALPHABET, Wanted, brought, made


def test_codes_are_made_each_once_without_signs_that_look_alike() -> None:
    codes = made(Wanted(count=500, prefix="SP-", length=6), random.Random(1).choice)
    assert len(set(codes)) == 500
    assert all(code.startswith("SP-") and len(code) == 9 and set(code[3:]) <= set(ALPHABET) for code in codes)
    assert not set(ALPHABET) & set("0O1ILIl5S8B2ZaeiouAEIOU") - {"2", "8"}


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(count=0), Wanted(count=10**6), Wanted(count=1, alphabet="A"), Wanted(count=1, alphabet="A B"),
        Wanted(count=1, length=3), Wanted(count=1, length=65), Wanted(count=1, prefix="a b"),
        Wanted(count=1000, length=4), Wanted(count=1, prefix="x" * 60, length=8),
    ],
)  # fmt: skip
def test_codes_that_could_be_guessed_or_not_be_said_are_refused(wanted: Wanted) -> None:
    with pytest.raises(Invalid) as error:
        made(wanted)
    assert error.value.code == "invalid_codes"


def test_codes_are_brought_each_once() -> None:
    assert brought(["A", "B", "A"]) == ["A", "B"]
    with pytest.raises(Invalid):
        brought(["A", "", "C D", 5])
