"""What of a shelf is still welcome: the rules of the claim, asked again whenever a browser comes for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.consent.decide import refusal
from kizuna.consent.section import Consent
from kizuna.consent.terms import Terms
from kizuna.messages.sql_shelf import Lying


class Rules(Struct, frozen=True):
    """What no choice means: by topic, else of the workspace; and the policy, whose laws may make it stricter."""

    by_topic: Mapping[str, str]
    general: str
    terms: Terms = Terms()

    def neutral(self, lying: Lying, traits: Mapping[str, Any]) -> str:
        said = self.by_topic.get(lying.topic or "", self.general)
        return self.terms.neutral(said, lying.channel, lying.topic, traits)


def is_welcome(
    lying: Lying, consent: Consent, vetoes: Set[tuple[str, str]], rules: Rules, traits: Mapping[str, Any], now: int
) -> bool:
    """`vetoes` are (channel, topic) not folded yet; `traits` say which country's law holds."""
    if not lying.transactional and vetoes & {(lying.channel, ""), (lying.channel, lying.topic or "")}:
        return False
    means = rules.neutral(lying, traits)
    return refusal(consent, lying.channel, lying.topic, lying.transactional, means, now=now) is None


def is_over(lying: Lying) -> bool:
    """Shown once already, as it was to be: only a browser that holds it keeps it."""
    return lying.channel == "in_app" and lying.seen_at is not None and bool(page_of(lying)["display"].get("once"))


def page_of(lying: Lying) -> dict[str, Any]:
    """`{image, url, buttons: [{label, url, event}], display}`."""
    return msgspec.json.decode(lying.item) if lying.item else {"display": {}, "buttons": [], "image": "", "url": ""}
