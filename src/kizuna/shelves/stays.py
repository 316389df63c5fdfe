"""What of a shelf is still welcome: the rules of the claim, asked again whenever a browser comes for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import msgspec

from kizuna.consent.decide import refusal
from kizuna.consent.section import Consent
from kizuna.messages.sql_shelf import Lying


def is_welcome(
    lying: Lying, consent: Consent, vetoes: Set[tuple[str, str]], neutral: Mapping[str, str], default: str, now: int
) -> bool:
    """`vetoes` are (channel, topic) not folded yet; `neutral` is what no choice means, by topic, else `default`."""
    if not lying.transactional and vetoes & {(lying.channel, ""), (lying.channel, lying.topic or "")}:
        return False
    means = neutral.get(lying.topic or "", default)
    return refusal(consent, lying.channel, lying.topic, lying.transactional, means, now=now) is None


def is_over(lying: Lying) -> bool:
    """Shown once already, as it was to be: only a browser that holds it keeps it."""
    return lying.channel == "in_app" and lying.seen_at is not None and bool(page_of(lying)["display"].get("once"))


def page_of(lying: Lying) -> dict[str, Any]:
    """`{image, url, buttons: [{label, url, event}], display}`."""
    return msgspec.json.decode(lying.item) if lying.item else {"display": {}, "buttons": [], "image": "", "url": ""}
