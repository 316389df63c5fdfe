from __future__ import annotations

from typing import Any

import pytest

from kizuna.providers.report import number, part, text


def test_untrusted_json_is_looked_into_without_trust() -> None:
    said = {"a": {"b": "x\x00y", "n": "12.5", "list": [1]}}
    assert text(said, "a", "b") == "xy"
    assert number(said, "a", "n") == 12.5
    assert part(said, "a", "list", "b") is None
    assert part("text", "a") is None
    assert text(said, "a", "list") == ""


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", 10**400, True, None, [], "soon"])
def test_what_is_no_number_is_none(value: Any) -> None:
    assert number({"at": value}, "at") == 0.0
