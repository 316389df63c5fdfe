from __future__ import annotations

from typing import Any

import pytest

from kizuna.core.errors import Invalid
from kizuna.fetches.credential import Credential, is_for

HOSTS = ["api.example.com"]


@pytest.mark.parametrize(
    "said",
    [
        {"hosts": [], "token": "t"}, {"hosts": HOSTS}, {"hosts": HOSTS, "username": "u"},
        {"hosts": HOSTS, "token": "t", "username": "u", "password": "p"}, {"hosts": HOSTS, "token": "a\r\nX: y"},
        {"hosts": ["https://api.example.com"], "token": "t"}, {"hosts": ["*"], "token": "t"},
        {"hosts": HOSTS, "username": "a:b", "password": "p"},
    ],
)  # fmt: skip
def test_a_credential_that_cannot_be_shown_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        Credential(**said).check()


def test_it_is_shown_as_a_header_to_its_hosts_alone() -> None:
    assert Credential(hosts=HOSTS, token="abc").authorization == "Bearer abc"  # no secret
    assert Credential(hosts=HOSTS, username="a", password="b").authorization == "Basic YTpi"
    assert is_for("https://API.example.com/x", HOSTS)
    assert not any(
        is_for(url, HOSTS)
        for url in ("https://example.com/", "https://api.example.com.evil.example/", "https://x/@api.example.com")
    )
