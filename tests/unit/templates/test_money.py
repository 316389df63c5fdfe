from __future__ import annotations

import pytest

from kizuna.templates.render import render_text


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("{{ 1234.5 | currency: 'USD' }}", "$1,234.50"), ("{{ 1234.5 | currency }}", "¥1,235"),
        ("{{ -3 | currency: 'EUR' }}", "-€3.00"), ("{{ 1980 | currency: 'JPY', 'ja' }}", "1,980円"),
        ("{{ 5 | currency: 'chf' }}", "CHF\u00a05.00"), ("{{ 'x' | currency: 'USD' }}", "x"),
        ("{{ 1234567.891 | number_format }}", "1,234,567.891"), ("{{ 2 | number_format: 2 }}", "2.00"),
        ("{{ 2.5 | number_format: 0 }}", "3"), ("{{ 1000 | number_format }}", "1,000"),
        ("{{ '1e400' | number_format }}", "1e400"), ("{{ nil | number_format }}", ""),
    ],
)  # fmt: skip
def test_numbers_are_written_as_people_write_them(source: str, wanted: str) -> None:
    assert render_text(source, {"workspace": {"currency": "JPY"}}) == wanted
