"""A template as it is published: channel, subject, body, format, and wordings by locale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.channels import is_in_page
from kizuna.core.errors import FieldError, Invalid
from kizuna.templates import in_page
from kizuna.templates.in_page import PagePart
from kizuna.templates.push import PushPart
from kizuna.templates.push import read as read_push

FORMATS = ("liquid+html", "liquid+mjml", "liquid+text")
COMMERCIAL, TRANSACTIONAL = KINDS = ("commercial", "transactional")  # what a template is for
LETTER = "letter"
PLAIN = ("push", "sms", "line", "whatsapp", LETTER, "call")  # channels that show no HTML

LONGEST_LOCALE = 35


class Wording(Struct, frozen=True):
    subject: str | None
    body: str
    text: str | None = None  # the text part of a mail; without it, one is made from the HTML
    page: PagePart | None = None  # of a message in a page


class Template(Struct, frozen=True):
    """`locales` override the default wording: for `zh-Hant-TW` that of `zh-Hant-TW`, then `zh-Hant`, then `zh`."""

    channel: str
    format: str
    default: Wording
    locales: Mapping[str, Wording]
    push: PushPart | None = None
    kind: str = COMMERCIAL
    logo: str = ""  # of a letter, as `paper.logo` reads it

    @property
    def escapes(self) -> bool:
        return self.format != "liquid+text"

    def variant(self, locale: str) -> str:
        """The locale whose wording a customer of `locale` gets; empty: the default."""
        tag = locale.replace("_", "-").lower()[:LONGEST_LOCALE]
        while tag and tag not in self.locales:
            tag = tag.rpartition("-")[0]
        return tag

    def wording(self, locale: str) -> Wording:
        return self.locales.get(self.variant(locale), self.default) if self.locales else self.default

    def wordings(self) -> list[tuple[str, Wording]]:
        """Each with the JSON pointer of its place."""
        return [("", self.default), *((f"/locales/{locale}", said) for locale, said in self.locales.items())]


def read(body: Mapping[str, Any]) -> Template:
    """A template from its JSON; raises `Invalid` naming every wrong field."""
    errors: list[FieldError] = []
    channel, format_ = body.get("channel", "email"), body.get("format")
    format_ = format_ or ("liquid+text" if channel in PLAIN else "liquid+html")
    if not isinstance(channel, str) or not channel:
        errors.append(FieldError("/channel", "invalid", "name a channel, such as email"))
    if format_ not in FORMATS:
        errors.append(FieldError("/format", "unsupported", f"one of {', '.join(FORMATS)}"))
    kind = body.get("class", COMMERCIAL)
    if kind not in KINDS:
        errors.append(FieldError("/class", "invalid", f"one of {', '.join(KINDS)}"))
    if format_ == "liquid+mjml" and isinstance(channel, str) and is_in_page(channel):
        errors.append(FieldError("/format", "unsupported", "a page takes liquid+html or liquid+text"))
    default = _wording(body, channel, "", errors)
    locales = body.get("locales") or {}
    if not isinstance(locales, Mapping):
        errors.append(FieldError("/locales", "invalid", "an object: locale to {subject, body}"))
        locales = {}
    others: dict[str, Wording] = {}
    for locale, said in locales.items():
        if isinstance(said, Mapping):
            # an own body is not followed by the default's text part
            general = {"subject": default.subject, "body": default.body}
            general |= {name: body[name] for name in in_page.FIELDS if name in body}
            if "body" not in said:
                general["text"] = default.text
            found = _wording({**general, **said}, channel, f"/locales/{locale}", errors)
            others[str(locale).replace("_", "-").lower()] = found
        else:
            errors.append(FieldError(f"/locales/{locale}", "invalid", "an object {subject, body}"))
    push = read_push(body.get("push"), channel, errors)
    logo = body.get("logo") or ""
    if logo and (channel != LETTER or not isinstance(logo, str)):
        errors.append(FieldError("/logo", "unsupported", "a template of channel letter may have one, as a text"))
    if errors:
        raise Invalid("the template is not complete", code="invalid_template", errors=errors)
    return Template(channel, format_, default, others, push, kind, logo)


def _wording(said: Mapping[str, Any], channel: Any, pointer: str, errors: list[FieldError]) -> Wording:
    subject, body, text = said.get("subject"), said.get("body"), said.get("text")
    if subject is not None and not isinstance(subject, str):
        errors.append(FieldError(f"{pointer}/subject", "invalid", "a text"))
        subject = None
    if not isinstance(body, str):
        errors.append(FieldError(f"{pointer}/body", "required", "the text to say, in Liquid"))
        body = ""
    if text is not None and not isinstance(text, str):
        errors.append(FieldError(f"{pointer}/text", "invalid", "a text"))
        text = None
    return Wording(subject, body, text, in_page.read(said, channel, pointer, errors))


def read_stored(body: bytes) -> Template:
    """A template from the JSON it was published with."""
    return read(msgspec.json.decode(body))
