"""UTM parameters: told to the links of a mail where they lack them; nothing else of a link is touched. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote_plus

LONGEST = 200  # characters of a value
NAME = re.compile(r"[a-z][a-z0-9_]{0,30}\Z")
_OFF = re.compile(r"""\sdata-utm\s{0,9}=\s{0,9}["']?off\b""", re.IGNORECASE)


def tagged(url: str, utm: Mapping[str, str]) -> str:
    """The link with what it lacks; its path, its own query and its fragment stay byte for byte."""
    front, hash_, fragment = url.partition("#")
    path, _, query = front.partition("?")
    has = {unquote_plus(part.partition("=")[0]).lower() for part in re.split("[&;]", query)}
    added = "&".join(
        f"utm_{name}={quote(value[:LONGEST], safe='')}"
        for name, value in utm.items()
        if value and f"utm_{name}" not in has
    )
    if not added:
        return url
    joint = "&" if query and not query.endswith("&") else ""
    return f"{path}?{query}{joint}{added}{hash_}{fragment}"


def is_off(anchor: str) -> bool:
    """Whether an `<a ...` says `data-utm="off"`."""
    return bool(_OFF.search(anchor))
