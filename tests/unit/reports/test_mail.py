from __future__ import annotations

import pytest

from kizuna.reports.mail import MOST_DEPTH, MOST_PARTS, parse


def test_headers_are_unfolded_and_decoded() -> None:
    mail = parse(b"Subject: =?utf-8?b?6YWN6YCB?=\n =?utf-8?q?_ok?=\nX: 1\nX: 2\n\nbody")
    assert mail.first("subject") == "配送 ok"
    assert mail.headers["x"] == ["1", "2"]


@pytest.mark.parametrize(
    ("head", "body", "text"),
    [
        ("Content-Type: text/plain; charset=iso-2022-jp", "宛先不明".encode("iso-2022-jp"), "宛先不明"),
        ("Content-Transfer-Encoding: quoted-printable", b"caf=C3=A9=\n!", "café!"),
        ("Content-Transfer-Encoding: base64", b"aGVsbG8", "hello"),
        ("Content-Transfer-Encoding: base64", b"no base64 at all!", None),
        ("Content-Type: text/plain; charset=zip", b"hello", "hello"),
        ("Content-Type: text/html", b"<p>Tom &amp; Ada</p>", "\n Tom & Ada\n "),
    ],
)
def test_a_body_is_text_whatever_it_claims(head: str, body: bytes, text: str | None) -> None:
    (part,) = parse(head.encode() + b"\n\n" + body).parts
    assert text is None or part.text.strip() == text.strip()


def test_parts_in_parts_have_an_end() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b0\n\n"
    for depth in range(30):
        raw += b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (depth, depth + 1)
    assert len(parse(raw).parts) == 1
    assert MOST_DEPTH < 30
    assert len(parse(b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 500).parts) == MOST_PARTS
