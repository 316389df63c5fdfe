from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.messages.links import Links, Signer, rewrite
from kizuna.messages.utm import is_off, tagged

UTM = {"source": "kizuna", "campaign": "春 sale&more"}
CAMPAIGN = "%E6%98%A5%20sale%26more"


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://a.example", f"https://a.example?utm_source=kizuna&utm_campaign={CAMPAIGN}"),
        (
            "https://a.example/?x=1;y=%2f#a?b",
            f"https://a.example/?x=1;y=%2f&utm_source=kizuna&utm_campaign={CAMPAIGN}#a?b",
        ),
        ("https://a.example/?", f"https://a.example/?utm_source=kizuna&utm_campaign={CAMPAIGN}"),
        ("https://a.example/?UTM_Source=own", f"https://a.example/?UTM_Source=own&utm_campaign={CAMPAIGN}"),
        ("https://a.example/?utm%5Fsource&utm_campaign=", "https://a.example/?utm%5Fsource&utm_campaign="),
        ("https://a.example/#", f"https://a.example/?utm_source=kizuna&utm_campaign={CAMPAIGN}#"),
    ],
)
def test_a_link_gets_what_it_lacks(url: str, wanted: str) -> None:
    assert tagged(url, UTM) == wanted


PARTS = st.text("abz09-._~%/?:@!$&'()*+,;=", max_size=20)


@given(PARTS, PARTS, st.sampled_from(["", "#top", "#a?b#"]))
def test_what_was_there_stays_byte_for_byte(path: str, query: str, fragment: str) -> None:
    url = f"https://a.example/{path.replace('?', '')}?{query}{fragment}"
    found = tagged(url, {"medium": "email"})
    assert found.startswith(url.removesuffix(fragment) if fragment else url)
    assert found.endswith(fragment)
    assert ("utm_medium", "email") in parse_qsl(urlsplit(found).query)
    assert tagged(found, {"medium": "other"}) == found


def test_a_value_breaks_out_of_nothing() -> None:
    found = tagged("https://a.example/", {"source": 'x\r\nSet-Cookie: a#b"><script>'})
    assert found == "https://a.example/?utm_source=x%0D%0ASet-Cookie%3A%20a%23b%22%3E%3Cscript%3E"


@pytest.mark.parametrize(
    "anchor", ['<a href="x" data-utm="off"', "<a DATA-UTM = 'off' href='x'", "<a data-utm=off href"]
)
def test_a_link_may_do_without(anchor: str) -> None:
    assert is_off(anchor)
    assert not is_off(anchor.replace("off", "on"))


def test_links_of_a_mail_are_told_unless_they_are_off_or_ours() -> None:
    links = Links(Signer([b"secret"]), "https://k.example", 1, b"m" * 16)
    body = (
        '<a href="https://a.example/?x=1&amp;y=2">a</a><a href="https://b.example/" data-utm="off">b</a>'
        f'<a href="{links.unsubscribe}">u</a>'
    )
    rewritten, targets = rewrite(body, links, {"source": "k"})
    assert targets == ["https://a.example/?x=1&y=2&utm_source=k", "https://b.example/"]
    assert links.unsubscribe in rewritten
