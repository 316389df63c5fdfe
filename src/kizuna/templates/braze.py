"""Templates that were written for Braze: its `${...}` becomes what Kizuna calls the same, with a notice of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SPELLED = re.compile(r"(?:([a-z_]{1,40})\.)?\$\{([^{}$]{1,200})\}")
_BLOCK = re.compile(r"\{\{-?\s{0,20}content_blocks\.\$\{([^{}$']{1,200})\}[^{}]{0,200}\}\}")
_NESTED = re.compile(r"\{\{\s{0,20}((?:[a-z_]{1,40}\.)?\$\{[^{}$]{1,200}\})\s{0,20}\}\}")
_TAG = re.compile(r"\{%.{0,5000}?%\}", re.DOTALL)
_TAKES_OUTPUTS = re.compile(
    r"\{%-?\s{0,20}(?:connected_content|catalog_items|catalog_selection_items|message_extras)\b"
)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")

_ROOTS = {
    "": "profile.traits",
    "custom_attribute": "profile.traits",
    "event_properties": "event.properties",
    "canvas_entry_properties": "event.properties",
    "context": "event.properties",
    "api_trigger_properties": "data",
}
_OWN = {
    ".user_id": "profile.identities.user_id",
    ".email_address": "profile.traits.email",
    ".phone_number": "profile.traits.phone",
    ".language": "profile.traits.locale",
    ".set_user_to_unsubscribed_url": "message.unsubscribe_url",
    ".unsubscribe_url": "message.unsubscribe_url",
    "campaign.name": "message.campaign",
    "campaign.message_name": "message.variant",
    "canvas.name": "run.journey",
}


def convert(text: str) -> tuple[str, list[str]]:
    """The text in our spelling, and a notice for each spelling that was changed or is not known here."""
    if "${" not in text:
        return text, []
    notices: dict[str, None] = {}

    def block(found: re.Match[str]) -> str:
        notices[f"content_blocks.${{{found[1]}}} is now include '{found[1]}'"] = None
        return f"{{% include '{found[1]}' %}}"

    def ours(found: re.Match[str]) -> str:
        root, name = found[1] or "", found[2].strip()
        said = _OWN.get(f"{root}.{name}") or _under(_ROOTS.get(root), name)
        if said is None:
            notices[f"{found[0]} has no counterpart here and was left as it is"] = None
            return found[0]
        notices[f"{found[0]} is now {said}"] = None
        return said

    text = _BLOCK.sub(block, text)
    text = _TAG.sub(lambda tag: tag[0] if _TAKES_OUTPUTS.match(tag[0]) else _NESTED.sub(r"\1", tag[0]), text)
    return _SPELLED.sub(ours, text), list(notices)


def _under(root: str | None, name: str) -> str | None:
    if root is None or "'" in name:
        return None
    return f"{root}.{name}" if _PLAIN.match(name) else f"{root}['{name}']"


def convert_template(body: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The JSON of a template with every text of it converted."""
    notices: dict[str, None] = {}

    def wording(said: Mapping[str, Any]) -> dict[str, Any]:
        made = dict(said)
        for name in ("subject", "body", "text"):
            if isinstance(made.get(name), str):
                made[name], found = convert(made[name])
                notices.update(dict.fromkeys(found))
        return made

    made = wording(body)
    locales = made.get("locales")
    if isinstance(locales, Mapping):
        made["locales"] = {k: wording(said) if isinstance(said, Mapping) else said for k, said in locales.items()}
    return made, list(notices)
