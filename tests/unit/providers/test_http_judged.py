"""What the providers' own libraries said of requests and reports; tests/data/judged/SOURCE.md says how it was asked."""

from __future__ import annotations

import json
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from kizuna.providers import Delivery, all_providers
from kizuna.providers.http import Call
from kizuna.providers.report import Incoming
from kizuna.providers.sigv4 import Signer, signed

JUDGED = Path(__file__).parents[2] / "data" / "judged"


def cases(name: str, kind: str = "") -> list[dict[str, Any]]:
    said = json.loads((JUDGED / f"{name}.json").read_text())["cases"]
    return [case for case in said if not kind or case["kind"] == kind]


def kinds(name: str) -> list[str]:
    return sorted({case["kind"] for case in cases(name)})


def settings_of(case: dict[str, Any]) -> Any:
    return msgspec.convert(case["settings"], all_providers()[case["kind"]].settings)


def test_requests_to_aws_are_signed_as_botocore_signs_them() -> None:
    for case in cases("signatures"):
        signer = Signer(case["key"], case["secret"], case["region"], case["service"])
        headers = {"Content-Type": "application/json"}
        found = signed(signer, "POST", case["url"], headers, case["body"].encode(), case["at"])["Authorization"]
        assert found.endswith(f"Signature={case['signature']}")


@pytest.mark.parametrize("kind", kinds("reports"))
def test_reports_are_believed_where_their_own_verifier_believes_them(kind: str) -> None:
    provider: Any = all_providers()[kind]
    for case in cases("reports", kind):
        said = Incoming(case["headers"], case["body"].encode(), case["now"], case.get("url", ""))
        assert provider.is_genuine(said, settings_of(case), lambda _: b"") is case["believed"], case


@pytest.mark.parametrize("kind", kinds("requests"))
def test_requests_say_what_their_own_client_says(kind: str) -> None:
    for case in cases("requests", kind):
        call = call_of(case)
        assert call.url == case["url"]
        if "json" in case:
            assert json.loads(call.body) == case["json"]
        elif "form" in case:
            assert fields(call) == case["form"]
        else:
            said = fields(call) if kind == "mailgun" else json.loads(call.body)
            assert {name: plain(name, said[name]) for name in case["holds"]} == {
                name: plain(name, value) for name, value in case["holds"].items()
            }


def call_of(case: dict[str, Any]) -> Call:
    provider: Any = all_providers()[case["kind"]]
    delivery = msgspec.convert(
        {"channel": provider.channel, "subject": None, "html": None, "headers": {}, "at": 0.0, **case["delivery"]},
        Delivery,
    )
    return provider.call(delivery, settings_of(case), 0.0)


def fields(call: Call) -> dict[str, str]:
    return dict(parse_qsl(call.body.decode(), keep_blank_values=True))


def plain(name: str, value: Any) -> Any:
    """A sender as name and address: each quotes it in a way of its own."""
    return parseaddr(value) if name.lower() == "from" else value
