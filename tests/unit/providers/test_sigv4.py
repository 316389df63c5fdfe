from __future__ import annotations

import pytest

from kizuna.providers.sigv4 import Signer, endpoint, signed

# AWS's own examples for signers: date, key and service are theirs.
SIGNER = Signer("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service")
NOW = 1_440_938_160.0  # 2015-08-30 12:36 UTC


@pytest.mark.parametrize(
    ("method", "signature"),
    [
        ("GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ],
)
def test_the_published_examples_are_signed_as_there(method: str, signature: str) -> None:
    headers = signed(SIGNER, method, "https://example.amazonaws.com/", {}, b"", NOW)
    assert headers["Authorization"].endswith(f"SignedHeaders=host;x-amz-date, Signature={signature}")
    assert "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request" in headers["Authorization"]


def test_partitions_have_domains_of_their_own() -> None:
    assert endpoint("email", "eu-west-1") == "https://email.eu-west-1.amazonaws.com"
    assert endpoint("email", "us-gov-west-1") == "https://email.us-gov-west-1.amazonaws.com"
    assert endpoint("email", "eusc-de-east-1") == "https://email.eusc-de-east-1.amazonaws.eu"
    assert endpoint("sns", "cn-north-1") == "https://sns.cn-north-1.amazonaws.com.cn"


def test_the_body_and_every_header_are_signed() -> None:
    def sign(**changes: str) -> str:
        headers = {"Content-Type": changes.get("kind", "application/json")}
        body = changes.get("body", "{}").encode()
        return signed(SIGNER, "POST", "https://a.example/v2", headers, body, NOW)["Authorization"]

    assert sign() == sign()
    assert len({sign(), sign(body="[]"), sign(kind="text/plain")}) == 3
    assert "content-type;host;x-amz-date" in sign()
