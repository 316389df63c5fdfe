from __future__ import annotations

import pytest

from kizuna.paper.address import PostalAddress, of_text, of_traits

TOKYO = PostalAddress(
    name="山田 太郎", line1="丸の内1-9-1", city="千代田区", region="東京都", postal_code="1000005", country="JP"
)


def test_both_spellings_are_read() -> None:
    ours = {"line1": "Weg 1", "city": "Bonn", "region": "NW", "postal_code": 53111, "country": "de"}
    segment = {"street": "Weg 1", "city": "Bonn", "state": "NW", "postalCode": "53111", "country": "DE"}
    found = of_traits({"name": "Ada", "address": ours})
    assert found == of_traits({"first_name": "Ada", "address": segment})
    assert found is not None
    assert found.is_valid
    assert of_traits({"name": "Ada", "address": "Weg 1"}) is None
    assert of_traits({"name": "Ada"}) is None


def test_text_is_read_back() -> None:
    assert of_text(TOKYO.text) == TOKYO
    assert of_text(PostalAddress().text) == PostalAddress()


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("name", ""), ("line1", ""), ("postal_code", "100"), ("country", ""), ("country", "Japan"), ("line2", "a\tb"),
        ("line1", "x" * 61),
    ],
)  # fmt: skip
def test_addresses_that_cannot_be(part: str, value: str) -> None:
    parts = {name: getattr(TOKYO, name) for name in TOKYO.__struct_fields__}
    assert PostalAddress(**parts).is_valid
    assert not PostalAddress(**{**parts, part: value}).is_valid


def test_lines_follow_the_country() -> None:
    assert TOKYO.lines("JP") == ["〒100-0005", "東京都千代田区丸の内1-9-1", "山田 太郎 様"]
    company = PostalAddress(company="絆", line1="1", city="港区", postal_code="105-0001", country="JP")
    assert company.lines("JP")[-1] == "絆 御中"
    bonn = PostalAddress(name="Ada", line1="Weg 1", city="Bonn", postal_code="53111", country="DE")
    assert bonn.lines("DE") == ["Ada", "Weg 1", "53111 Bonn"]
    assert bonn.lines("JP")[-1] == "DE"
    york = PostalAddress(name="Ada", line1="1 Main St", city="York", region="PA", postal_code="17401", country="US")
    assert york.lines() == ["Ada", "1 Main St", "York PA 17401", "US"]
