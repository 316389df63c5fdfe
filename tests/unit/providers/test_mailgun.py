from __future__ import annotations

import msgspec
import pytest

from kizuna.providers.mailgun import Settings


@pytest.mark.parametrize("domain", ["", "https://mg.shop.example", "mg.shop.example/"])
def test_what_their_api_would_take_for_another_page_is_no_domain(domain: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="a domain, such as"):
        msgspec.convert({"key": "k", "domain": domain, "from": "a@b.example"}, Settings)
