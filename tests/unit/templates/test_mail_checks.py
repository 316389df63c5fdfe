from __future__ import annotations

from kizuna.templates.mail_checks import warnings_of


def test_links_and_images_that_lead_nowhere_are_said() -> None:
    body = '<a href="">x</a><a href="/shop">y</a><a name="top">t</a><a href="https://x.example">z</a><img src="/a.png">'
    assert warnings_of("Hello", body) == [
        "link without an address that works: (empty)",
        "link without an address that works: /shop",
        "image that mail programs cannot load: /a.png",
    ]


def test_large_mails_and_odd_subjects_are_said() -> None:
    said = warnings_of(" ", "x" * 103_000)
    assert said == ["the body has 103,000 bytes: Gmail clips mails of more than 102,000", "the subject is empty"]
