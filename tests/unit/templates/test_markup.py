from __future__ import annotations

import pytest

from kizuna.templates.markup import pieces


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("a<b>c</B>d", ["a", "b", "c", "/b", "d"]),
        ("<a href=\"x>y\" b='</a>'>t</a>", ["a", "t", "/a"]),
        ('<b x"y="> </b>">t', ["b", "t"]),  # a quote counts only after an equals sign
        ("<!--<b>--><i><!--><u>", ["i", "u"]),
        ("<!doctype html><?xml x?></ b>t<p", ["t"]),
        ("1 < 2 & 3", ["1 < 2 & 3"]),
        ("<br/>", ["br"]),
    ],
)
def test_html_is_cut_where_browsers_cut_it(source: str, wanted: list[str]) -> None:
    found = [each.rest if each.kind == "text" else ("/" if each.kind == "close" else "") + each.name
             for each in pieces(source)]  # fmt: skip
    assert found == wanted
