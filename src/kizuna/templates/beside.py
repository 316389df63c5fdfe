"""What stands beside a preview: its text, its length as SMS, the wording that was taken, and what to warn of."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from kizuna.templates.mail_checks import warnings_of as warnings_of_mail
from kizuna.templates.occasion import Occasion
from kizuna.templates.render import Content
from kizuna.templates.sms_length import length_of
from kizuna.templates.sms_length import warnings_of as warnings_of_sms
from kizuna.voice.listen import warnings_of as warnings_of_voice


def beside(occasion: Occasion, content: Content) -> tuple[dict[str, Any], list[str]]:
    """Fields of the answer, and warnings. It may take a while: not for an event loop."""
    template, also, warnings = occasion.template, dict[str, Any](), list[str]()
    text = content.text_part() if template.escapes else content.body
    if template.escapes:
        also["text"] = text
        warnings += warnings_of_mail(content.subject, content.body) if template.channel == "email" else []
    if template.channel == "sms":
        length = length_of(text)
        also["sms"] = to_builtins(length)
        warnings += warnings_of_sms(length)
    if occasion.voice is not None:
        spoken = occasion.locale if template.locales else ""
        warnings += warnings_of_voice(occasion.voice, spoken, template.channel, content.subject, text)
    if template.locales:
        also["locale"] = template.variant(occasion.locale) or "default"
    return also, warnings
