"""HTML that may stand in a page of the shop's own: marks, links and images; nothing that runs, posts or covers it."""

from __future__ import annotations

import html
from functools import cache
from typing import Any

from kizuna.templates.nesting import check_nesting

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "div", "dl", "dt", "em", "figcaption",
    "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q",
    "rp", "rt", "ruby", "s", "samp", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th",
    "thead", "time", "tr", "u", "ul", "wbr",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"style", "lang", "dir", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
_SCHEMES = {"http", "https", "mailto", "tel"}
# none that lays something over the page or reaches out of the message's own box
_STYLES = {
    "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left",
    "border-radius", "border-right", "border-spacing", "border-style", "border-top", "border-width", "color",
    "display", "flex", "flex-wrap", "font", "font-family", "font-size", "font-style", "font-variant",
    "font-weight", "gap", "height", "letter-spacing", "line-height", "list-style", "list-style-type", "margin",
    "margin-bottom", "margin-left", "margin-right", "margin-top", "max-height", "max-width", "min-height",
    "min-width", "object-fit", "opacity", "padding", "padding-bottom", "padding-left", "padding-right",
    "padding-top", "text-align", "text-decoration", "text-indent", "text-transform", "vertical-align",
    "white-space", "width", "word-break", "word-spacing",
}  # fmt: skip
_DROPPED = {"script", "style", "template", "noscript", "iframe", "object", "embed", "svg", "math", "title"}  # whole


def sanitised(body: str) -> str:
    """What is not known is left out; its text stays. Raises `Invalid` for what is nested too deep."""
    check_nesting(body)
    return _cleaner().clean(body)


def from_text(body: str) -> str:
    """Plain text as HTML that reads the same."""
    return html.escape(body).replace("\r\n", "\n").replace("\n", "<br>")


@cache
def _cleaner() -> Any:
    import nh3  # a native library, loaded by the first who needs it

    return nh3.Cleaner(
        tags=_TAGS,
        clean_content_tags=_DROPPED,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        filter_style_properties=_STYLES,
        link_rel="noopener",
    )
