"""Whom a refusal blames when it is not the address: what was said, or who says it. Pure."""

from __future__ import annotations

import re
from typing import Final

# reasons of bounces, in the words of reports
OF_THE_MESSAGE: Final = ("too_large", "refused_content")
OF_US: Final = ("blocked", "authentication", "sender_refused", "policy")

REFUSED_CONTENT, REFUSED_SENDER = "refused_content", "refused_sender"
_STATUS = re.compile(r"(?:5\d\d[ -])?(5\.\d{1,3}\.\d{1,3})(?!\d)")  # at the beginning of what a server said


def blame_of(reason: str, status: str = "") -> str:
    """`REFUSED_CONTENT`, `REFUSED_SENDER`, or nothing; a word of ours tells more than a status (RFC 3463)."""
    if reason in OF_THE_MESSAGE:
        return REFUSED_CONTENT
    if reason in OF_US:
        return REFUSED_SENDER
    said = _STATUS.match(reason) or _STATUS.match(status)
    code = said[1] if said else ""
    if code == "5.3.4" or code.startswith("5.6."):
        return REFUSED_CONTENT
    return REFUSED_SENDER if code.startswith("5.7.") else ""
