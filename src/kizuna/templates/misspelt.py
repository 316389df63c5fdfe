"""Words of a template's JSON that mean nothing: kept, and said to whoever publishes it, for what stands under a wrong
name is never read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from kizuna.channels import all_channels
from kizuna.templates import in_page

BLOCK = "block"  # the channel of what is only put into others
WORDING = ("subject", "body", "text", *in_page.FIELDS)
FIELDS = ("channel", "format", "class", "locales", "push", *WORDING)
SHOWN = ("name", "version", "published_at")  # with what `GET` answers, so that it may be put again


def warnings_of(body: Mapping[str, Any]) -> list[str]:
    """A sentence for each; `body` is one that `definition.read` takes."""
    found = list(_unknown(body, (*FIELDS, *SHOWN), ""))
    for locale, said in (body.get("locales") or {}).items():
        found += _unknown(said, WORDING, f" of {locale}")
    channel = body.get("channel", "email")
    if channel not in (channels := [*all_channels(), BLOCK]):
        found.append(f"no channel {channel!r}: its messages are skipped{_nearest(channel, channels)}")
    return found


def _unknown(said: Mapping[str, Any], known: Iterable[str], where: str) -> Iterator[str]:
    for word in said:
        if word not in known:
            yield f"{word!r}{where} means nothing here{_nearest(word, known)}"


def _nearest(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
