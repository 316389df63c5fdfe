"""Listen to a text: where it does not speak in the brand's voice. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from kizuna.voice.readability import grade, kanji_share, sentence_length
from kizuna.voice.voice import Rules, Voice

_LATIN = re.compile(r"[A-Za-z0-9]")


def warnings_of(voice: Voice, locale: str, channel: str, subject: str | None, body: str) -> list[str]:
    """Each with what to do. `body` is text as it is read, without marks of HTML."""
    rules = voice.rules(locale)
    whole = f"{subject or ''}\n\n{body}"
    found = [*_words(rules, whole), *_lengths(rules, channel, subject, body), *_reading(rules, locale, body)]
    return [f"brand voice: {each}" for each in dict.fromkeys(found)]


def _words(rules: Rules, text: str) -> Iterator[str]:
    for each in rules.avoid:
        if _found(each.word).search(text):
            yield f"avoid {each.word!r}" + (f", say {each.use!r}" if each.use else "")
    for word in rules.use:
        wrong = next((said[0] for said in _found(word).finditer(text) if said[0] != word), None)
        if wrong is not None:
            yield f"write {word!r}, not {wrong!r}"
    for signs in rules.forbidden:
        if signs in text:
            yield f"{signs!r} is not written"


@lru_cache(2_000)
def _found(word: str) -> re.Pattern[str]:
    """A word of Latin letters stands by itself; others, as in Japanese, also within."""
    before = r"(?<![A-Za-z0-9])" if _LATIN.match(word[0]) else ""
    after = r"(?![A-Za-z0-9])" if _LATIN.match(word[-1]) else ""
    return re.compile(f"{before}{re.escape(word)}{after}", re.IGNORECASE)


def _lengths(rules: Rules, channel: str, subject: str | None, body: str) -> Iterator[str]:
    most = rules.lengths.get(channel)
    if most is None:
        return
    for name, text, limit in (("subject", subject or "", most.subject), ("body", body.strip(), most.body)):
        if limit is not None and len(text) > limit:
            yield f"the {name} has {len(text):,} characters, at most {limit:,} on {channel}"


def _reading(rules: Rules, locale: str, body: str) -> Iterator[str]:
    reading = rules.reading
    share = kanji_share(body)
    is_japanese = locale.lower().startswith("ja") or (not locale and share is not None)
    if not is_japanese:
        found = grade(body) if reading.grade is not None else None
        if found is not None and reading.grade is not None and found > reading.grade:
            yield f"reading grade {found:.1f}, at most {reading.grade:g}: shorter sentences, shorter words"
        return
    length = sentence_length(body)
    if reading.sentence_length is not None and length is not None and length > reading.sentence_length:
        yield f"sentences of {length:.0f} characters on average, at most {reading.sentence_length:g}"
    if reading.kanji_share is not None and share is not None and share > reading.kanji_share:
        yield f"{share:.0%} kanji, at most {reading.kanji_share:.0%}: write more in kana"
