"""From what a server said to one of our reasons, with its codes. Pure, and one pass over the text a phrase."""

from __future__ import annotations

import re
from typing import NamedTuple

from kizuna.core.mail_codes import is_vague
from kizuna.reports.address import ADDRESS
from kizuna.reports.phrases import GAP, PHRASES

MOST_SAID = 4_000  # characters of what a server said that are looked at

_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_CODE = r"(25[0-3]|421|43[0-2]|4[45]\d|50\d|51[0-7]|52[135]|53[0-8]|54[0-7]|55[0-7]|57[1-7])"
_REPLY = re.compile(rf"(?:^|[\s:;>(\"'\[#,]){_CODE}(?=$|[\s:;,.)\"'-])")
_PAIR = re.compile(rf"(?<![\d.]){_CODE}[ -:]{{1,3}}'?#?([245]\.\d{{1,3}}\.\d{{1,3}})(?![\d.]*\d)")
_NO_HOST = re.compile(r"(?<![@\w.-])(?:[a-z0-9-]{1,63}\.){1,9}[a-z]{2,20}>? (?:does not|doesn't) exist")
_TABLE = [
    (reason, [tuple(phrase.split(GAP)) for phrase in phrases if GAP in phrase],
     [phrase for phrase in phrases if GAP not in phrase])
    for reason, phrases in PHRASES
]  # fmt: skip


class Codes(NamedTuple):
    status: str | None
    reply: str | None


def codes(text: str) -> Codes:
    """The first reply code and the first status; a specific status wins over one that says nothing."""
    text = text[:MOST_SAID]
    if pair := _PAIR.search(text):  # side by side: of one answer
        return Codes(pair.group(2), pair.group(1))
    reply = _REPLY.search(text)
    found = _STATUS.findall(text)
    status = next((each for each in found if not is_vague(each)), found[0] if found else None)
    return Codes(status, reply.group(1) if reply else None)


def by_words(text: str) -> str | None:
    """The reason that the first phrase of the table names, if any does."""
    text = text[:MOST_SAID].replace("\n\n", " | ")  # words of two paragraphs are no phrase
    said = " ".join(ADDRESS.sub("@", text).lower().split())  # what people call themselves says nothing
    said = said.replace("’", "'")  # as some programs quote
    for reason, gapped, whole in _TABLE:
        if any(phrase in said for phrase in whole) or any(_in_order(pieces, said) for pieces in gapped):
            return "unknown_host" if reason == "unknown_user" and _NO_HOST.search(said) else reason
    return None


def _in_order(pieces: tuple[str, ...], said: str) -> bool:
    at = 0
    for piece in pieces:
        at = said.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True
