from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kizuna.providers import standard_webhooks
from kizuna.providers.standard_webhooks import TOLERANCE_SECONDS, headers, sign, verify

VECTOR = Path(__file__).parents[4] / "shared" / "data" / "standard-webhooks" / "sign_vector.json"
SECRET, NOW, BODY = "whsec_c2VjcmV0", 1_700_000_000, b'{"type": "a"}'


@pytest.fixture
def vector() -> Any:
    if not VECTOR.exists():
        pytest.skip("the published vector of Standard Webhooks is not beside this repository")
    return json.loads(VECTOR.read_text())


def test_the_published_vector_is_signed_byte_for_byte(vector: Any) -> None:
    signed = sign(vector["secret"], vector["id"], vector["timestamp"], vector["payload"].encode())
    assert signed == vector["expected_signature"]


def test_what_is_signed_is_believed_near_its_time_only() -> None:
    given = headers(SECRET, "msg_1", NOW, BODY)
    for late in (0, TOLERANCE_SECONDS, -TOLERANCE_SECONDS):
        assert verify(SECRET, given, BODY, NOW + late)
    for late in (TOLERANCE_SECONDS + 1, -TOLERANCE_SECONDS - 1):
        assert not verify(SECRET, given, BODY, NOW + late)


def test_one_good_signature_among_others_is_enough() -> None:
    given = headers(SECRET, "msg_1", NOW, BODY)
    given["webhook-signature"] = f"v1,AAAA v1a,xyz {given['webhook-signature']}"
    assert verify(SECRET, given, BODY, NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg_2"}, {"webhook-id": ""}, {"webhook-timestamp": str(NOW + 1)}, {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "9" * 400}, {"webhook-timestamp": "１７０００００００"}, {"webhook-signature": ""},
        {"webhook-signature": "v1,"}, {"webhook-signature": "é"},
    ],
)  # fmt: skip
def test_whatever_is_altered_is_not_believed(changed: dict[str, str]) -> None:
    given = headers(SECRET, "msg_1", NOW, BODY)
    assert not verify(SECRET, given | changed, BODY, NOW)
    assert not verify(SECRET, given, BODY + b" ", NOW)
    assert not verify("whsec_b3RoZXI=", given, BODY, NOW)
    assert not verify("whsec_%", given, BODY, NOW)


@pytest.mark.parametrize("secret", ["whsec_", "", "whsec_a", "whsec_é"])
def test_a_secret_without_a_key_is_refused(secret: str) -> None:
    with pytest.raises(ValueError):
        standard_webhooks.key_of(secret)
