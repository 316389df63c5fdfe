"""A template as it is published: channel, subject, body, format, and wordings by locale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.core.errors import FieldError, Invalid
from kizuna.templates.push import PushPart
from kizuna.templates.push import read as read_push

FORMATS = ("liquid+html", "liquid+text")


class Wording(Struct, frozen=True):
    subject: str | None
    body: str


class Template(Struct, frozen=True):
    """`locales` override the default wording by `ja-JP`, then `ja`."""

    channel: str
    format: str
    default: Wording
    locales: Mapping[str, Wording]
    push: PushPart | None = None

    @property
    def escapes(self) -> bool:
        return self.format != "liquid+text"

    def wording(self, locale: str) -> Wording:
        tag = locale.replace("_", "-").lower()
        return self.locales.get(tag) or self.locales.get(tag.partition("-")[0]) or self.default

    def wordings(self) -> list[tuple[str, Wording]]:
        """Each with the JSON pointer of its place."""
        return [("", self.default), *((f"/locales/{locale}", said) for locale, said in self.locales.items())]


def read(body: Mapping[str, Any]) -> Template:
    """A template from its JSON; raises `Invalid` naming every wrong field."""
    errors: list[FieldError] = []
    channel, format_ = body.get("channel", "email"), body.get("format")
    format_ = format_ or ("liquid+text" if channel == "push" else "liquid+html")
    if not isinstance(channel, str) or not channel:
        errors.append(FieldError("/channel", "invalid", "name a channel, such as email"))
    if format_ not in FORMATS:
        errors.append(FieldError("/format", "unsupported", f"one of {', '.join(FORMATS)}"))
    default = _wording(body, "", errors)
    locales = body.get("locales") or {}
    if not isinstance(locales, Mapping):
        errors.append(FieldError("/locales", "invalid", "an object: locale to {subject, body}"))
        locales = {}
    others: dict[str, Wording] = {}
    for locale, said in locales.items():
        if isinstance(said, Mapping):
            found = _wording({"subject": default.subject, "body": default.body, **said}, f"/locales/{locale}", errors)
            others[str(locale).replace("_", "-").lower()] = found
        else:
            errors.append(FieldError(f"/locales/{locale}", "invalid", "an object {subject, body}"))
    push = read_push(body.get("push"), channel, errors)
    if errors:
        raise Invalid("the template is not complete", code="invalid_template", errors=errors)
    return Template(channel, format_, default, others, push)


def _wording(said: Mapping[str, Any], pointer: str, errors: list[FieldError]) -> Wording:
    subject, body = said.get("subject"), said.get("body")
    if subject is not None and not isinstance(subject, str):
        errors.append(FieldError(f"{pointer}/subject", "invalid", "a text"))
        subject = None
    if not isinstance(body, str):
        errors.append(FieldError(f"{pointer}/body", "required", "the text to say, in Liquid"))
        body = ""
    return Wording(subject, body)


def read_stored(body: bytes) -> Template:
    """A template from the JSON it was published with."""
    return read(msgspec.json.decode(body))
