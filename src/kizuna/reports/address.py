"""Mail addresses as they stand in text. Pure, in one pass."""

from __future__ import annotations

import re

MOST_LOCAL, MOST_DOMAIN = 64, 255

# Each side is bounded, so that no run of letters is looked at more than so often.
ADDRESS = re.compile(
    r"(?<![\w.+=&'/$%*!#?^`{|}~-])"
    rf"([\w.+=&'/$%*!#?^`{{|}}~-]{{1,{MOST_LOCAL}}}@[A-Za-z0-9\u0080-\uffff](?:[\w.-]{{0,{MOST_DOMAIN}}}[\w])?)"
)
_BARE = re.compile(r"^<?([^\s<>@]{1,64}@[^\s<>@;,]{1,255})>?$")


def addresses(text: str) -> list[str]:
    """Each once, in the order in which they stand."""
    return list(dict.fromkeys(found.strip("'").lstrip("/=") for found in ADDRESS.findall(text)))


def one(value: str) -> str | None:
    """Of a field that holds an address: `rfc822; a@b`, `<a@b>`, `Name <a@b>`."""
    value = value.strip().rpartition(";")[2].strip() if ";" in value else value.strip()
    if bare := _BARE.match(value):
        return bare.group(1).strip("'\"")
    found = addresses(value)
    return found[0] if found else None
