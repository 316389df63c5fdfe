"""Cells as their columns want them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from kizuna.core.errors import Invalid
from kizuna.imports.cells import convert
from kizuna.imports.map import Column


def column(kind: str = "", **options: str) -> Column:
    return Column("c", ("properties", "c"), kind, **options)


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        ("  ", column("number"), None),
        (None, column("text"), None),
        ("007", column(), "007"),
        ("007", column("number"), 7),
        ("-5", column("number"), -5),
        ("1,234.50", column("number"), Decimal("1234.50")),
        ("1.234,50", column("number", decimal=","), Decimal("1234.50")),
        ("1e3", column("number"), Decimal("1e3")),
        (12.5, column("number"), 12.5),
        ("Yes", column("boolean"), True),
        ("0", column("boolean"), False),
        (5, column("text"), "5"),
        (True, column("text"), "true"),
        ("31.12.2025", column("date", format="%d.%m.%Y"), "2025-12-31"),
        ("2025-12-31", column("date"), "2025-12-31"),
        (date(2025, 12, 31), column(), "2025-12-31"),
        ("2026-03-29 02:30", column("time", zone="Europe/Berlin"), "2026-03-29T01:30:00Z"),  # a gap
        ("2026-10-25 02:30", column("time", zone="Europe/Berlin"), "2026-10-25T00:30:00Z"),  # twice: the first
        ("12/1/2010 8:26", column("time", format="%m/%d/%Y %H:%M", zone="Asia/Tokyo"), "2010-11-30T23:26:00Z"),
        ("2026-01-01T00:00:00+09:00", column("time", zone="Europe/Berlin"), "2025-12-31T15:00:00Z"),
        ("1767225600", column("time", format="unix"), "2026-01-01T00:00:00Z"),
        ("1767225600123", column("time", format="unix_ms"), "2026-01-01T00:00:00.123Z"),
        (datetime(2026, 1, 1, tzinfo=UTC), column("time"), "2026-01-01T00:00:00Z"),
        (datetime(2026, 1, 1), column("time", zone="Asia/Tokyo"), "2025-12-31T15:00:00Z"),
        ('[{"sku": "a"}]', column("json"), [{"sku": "a"}]),
        ({"at": date(2026, 1, 1)}, column(), {"at": "2026-01-01"}),
        (float("nan"), column("number"), None),
    ],
)  # fmt: skip
def test_values_become_what_was_asked(value: Any, wanted: Column, expected: Any) -> None:
    assert convert(value, wanted, "UTC") == expected


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("abc", column("number")), ("1,23,4", column("number")), ("9" * 100, column("number")),
        ("١٢", column("number")), (True, column("number")),
        ("maybe", column("boolean")), ("31.02.2025", column("date", format="%d.%m.%Y")),
        ("soon", column("time")), ("-1", column("time", format="unix")), ("1e300", column("time", format="unix")),
        ("0001-01-01", column("time", format="%Y-%m-%d", zone="Asia/Tokyo")), ("{", column("json")),
        ("[" * 5000, column("json")), (b"\xff", column()), ("x" * 1000, column("date")),
    ],
)  # fmt: skip
def test_what_it_is_not_is_refused(value: Any, wanted: Column) -> None:
    with pytest.raises(Invalid):
        convert(value, wanted, "UTC")
