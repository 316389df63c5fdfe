"""A provider's domain is checked against a DNS server of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from kizuna.providers.dkim_key import signer
from kizuna.testing.dns_server import DnsServer
from kizuna.testing.keys import both_kinds


def test_each_record_is_said_as_it_is_and_as_it_should_be(open_house: Callable[..., Any]) -> None:
    keys = both_kinds("shop.example")
    record = signer(keys[1]).record()
    zone = {
        (record["name"], "TXT"): [f'"{record["value"]}"'],
        ("shop.example", "TXT"): ['"v=spf1 ip4:192.0.2.1 -all"'],
        ("shop.example", "MX"): ["10 mx.shop.example."],
    }
    with DnsServer(zone) as dns:
        house = open_house(dns_servers=dns.address)
        auth = house.bearer(house.workspace())
        settings = {"host": "127.0.0.1", "from": "Shop <news@shop.example>", "dkim": msgspec.to_builtins(keys)}
        put = house.client.put("/api/v1/providers/mail", json={"kind": "smtp", "settings": settings}, headers=auth)
        assert put.status_code == 200, put.text
        answer = house.client.post("/api/v1/providers/mail/check", json={"host": "192.0.2.1"}, headers=auth)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["domain"], found["ok"]) == ("shop.example", False)
    said = [(each["type"], each["ok"], (each["advice"] or {}).get("code")) for each in found["records"]]
    assert said == [
        ("TXT", True, None), ("TXT", False, "dkim_missing"), ("TXT", True, None), ("TXT", False, "dmarc_missing"),
        ("MX", True, None),
    ]  # fmt: skip
    assert found["records"][2]["found"] == record["value"]


def test_a_provider_without_a_domain_has_none_to_check(open_house: Callable[..., Any]) -> None:
    house = open_house()
    auth = house.bearer(house.workspace())
    house.client.put("/api/v1/providers/box", json={"kind": "outbox", "channel": "email"}, headers=auth)
    for body in ({}, None):
        answer = house.client.post("/api/v1/providers/box/check", json=body, headers=auth)
        assert answer.json()["code"] == "no_domain"
    assert house.client.post("/api/v1/providers/none/check", json={}, headers=auth).status_code == 404


@pytest.mark.parametrize(
    ("base", "said"), [("http://127.0.0.1:8700", ["local_links"]), ("https://kizuna.shop.example", [])]
)
def test_links_that_open_on_this_machine_only_are_warned_of(
    open_house: Callable[..., Any], base: str, said: list[str]
) -> None:
    house = open_house(public_url=base)
    auth = house.bearer(house.workspace())
    mail = {"kind": "smtp", "settings": {"host": "127.0.0.1", "from": "news@shop.example"}}
    hook = {"kind": "webhook", "settings": {"url": "https://crm.example/in", "secret": "whsec_" + "c2VjcmV0" * 4}}
    for body, expected in ((mail, said), (hook, [])):  # a web hook carries no links
        answer = house.client.put("/api/v1/providers/one", json=body, headers=auth)
        assert [each["code"] for each in answer.json()["warnings"]] == expected
