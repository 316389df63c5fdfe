"""A template as text, before anybody is spoken to: what is written in it, without Liquid and marks of HTML."""

from __future__ import annotations

import re

from kizuna.templates.definition import Template
from kizuna.templates.plain_text import text_of
from kizuna.voice.listen import warnings_of
from kizuna.voice.voice import Voice

_VERBATIM = re.compile(r"\{%-?\s*(comment|raw|doc)\b.*?\{%-?\s*end\1\s*-?%\}", re.DOTALL)
_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_STYLE = re.compile(r"<(style|mj-style|script)\b.*?</\1>", re.DOTALL | re.IGNORECASE)


def heard(voice: Voice, template: Template) -> list[str]:
    """What a voice says of each wording, with the locale it is of."""
    found: list[str] = []
    for pointer, wording in template.wordings():
        locale = pointer.removeprefix("/locales/")
        body = written(wording.body, is_html=template.escapes)
        subject = None if wording.subject is None else written(wording.subject, is_html=False)
        warnings = warnings_of(voice, locale, template.channel, subject, body)
        found += [f"{each} ({locale})" if locale else each for each in warnings]
    return found


def written(text: str, *, is_html: bool) -> str:
    text = _LIQUID.sub("", _VERBATIM.sub("", text))
    return text_of(_STYLE.sub("", text)) if is_html else text.strip()
