from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from kizuna.providers.sealing import CURVE, MOST_PLAIN, MOST_SEALED, point_of, seal
from kizuna.providers.signed import decode
from kizuna.testing.push_service import Browser

VECTOR = Path(__file__).parents[4] / "shared" / "data" / "webpush-rfc8291" / "rfc8291_appendix_a.json"


def test_the_worked_example_of_the_rfc_comes_out_byte_for_byte() -> None:
    if not VECTOR.exists():
        pytest.skip("the example of RFC 8291 is kept beside the repository, in shared/data")
    said = json.loads(VECTOR.read_text())
    own = ec.derive_private_key(int.from_bytes(decode(said["as_private"]), "big"), CURVE)
    assert point_of(own) == decode(said["as_public"])
    body = seal(
        said["plaintext"].encode(), decode(said["ua_public"]), decode(said["auth_secret"]), own, decode(said["salt"])
    )
    assert body == decode(said["body"])
    assert len(body) == 144


@pytest.mark.parametrize("length", [0, 1, MOST_PLAIN])
def test_the_browser_reads_what_was_sealed(length: int) -> None:
    browser, plain = Browser("https://push.example/1"), b"x" * length
    body = seal(plain, point_of(browser.key), browser.auth, ec.generate_private_key(CURVE), os.urandom(16))
    assert browser.open(body) == plain
    assert len(body) <= MOST_SEALED
    assert len(body) == MOST_SEALED or length < MOST_PLAIN


def test_more_than_a_push_service_must_take_is_refused() -> None:
    browser = Browser("https://push.example/1")
    with pytest.raises(ValueError, match="longer"):
        seal(b"x" * (MOST_PLAIN + 1), point_of(browser.key), browser.auth, browser.key, os.urandom(16))
