from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.core.iri import ascii_domain, ascii_url


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("shop.example", "shop.example"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("例え。jp", "xn--r8jz45g.jp"),
        ("straße.de", "xn--strae-oqa.de"),  # somebody else's than strasse.de
        ("STRAẞE.de", "xn--strae-oqa.de"),
        ("βόλος.com", "xn--nxasmm1c.com"),
        ("ΒΌΛΟΣ.com", "xn--nxasmq6b.com"),  # a capital never is the final form
    ],
)
def test_names_of_hosts_keep_their_letters(name: str, wire: str) -> None:
    assert ascii_domain(name) == wire


@pytest.mark.parametrize("name", ["ü" * 70 + ".de", "ß" * 70 + ".de", "ü..de"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(UnicodeError):
        ascii_domain(name)


@pytest.mark.parametrize(
    ("url", "wire"),
    [
        ("https://shop.example/a?b=%20&c=[1]#d", "https://shop.example/a?b=%20&c=[1]#d"),
        ("https://shop.example/茶?q=%E8%8C%B6茶", "https://shop.example/%E8%8C%B6?q=%E8%8C%B6%E8%8C%B6"),
        ("https://例え.jp:8443/x", "https://xn--r8jz45g.jp:8443/x"),
        ("HTTPS://例え.jp?例", "HTTPS://xn--r8jz45g.jp?%E4%BE%8B"),
        ("https://a..例え.jp/", "https://a..%E4%BE%8B%E3%81%88.jp/"),
        ("https://shop.example/\ud800", "https://shop.example/?"),
    ],
)
def test_addresses_go_as_ascii(url: str, wire: str) -> None:
    assert ascii_url(url) == wire


@given(st.text(st.characters(min_codepoint=33, exclude_categories=["Cs"]), max_size=60))
def test_any_path_is_ascii_and_means_the_same(path: str) -> None:
    wire = ascii_url(f"https://shop.example/{path}")
    assert wire.isascii()
    assert unquote(wire) == unquote(f"https://shop.example/{path}")
