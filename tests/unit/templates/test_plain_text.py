from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.templates import markup
from kizuna.templates.plain_text import text_of
from kizuna.templates.text_writer import Writer
from kizuna.templates.typeset import typeset

MAIL = """<!doctype html><html><head><title>T</title><style>a{color:red}</style></head><body>
<div style="display:none;max-height:0">Preheader <div>inner</div> hidden</div>
<!--[if mso]><p>Outlook</p><![endif]-->
<table><tr><td><img src="x.png" alt="銀座の店"></td></tr></table>
<h1>Thank you, Ada &amp; co!</h1>
<p>Your order <b>1234</b> is <a href="https://shop.example/o/1234?a=1&amp;b=2">on its
   way</a>.<br>See <a href="https://shop.example/">https://shop.example/</a>.</p>
<table><tr><th>Item</th><th>Price</th></tr><tr><td>Tea</td><td>¥1,200</td></tr></table>
<ul><li>One</li><li>Two<ul><li>deep</li></ul></li></ul><ol><li>a</li><li>b</li></ol>
<p>3 &lt; 5 < 7</p><hr><p><a href="mailto:a@b.example">Write to us</a> <a href="#">top</a></p>
<p><a href="https://x.example/i"><img src="b.png" alt="Banner"></a>
<a href="https://y.example/j"><img src="b.png"></a></p>
</body></html>"""
TEXT = """銀座の店

Thank you, Ada & co!

Your order 1234 is on its way (https://shop.example/o/1234?a=1&b=2).
See https://shop.example/.

Item Price
Tea ¥1,200

- One
- Two
  - deep

1. a
2. b

3 < 5 < 7

--------------------

Write to us (a@b.example) top

Banner (https://x.example/i) https://y.example/j"""


def test_a_mail_reads_as_text_with_its_links() -> None:
    assert text_of(MAIL) == TEXT


@pytest.mark.parametrize(
    "source",
    [
        "<" * 500_000, "<a " * 160_000, "<a href='" * 50_000, "<!--" * 120_000, "<li><ol>" * 50_000, "<b ='" * 100_000,
        "<a href=https://x>" * 25_000 + "<br>x" * 2_000 + "</a>" * 25_000, "<div style=display:none>" * 20_000,
        '<b x=">" ' * 50_000, "<p " + "style  " * 70_000 + ">",
    ],
)  # fmt: skip
def test_nonsense_costs_time_in_proportion(source: str) -> None:
    started = time.process_time()
    text_of(source)
    assert time.process_time() - started < 2


_FRAGMENTS = (
    *(
        "<",
        ">",
        '"',
        "'",
        "=",
        " ",
        "\n",
        "a",
        "x > y",
        "&amp;",
        "&lt",
        "\u200b",
        "\u2003",
        "<!-- c -->",
        "<!doctype html>",
    ),
    *("<p>", "</p>", "<td>", "</td>", "<tr>", "</tr>", "<li>", "</li>", "<ul>", "</ul>", "<ol>", "<br>", "<hr>", "<b>"),
    *(
        '<a href="https://x.example">',
        "</a>",
        '<a b="x > y">',
        '<img alt="x">',
        "<style>",
        "</style>",
        "<div>",
        "</div>",
    ),
    *('<div style="display:none">', '<div style="display:&#110;one">', "<TD class=x>", "</br>"),
)


@given(st.lists(st.sampled_from(_FRAGMENTS), max_size=40).map("".join))
def test_runs_of_tags_do_what_their_tags_do_one_by_one(source: str) -> None:
    writer = Writer()
    for piece in markup.pieces(source):
        writer.take(piece)
    assert text_of(source) == typeset("".join(writer.script), writer.addresses)
