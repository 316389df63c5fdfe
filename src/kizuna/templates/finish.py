"""From what Liquid wrote to what mail programs read: MJML becomes HTML, rules of CSS become `style` attributes."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from kizuna.core.errors import Invalid
from kizuna.templates.budget import OUTPUT_BYTES
from kizuna.templates.nesting import check_nesting

LONGEST_CSS = 200_000
WORK = 50_000_000  # characters of CSS times elements: a fifth of a second

_STYLE = re.compile(r"<style\b", re.IGNORECASE)


def finish(body: str, form: str) -> str:
    """The body of a mail as it is sent. What has no style element and is no MJML stays byte for byte as it is."""
    if form == "liquid+mjml":
        body = from_mjml(body)
    return inline_css(body) if form != "liquid+text" and _STYLE.search(body) else body


def from_mjml(source: str) -> str:
    """Raises `Invalid` for what is no MJML. Nothing is fetched or included."""
    from mjml import mjml2html  # a native library, loaded by the first who needs it

    check_nesting(source, is_mjml=True)
    try:
        made = mjml2html(source)
    except ValueError as error:
        raise Invalid(f"the MJML cannot be read: {str(error)[:200]}", code="template_error") from None
    return _fitting(made)


def inline_css(body: str) -> str:
    """Rules become style attributes; media queries, `:hover` and the like stay. Doing it twice changes nothing."""
    css = sum(len(part.partition("</style")[0]) for part in body.lower().split("<style")[1:])
    if css > LONGEST_CSS or css * check_nesting(body) > WORK:
        raise Invalid("the CSS is too much to be inlined", code="template_limit")
    try:
        return _fitting(_inliner().inline(body))
    except ValueError as error:
        raise Invalid(f"the CSS cannot be inlined: {str(error)[:200]}", code="template_error") from None


def _fitting(made: str) -> str:
    if len(made.encode()) > OUTPUT_BYTES:
        raise Invalid(f"more than {OUTPUT_BYTES // 1024} kB of output", code="template_limit")
    return made


@cache
def _inliner() -> Any:
    from css_inline import CSSInliner

    return CSSInliner(keep_style_tags=True, remove_inlined_selectors=True, load_remote_stylesheets=False)
