"""Entities of HTML as the letters that they stand for. Pure."""

from __future__ import annotations

import html
import re

_LONG = re.compile(r"&#([0-9]{8,})")  # of any letter there is seven digits tell; Python refuses to read thousands


def unescape(text: str) -> str:
    """As `html.unescape`, of any text."""
    return html.unescape(_LONG.sub(_short, text) if "&#" in text else text)


def _short(found: re.Match[str]) -> str:
    digits = found[1].lstrip("0")
    return f"&#{digits}" if 0 < len(digits) < 8 else "&#0"
