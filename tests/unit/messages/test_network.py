"""Networks without people: those known have a source and a day, others are a workspace's, and none holds everybody."""

from __future__ import annotations

from datetime import date

import pytest

from kizuna.core.errors import Invalid
from kizuna.messages.network import SCANNERS, is_scanner, read


def test_each_says_where_it_was_read_and_when() -> None:
    for scanner in SCANNERS:
        assert scanner.source.startswith("https://")
        assert date.fromisoformat(scanner.as_of)
        assert scanner.networks
        assert all(str(read(each)) == each for each in scanner.networks)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("40.91.255.255", False), ("40.92.0.0", True), ("40.93.255.255", True), ("40.94.0.0", False),
        ("209.222.79.255", False), ("209.222.87.255", True), ("209.222.88.0", False),
        ("::ffff:209.222.80.1", True), ("2a01:111:f403::1", True), ("2a01:111:f404::1", False),
        ("", False), ("testclient", False), ("40.92.0", False), ("127.0.0.1", False),
    ],
)  # fmt: skip
def test_an_address_is_of_a_known_network_up_to_its_edges(address: str, expected: bool) -> None:
    assert is_scanner(address) is expected


def test_a_workspace_has_its_own() -> None:
    own = ["192.0.2.0/25", "2001:db8::/32", "203.0.113.7"]
    assert [is_scanner(each, own) for each in ("192.0.2.127", "192.0.2.128", "2001:db8::1", "203.0.113.7")] == [
        True, False, True, True,
    ]  # fmt: skip
    assert not is_scanner("192.0.2.1")


@pytest.mark.parametrize(
    "text", ["", "x", "192.0.2.1/24", "0.0.0.0/0", "10.0.0.0/7", "::/0", "2000::/15", "192.0.2.0/33"]
)
def test_what_is_no_network_or_holds_everybody_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as error:
        read(text)
    assert error.value.code == "invalid_network"
