"""The text by passages is the text of the whole, or it is not told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.bench.render import MAIL, data
from kizuna.templates.definition import Template, Wording
from kizuna.templates.parsed import COMPILED_AT
from kizuna.templates.plain_text import text_of
from kizuna.templates.render import render
from kizuna.templates.text_passages import MOST_WAYS, Passage, Passages, Steps

VALUE = None
ORDINARY = (
    "",
    "Ada",
    "12",
    "Linen &lt;towel&gt; &amp; napkin",
    "東京 24",
    "https://shop.example/p/1?a=1&amp;b=2",
    "100%",
)
HOSTILE = (
    *(
        "<b>",
        "</p>",
        "x > y",
        '"',
        "' alt='x",
        "&",
        "&amp",
        "&#1",
        "a=b",
        "href=x",
        "a alt=b",
        " edge",
        "edge ",
        "a\nb",
    ),
    *(
        "\u3000",
        "\x00",
        "\x02",
        "\x0f",
        "%s",
        "\ufdd0",
        "-->",
        "-",
        "a",
        "lt;",
        "amp;",
        "none",
        "display:none",
        "=",
        "/",
    ),
)
LITERALS = (
    *("<p>", "</p>", "<b>", "</td><td>", "<li>", "<ol>", "</ol>", "<br>", "<hr>", "</a>", "<style>", "</style>"),
    *('<a href="', '<a href="https://x.example/', '">', '"><img src="', '" alt="', "' width='", "<img alt='", "<img"),
    *(
        '<div style="',
        "<div ",
        ">",
        "<",
        "</",
        "<!--",
        "-->",
        "<a title=x href=",
        '=" href="',
        "&",
        "&lt",
        ";",
        "%",
        "= ",
    ),
    *("word", " two words ", "\n", "https://x.example", "AT&T ", "<title>", "</title>", '<p class="a b">', "\u3000x"),
)


def whole(passages: Passages) -> str:
    text = ""
    for passage, values in passages:
        left = iter(values)
        text += "".join(next(left) if part is None else part for part in passage.parts)
    return text


def check(parts: Sequence[Sequence[str | None]], sets: Sequence[Sequence[str]]) -> list[str | None]:
    """What the same passages say with different values."""
    made = [Passage(tuple(part)) for part in parts]
    steps = Steps()
    said: list[str | None] = []
    for values in sets:
        left = list(reversed(values))
        passages = [(each, tuple([left.pop() for part in each.parts if part is None])) for each in made]
        said.append(steps.text(passages))
        if said[-1] is not None:
            assert said[-1] == text_of(whole(passages))
    return said


@given(st.data())
def test_any_passages_with_any_values_say_what_the_whole_says(draw: st.DataObject) -> None:
    part = st.lists(st.one_of(st.none(), st.sampled_from(LITERALS)), min_size=1, max_size=8)
    parts = draw.draw(st.lists(part, min_size=1, max_size=5))
    holes = sum(each is None for passage in parts for each in passage)
    value = st.sampled_from((*ORDINARY, *ORDINARY, *HOSTILE))
    sets = draw.draw(st.lists(st.lists(value, min_size=holes, max_size=holes), min_size=1, max_size=4))
    check(parts, sets)


ATTRIBUTES = ('href="', "href='", 'alt="', 'src="https://x/', 'title="a ', 'style="color:red', 'width="')


@given(st.data())
def test_values_within_tags_say_what_the_whole_says(draw: st.DataObject) -> None:
    """Tags as templates write them, so that most are told."""
    parts: list[list[str | None]] = [[]]
    for _ in range(draw.draw(st.integers(1, 6))):
        tag, attribute = draw.draw(st.sampled_from(("a", "img", "p", "td"))), draw.draw(st.sampled_from(ATTRIBUTES))
        quote = "'" if "'" in attribute else '"'
        for piece in (f"<{tag} ", attribute, VALUE, "?x=1&amp;y=", VALUE, f'{quote} class="b">', VALUE, f"</{tag}>"):
            if draw.draw(st.booleans()):
                parts.append([])
            parts[-1].append(piece)
    filled = [passage for passage in parts if passage]
    holes = sum(each is None for passage in filled for each in passage)
    value = st.sampled_from((*ORDINARY, *ORDINARY, *HOSTILE))
    sets = draw.draw(st.lists(st.lists(value, min_size=holes, max_size=holes), min_size=1, max_size=4))
    check(filled, sets)


@pytest.mark.parametrize(
    ("parts", "values"),
    [
        ([["<p>Hello ", VALUE, "</p>"]], ["Ada &amp; Bob"]),
        ([['<a href="', VALUE, '">', VALUE, "</a>"]], ["https://x.example/?a=1&amp;b=2", "here"]),
        ([['<a href="', VALUE], ["?utm=", VALUE], ['">read</a>']], ["https://x.example", "mail"]),
        ([['<img src="', VALUE, '" alt="', VALUE, '"><img alt="', VALUE, '">']], ["x.png?a=b", "Two words", "100%"]),
        ([["<td"], [' class="b"'], [">", VALUE, "</td>"]], ["12"]),
        ([["<title>", VALUE, "</title><p>a</p>"]], ["Your order: &lt;1&gt;"]),
        ([["<p>東京\u3000", VALUE, "\u3000</p>"]], ["銀座\u3000"]),
    ],
)
def test_ordinary_passages_are_told(parts: list[list[str | None]], values: list[str]) -> None:
    assert check(parts, [values, values]) != [None, None]


@pytest.mark.parametrize(
    ("parts", "values"),
    [
        ([["<p>", VALUE, "</p>"]], ["<b>"]),
        ([["<p>&", VALUE, "</p>"]], ["amp;"]),
        ([["<p>", VALUE, "amp;</p>"]], ["&"]),
        ([["<", VALUE, ">"]], ["p"]),
        ([["<p ", VALUE, ">"]], ["x"]),
        ([['<p style="', VALUE, '">a</p>']], ["display:none"]),
        ([['<img title="', VALUE, '">']], ["x alt=y"]),
        ([["<!-- ", VALUE, " -->"]], ["x"]),
        ([["<p>a</p><b"]], []),
    ],
)
def test_where_a_value_may_be_structure_nothing_is_told(parts: list[list[str | None]], values: list[str]) -> None:
    assert check(parts, [values]) == [None]


def test_the_reference_mail_is_told_by_its_passages() -> None:
    template = Template("email", "liquid+html", Wording(None, MAIL), {})
    mails = [render(template, data(number)) for number in range(COMPILED_AT + 20)][COMPILED_AT:]
    for mail in mails:
        assert mail.made is not None
        assert mail.made.plain_text() == text_of(mail.body) == mail.text_part()


def test_what_one_template_may_keep_is_bounded() -> None:
    steps = Steps()
    items = Passage(("<li>", VALUE))
    assert steps.text([(Passage(("<ol>",)), ()), *[(items, ("x",))] * (MOST_WAYS + 1)]) is None
    assert steps.text([(items, ("x",))]) is not None or steps.text([]) == ""
