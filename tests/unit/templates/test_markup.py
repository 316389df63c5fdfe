from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.templates.markup import Piece, pieces


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


_FRAGMENTS = ("<", ">", '"', "'", "=", " ", "a", "/", "!", "--", "<p>", '<a b="x > y">', '<a b=\'"\' c="d > e">')


@given(st.lists(st.sampled_from(_FRAGMENTS), max_size=30).map("".join))
def test_a_tag_read_by_itself_ends_where_it_ends_within_its_text(source: str) -> None:
    tags = [each for each in pieces(source) if each.kind != "text"]
    assert tags == list(_tags_letter_by_letter(source))


def _tags_letter_by_letter(source: str) -> Iterator[Piece]:
    place = 0
    while (place := source.find("<", place)) >= 0:
        mark = source[place + 1 : place + 2]
        is_close = mark == "/" and source[place + 2 : place + 3].isalpha()
        if source.startswith("<!--", place):
            ending = re.compile("--!?>").search(source, place + 2)
            place = ending.end() if ending else len(source)
        elif mark.isalpha() or is_close:
            begin = place + 1 + is_close
            name = re.compile(r"[^\s/>]*").match(source, begin)
            assert name
            end = name.end()
            while end < len(source) and source[end] != ">":
                quoted = re.compile(r"""=\s*("[^"]*"|'[^']*')""").match(source, end)
                end = quoted.end() if quoted else end + 1
            if end >= len(source):
                return
            yield Piece("close" if is_close else "open", name[0].lower(), source[name.end() : end])
            place = end + 1
        elif mark and mark in "/!?":
            place = source.find(">", place) + 1 or len(source)
        else:
            place += 1
