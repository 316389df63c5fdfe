from __future__ import annotations

from typing import Any

import pytest

from kizuna.consent.country import ZONES, country_of, country_of_number, zones_of
from kizuna.core import clock


@pytest.mark.parametrize(
    ("traits", "country"),
    [
        ({"country": "JP"}, "JP"),
        ({"country": " jp "}, "JP"),
        ({"country": "Japan"}, "JP"),
        ({"country": "日本"}, "JP"),
        ({"address": {"country": "us"}}, "US"),
        ({"country": "US", "phone": "+819012345678"}, "US"),
        ({"phone": "+819012345678"}, "JP"),
        ({"country": "Atlantis"}, ""),
        ({"country": 81, "address": "Tokyo"}, ""),
        ({}, ""),
    ],
)
def test_a_country_is_read_where_customers_write_it(traits: dict[str, Any], country: str) -> None:
    assert country_of(traits) == country


@pytest.mark.parametrize(
    ("phone", "country"),
    [
        ("+14155550100", "US"), ("+14165550100", "CA"), ("+16715550100", "US"), ("+819012345678", "JP"),
        ("+886912345678", "TW"), ("+8613812345678", "CN"), ("+99900000000", ""), ("0901234", ""), (None, ""),
    ],
)  # fmt: skip
def test_a_number_says_its_country(phone: Any, country: str) -> None:
    assert country_of_number(phone) == country


def test_where_somebody_may_live_is_every_zone_of_the_country() -> None:
    assert zones_of("JP", None) == ("Asia/Tokyo",)
    assert len(zones_of("US", "+14155550100")) == 7
    assert zones_of("US", "+16715550100") == ("Pacific/Guam",)
    assert zones_of("XX", "+14155550100") == ()
    for zones in ZONES.values():
        for zone in zones:
            clock.zone_info(zone)
