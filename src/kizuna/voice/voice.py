"""The voice as declared: rules for every locale, and those of one language instead. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.core.errors import FieldError, Invalid
from kizuna.core.shape import misfit

KIND = "brand_voice"  # also the name of the only one
MOST_WORDS, LONGEST_WORD, MOST_LOCALES = 500, 100, 50


class Avoided(Struct, frozen=True, forbid_unknown_fields=True):
    """A word that is not said, and what is said instead."""

    word: str
    use: str | None = None


class Lengths(Struct, frozen=True, forbid_unknown_fields=True):
    """Characters at most."""

    subject: int | None = None
    body: int | None = None


class Reading(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be read with ease: see `readability.py`."""

    grade: float | None = None  # English
    sentence_length: float | None = None  # Japanese: characters
    kanji_share: float | None = None  # Japanese: 0..1


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """`use` are words as they are spelled; `lengths` go by channel; `forbidden` are signs such as `!!!`."""

    use: list[str] = []
    avoid: list[Avoided] = []
    forbidden: list[str] = []
    lengths: dict[str, Lengths] = {}
    reading: Reading = Reading()


class Voice(Rules, frozen=True, forbid_unknown_fields=True):
    """Words and signs of a locale come to the general ones; its lengths and reading stand in their place."""

    locales: dict[str, Rules] = {}

    def rules(self, locale: str) -> Rules:
        """For `ja-JP`: what is general, with what is said of `ja-JP`, else of `ja`."""
        tag = locale.replace("_", "-").lower()
        own = {name.replace("_", "-").lower(): rules for name, rules in self.locales.items()}
        while tag and tag not in own:
            tag = tag.rpartition("-")[0]
        said = own.get(tag)
        if said is None:
            return Rules(self.use, self.avoid, self.forbidden, self.lengths, self.reading)
        return Rules(
            use=[*self.use, *said.use],
            avoid=[*self.avoid, *said.avoid],
            forbidden=[*self.forbidden, *said.forbidden],
            lengths={**self.lengths, **said.lengths},
            reading=said.reading if said.reading != Reading() else self.reading,
        )


def read(body: Mapping[str, Any]) -> Voice:
    """Raises `Invalid` naming every wrong place."""
    try:
        voice = msgspec.convert(dict(body), Voice)
    except msgspec.ValidationError as error:
        raise _invalid([misfit(error, Voice)]) from None
    errors = _wrong("", voice)
    if len(voice.locales) > MOST_LOCALES:
        errors.append(FieldError("/locales", "too_large", f"up to {MOST_LOCALES}"))
    for locale, rules in voice.locales.items():
        errors += _wrong(f"/locales/{locale}", rules)
    if errors:
        raise _invalid(errors)
    return voice


def _wrong(pointer: str, rules: Rules) -> list[FieldError]:
    listed = {"use": rules.use, "avoid": [each.word for each in rules.avoid], "forbidden": rules.forbidden}
    errors = [
        FieldError(f"{pointer}/{name}", "invalid", f"up to {MOST_WORDS} texts of 1 to {LONGEST_WORD} characters")
        for name, words in listed.items()
        if len(words) > MOST_WORDS or not all(1 <= len(word.strip()) <= LONGEST_WORD for word in words)
    ]
    for channel, most in rules.lengths.items():
        if any(each is not None and each < 1 for each in (most.subject, most.body)):
            errors.append(FieldError(f"{pointer}/lengths/{channel}", "invalid", "characters, 1 or more"))
    share = rules.reading.kanji_share
    if share is not None and not 0 <= share <= 1:
        errors.append(FieldError(f"{pointer}/reading/kanji_share", "invalid", "a share from 0 to 1"))
    return errors


def _invalid(errors: list[FieldError]) -> Invalid:
    return Invalid("the brand voice is not valid", code="invalid_brand_voice", errors=errors)
