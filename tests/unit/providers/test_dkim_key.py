from __future__ import annotations

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from kizuna.core.errors import Invalid
from kizuna.providers.dkim_key import DkimKey, doubts, problems, signer
from kizuna.testing.keys import PKCS1, SEED, both_kinds, rsa_pem

ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def der(pem: str) -> str:
    raw = load_pem_private_key(pem.encode(), None).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return b64encode(raw).decode()


@pytest.mark.parametrize(
    ("algorithm", "text"),
    [
        ("rsa-sha256", rsa_pem()),
        ("rsa-sha256", rsa_pem(1024, PKCS1)),
        ("RSA", rsa_pem().replace("\n", "\r\n")),
        ("rsa-sha256", der(rsa_pem())),
        ("ed25519-sha256", SEED),
        ("ed25519", f" {SEED}\n"),
        ("ed25519-sha256", ED25519.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()),
    ],
)
def test_keys_are_read_in_the_forms_people_have_them(algorithm: str, text: str) -> None:
    read = signer(DkimKey("shop.example", "s1", algorithm, text))
    assert read.algorithm == ("rsa-sha256" if algorithm.lower().startswith("rsa") else "ed25519-sha256")
    assert read.sign(b"x") == read.sign(b"x")


def test_a_key_is_read_once() -> None:
    one, other = (signer(DkimKey("shop.example", "s1", "rsa-sha256", rsa_pem())) for _ in range(2))
    assert one is other


ENCRYPTED = ED25519.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")).decode()
CURVE = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
SHORT = """-----BEGIN PRIVATE KEY-----
MIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEA
-----END PRIVATE KEY-----"""


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"algorithm": "rsa-sha1"}, "/0/algorithm", "unsupported"),
        ({"algorithm": "ed25519-sha256"}, "/0/algorithm", "wrong_algorithm"),
        ({"private_key": SEED}, "/0/algorithm", "wrong_algorithm"),
        ({"private_key": "secret"}, "/0/private_key", "unreadable_key"),
        ({"private_key": ""}, "/0/private_key", "unreadable_key"),
        ({"private_key": "秋"}, "/0/private_key", "unreadable_key"),
        ({"private_key": "a\ud83d"}, "/0/private_key", "unreadable_key"),
        ({"private_key": SHORT}, "/0/private_key", "unreadable_key"),
        ({"private_key": ENCRYPTED}, "/0/private_key", "unreadable_key"),
        ({"private_key": CURVE.decode()}, "/0/private_key", "unreadable_key"),
        ({"domain": "shop.example; x=y"}, "/0/domain", "invalid_name"),
        ({"domain": ""}, "/0/domain", "invalid_name"),
        ({"selector": "a\r\nb"}, "/0/selector", "invalid_name"),
        ({"selector": "a..b"}, "/0/selector", "invalid_name"),
    ],
)
def test_what_cannot_sign_is_refused_at_its_place(changes: dict[str, str], pointer: str, code: str) -> None:
    given = {"domain": "shop.example", "selector": "s1", "algorithm": "rsa-sha256", "private_key": rsa_pem()}
    (found,) = problems([DkimKey(**{**given, **changes})])
    assert (found.pointer, found.code) == (pointer, code)


def test_rsa_under_1024_bits_is_refused() -> None:
    (found,) = problems([DkimKey("shop.example", "s1", "rsa-sha256", short_rsa())])
    assert (found.pointer, found.code) == ("/0/private_key", "short_key")


def short_rsa() -> str:
    """Of two primes everybody knows: the library makes no key so short, and reads it."""
    p, q, e = 2**521 - 1, 2**127 - 1, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), RSAPublicNumbers(e, p * q))
    return numbers.private_key().private_bytes(Encoding.PEM, PKCS1, NoEncryption()).decode()


def test_one_name_publishes_one_key() -> None:
    first, second = both_kinds()
    twin = DkimKey("SHOP.example", first.selector, second.algorithm, second.private_key)
    assert [each.pointer for each in problems([first, second, twin])] == ["/2/selector"]


@pytest.mark.parametrize(
    ("domain", "sender", "is_aligned"),
    [
        ("shop.example", "news@shop.example", True),
        ("shop.example", "news@mail.shop.example", True),
        ("a.shop.example", "news@b.shop.example", True),
        ("shop.co.jp", "news@mail.shop.co.jp", True),
        ("shop.co.jp", "news@other.co.jp", False),
        ("shop.io", "news@mail.shop.io", True),
        ("mail.bbc.io", "news@bbc.io", True),
        ("other.example", "news@shop.example", False),
        ("例え.jp", "news@xn--r8jz45g.jp", True),
    ],
)
def test_a_signature_that_does_not_vouch_for_the_sender_is_doubtful(domain: str, sender: str, is_aligned: bool) -> None:
    found = doubts([DkimKey(domain, "s1", "ed25519-sha256", SEED)], sender)
    assert [(each.pointer, each.code) for each in found] == ([] if is_aligned else [("/0/domain", "not_aligned")])


def test_a_second_key_may_be_of_somebody_else_and_a_short_one_is_named() -> None:
    own, other = both_kinds()[0], DkimKey("relay.example", "s1", "ed25519-sha256", SEED)
    assert [each.code for each in doubts([own, other], "news@shop.example")] == ["short_key"]


def test_the_record_is_what_receivers_look_up() -> None:
    record = signer(DkimKey("例え.jp", "s1", "ed25519", SEED)).record()
    assert record["name"] == "s1._domainkey.xn--r8jz45g.jp"
    assert record["value"] == f"v=DKIM1; k=ed25519; p={b64encode(ED25519.public_key().public_bytes_raw()).decode()}"
    assert invalid("x") == "unreadable_key"


def invalid(text: str) -> str:
    with pytest.raises(Invalid) as refused:
        signer(DkimKey("shop.example", "s1", "ed25519", text))
    return refused.value.errors[0].code
