"""Signatures: the vectors of RFC 8463, and any body and header as an independent verifier sees them."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kizuna.providers import Delivery
from kizuna.providers.dkim import canonical_body, canonical_header, chosen, signed
from kizuna.providers.dkim_key import DkimKey, Signer, signer
from kizuna.providers.mime import build
from kizuna.testing.keys import both_kinds
from kizuna.testing.signed_mail import relaxed_body, relaxed_field, signed_names, tags, taken_apart, verdicts

DATA = Path(__file__).parents[4] / "shared" / "data" / "dkim-rfc8463"
needs_vectors = pytest.mark.skipif(not DATA.exists(), reason="the vectors of RFC 8463 are not ours to ship")
# Of RFC 8032 section 7.1, test 1, which RFC 8463 uses; the copy in vector.json has a wrong letter.
RFC_SEED = base64.b64encode(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")).decode()
ONE_CLICK = {
    "List-Unsubscribe": "<https://kizuna.example/u/abc>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}
BREAKS = st.sampled_from(["\r\n", "\n", "\r", " ", "  ", "\t", ".", "秋", "a", "\r\n\r\n", " \r\n", "=", "x" * 1200])
BODIES = st.lists(BREAKS, max_size=12).map("".join)


def both() -> list[Signer]:
    return [signer(key) for key in both_kinds()]


def dns_of(signers: list[Signer]) -> dict[str, str]:
    return {record["name"]: record["value"] for record in (each.record() for each in signers)}


def a_mail(**changes: Any) -> bytes:
    given: dict[str, Any] = {
        "message": "msg_1", "channel": "email", "address": "ada@example.com", "subject": "Hi", "text": "Hello",
        "html": "<p>Hello</p>", "headers": ONE_CLICK, "at": 1_790_000_000.5,
    }  # fmt: skip
    return build(Delivery(**{**given, **changes}), "Shop <news@shop.example>")


def vectors() -> tuple[bytes, dict[str, Any]]:
    raw = (DATA / "rfc8463_A3_signed.eml").read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return raw, json.loads((DATA / "vector.json").read_text())


@needs_vectors
def test_the_mail_of_the_rfc_is_good_and_a_changed_one_is_not() -> None:
    raw, vector = vectors()
    assert verdicts(raw, vector["dns_txt"]) == ["pass", "pass"]
    assert verdicts(raw.replace(b"hungry", b"angry"), vector["dns_txt"]) == ["the body changed"] * 2
    assert verdicts(raw.replace(b"dinner", b"supper"), vector["dns_txt"]) == ["the headers changed"] * 2


@needs_vectors
def test_the_signature_of_the_rfc_is_made_again_byte_for_byte() -> None:
    raw, vector = vectors()
    fields, body = taken_apart(raw)
    assert base64.b64encode(hashlib.sha256(canonical_body(body)).digest()).decode() == (vector["body_hash_sha256_b64"])
    (line, *_) = [line for name, line in fields if name == "dkim-signature"]
    said = tags(line)
    data = b"".join(each + b"\r\n" for each in chosen(fields, said["h"].split(":")))
    data += canonical_header(line[: line.rindex(b"b=") + 2])
    key = signer(DkimKey(vector["domain"], vector["selector"], "ed25519-sha256", RFC_SEED))
    assert base64.b64encode(key.sign(data)).decode() == said["b"]
    assert key.record()["value"] == vector["dns_txt"][key.record()["name"]]


def test_every_key_signs_and_covers_what_receivers_ask_for() -> None:
    keys = both()
    raw = signed(a_mail(), keys, 1_790_000_000)
    assert verdicts(raw, dns_of(keys)) == ["pass", "pass"]
    asked = {"from", "to", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post"}
    assert all(asked <= set(names) for names in signed_names(raw))
    assert b"; t=" not in raw
    assert b"\r\n t=1790000000;" in raw
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78


def test_the_same_mail_is_signed_into_the_same_bytes() -> None:
    first, second = (signed(a_mail(), both(), 1_790_000_000) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "added",
    [b"From: evil@example.com", b"Subject: won", b"Reply-To: e@example.com", b"List-Unsubscribe: <https://e.example>",
     b"Content-Type: text/html", b"Cc: e@example.com"],
)  # fmt: skip
def test_nobody_may_add_a_header_that_speaks_for_the_mail(added: bytes) -> None:
    keys = both()
    head, gap, body = signed(a_mail(), keys, 1).partition(b"\r\n\r\n")
    for changed in (added + b"\r\n" + head, head + b"\r\n" + added):
        assert verdicts(changed + gap + body, dns_of(keys)) == ["the headers changed"] * 2


def test_what_hosts_add_on_the_way_is_no_change() -> None:
    keys = both()
    receipt = b"Received: from a by b; now\r\nReturn-Path: <x@example.com>\r\n"
    assert verdicts(receipt + signed(a_mail(), keys, 1), dns_of(keys)) == ["pass", "pass"]


def test_a_transactional_mail_promises_nothing_about_unsubscribing() -> None:
    keys = both()
    raw = signed(a_mail(headers={}), keys, 1)
    assert verdicts(raw, dns_of(keys)) == ["pass", "pass"]
    assert not any("list-unsubscribe" in names for names in signed_names(raw))


@settings(deadline=None, max_examples=60)  # the machine may be busy
@given(text=BODIES, html=st.none() | BODIES, subject=st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_mail_we_build_is_verified(text: str, html: str | None, subject: str) -> None:
    keys = both()
    raw = signed(a_mail(text=text, html=html, subject=subject), keys, 1)
    assert verdicts(raw, dns_of(keys)) == ["pass", "pass"]


@settings(deadline=None)  # the machine may be busy
@given(BODIES)
@example("")
@example("\r\n")
@example(" \r\n\t\r\n")
@example("a")
@example("a \t b\t\r\n\r\n \r\n")
def test_bodies_are_relaxed_as_the_rfc_says(body: str) -> None:
    assert canonical_body(body.encode()) == relaxed_body(body.encode())


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.sampled_from(["\r\n ", "\r\n\t", " ", "\t", "a", "秋", ":", "  "]), max_size=10).map("".join))
def test_headers_are_relaxed_as_the_rfc_says(value: str) -> None:
    field = f"SubJect \t:{value}".encode()
    assert canonical_header(field) == relaxed_field(field.replace(b" \t:", b":", 1))


def test_the_examples_of_rfc_6376() -> None:
    assert canonical_header(b"A: X") == b"a:X"
    assert canonical_header(b"B : Y\t\r\n\tZ  ") == b"b:Y Z"
    assert canonical_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"
