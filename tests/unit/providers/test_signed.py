from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from kizuna.providers.signed import decode, encode, token


def test_an_rsa_key_signs_rs256() -> None:
    key = rsa.generate_private_key(65537, 2048)
    said, _, signature = token(key, {"iss": "a"}, kid="1").rpartition(".")
    key.public_key().verify(decode(signature), said.encode(), padding.PKCS1v15(), hashes.SHA256())
    assert json.loads(decode(said.split(".")[0])) == {"typ": "JWT", "alg": "RS256", "kid": "1"}


@pytest.mark.parametrize("text", ["-_8", "-_8=", "+/8=", "+/8"])
def test_both_alphabets_are_read(text: str) -> None:
    assert decode(text) == b"\xfb\xff"
    assert encode(decode(text)) == "-_8"


@pytest.mark.parametrize("text", ["a b", "é", "a\n", "", "%"])
def test_other_signs_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        decode(text)
