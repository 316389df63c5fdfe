from __future__ import annotations

import pytest

from kizuna.core.errors import NotAllowed
from kizuna.edge.same_origin import check

HOST = {"host": "shop.example:8700"}


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin"},
        {"origin": "http://shop.example:8700"},
        {"origin": "https://public.example"},  # a proxy that renames the host
    ],
)
def test_our_own_page_passes(headers: dict[str, str]) -> None:
    check(HOST | headers, "https://public.example", is_browser_known=True)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://shop.example"},
        {"origin": "http://evil.example"},
        {"sec-fetch-site": "same-site", "origin": "http://shop.example:8700"},
        {"sec-fetch-site": "none"},
    ],
)
def test_any_other_page_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(NotAllowed):
        check(HOST | headers, "", is_browser_known=True)


def test_without_a_session_a_program_needs_no_origin() -> None:
    check(HOST, "", is_browser_known=False)
    with pytest.raises(NotAllowed):
        check(HOST | {"origin": "http://evil.example"}, "", is_browser_known=False)
