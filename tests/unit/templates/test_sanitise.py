from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.core.errors import Invalid
from kizuna.templates.sanitise import from_text, sanitised


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("<p>Hi <b>you</b></p>", "<p>Hi <b>you</b></p>"),
        ("<script>steal()</script>a", "a"),
        ("<style>*{display:none}</style>a", "a"),
        ("<img src=x onerror=steal()>", '<img src="x">'),
        ("<a href='javascript:steal()'>a</a>", '<a rel="noopener">a</a>'),
        ("<a href=' java\tscript:steal()'>a</a>", '<a rel="noopener">a</a>'),
        ("<a href='/cart' target='_blank'>a</a>", '<a href="/cart" rel="noopener">a</a>'),
        ("<a href='data:text/html,x'>a</a>", '<a rel="noopener">a</a>'),
        ("<form action='https://evil.example'><input name=card></form>a", "a"),
        ("<iframe src='https://evil.example'>in</iframe>a", "a"),
        ("<svg><a xlink:href='javascript:steal()'><text>in</text></a></svg>a", "a"),
        ("<math><mtext><table><mglyph><style><img src=x onerror=steal()>", ""),
        ("<div style='position:fixed;inset:0;color:red;z-index:9'>a</div>", '<div style="color:red">a</div>'),
        ("<base href='https://evil.example'><meta http-equiv=refresh content=0><link rel=stylesheet href=x>a", "a"),
        ("<p class=x id=y data-z=1>a", "<p>a</p>"),
    ],
)
def test_marks_stay_and_what_runs_goes(body: str, left: str) -> None:
    assert sanitised(body) == left


class Seen(HTMLParser):
    """What a browser would be told."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


_PIECES = st.sampled_from([
    "<", ">", "</", "<!--", "-->", "<script>", "</script>", "<img ", "<a ", "<svg>", "<style>", "</style>", "<p>",
    "</p>",
    "<![CDATA[", "]]>", "<math>", "<table>", "<title>", "onerror=", "href=", "src=", "style=", "javascript:", "steal()",
    '"', "'", "`", "&lt;", "&#x3c;", "\x00", "\n", " ", "/", "position:fixed", "<template>", "<noscript>",
])  # fmt: skip


@given(st.lists(_PIECES | st.text(max_size=3), max_size=40).map("".join))
def test_nothing_runs_whatever_is_written(body: str) -> None:
    try:
        once = sanitised(body)
    except Invalid:
        return  # it is not shown at all
    seen = Seen()
    seen.feed(once)
    assert not {"script", "style", "svg", "math", "iframe", "form", "template", "noscript", "title"} & set(seen.tags)
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    assert not [
        value for name, value in seen.attributes if name in ("href", "src") and "javascript:" in value.lower()[:20]
    ]
    assert not [value for name, value in seen.attributes if name == "style" and "position" in value]
    assert sanitised(once) == once


@given(st.text(max_size=100))
def test_text_reads_the_same(body: str) -> None:
    seen = Seen()
    seen.feed(from_text(body))
    assert set(seen.tags) <= {"br"}


def test_what_is_too_deep_is_refused() -> None:
    """A hundred thousand elements within each other took the sender most of a minute."""
    with pytest.raises(Invalid) as refused:
        sanitised("<div>" * 100_000)
    assert refused.value.code == "template_limit"
