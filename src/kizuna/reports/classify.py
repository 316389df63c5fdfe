"""From what a server said to one of our reasons, with its codes. Pure, and one pass over the text a phrase."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kizuna.reports.address import ADDRESS
from kizuna.reports.phrases import GAP, PHRASES
from kizuna.reports.result import OF_NO_ADDRESS

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

# what the codes of RFC 3463 and of the registry say by themselves; the longest beginning that fits
_BY_STATUS: Final = {
    "1.1": "unknown_user", "1.2": "unknown_host", "1.3": "unknown_user", "1.6": "moved", "1.7": "sender_refused",
    "1.8": "sender_refused", "1.9": "expired", "1.10": "takes_no_mail", "1.0": "other", "2.0": "refused_by_recipient",
    "2.1": "disabled", "2.2": "mailbox_full", "2.3": "too_large", "3.2": "system", "3.4": "too_large", "3.": "system",
    "4.1": "expired", "4.2": "network", "4.3": "network", "4.4": "unknown_host", "4.6": "network", "4.7": "expired",
    "4.": "network", "5.2": "system", "5.3": "rate_limited", "5.": "system", "6.": "refused_content",
    "7.1": "policy", "7.9": "policy", "7.13": "disabled", "7.17": "unknown_user", "7.18": "unknown_host",
    "7.20": "authentication", "7.21": "authentication", "7.22": "authentication", "7.23": "authentication",
    "7.24": "authentication", "7.25": "blocked", "7.26": "authentication", "7.27": "takes_no_mail",
    "7.28": "rate_limited", "7.30": "policy", "7.57": "policy", "7.60": "blocked", "7.606": "blocked", "7.": "policy",
}  # fmt: skip
SURE: Final = ("1.1", "1.2", "1.3", "1.6", "1.10", "2.2", "2.3", "3.4")  # those that nobody says by habit
_BY_REPLY: Final = {
    "421": "system", "450": "system", "451": "system", "452": "mailbox_full", "550": "unknown_user", "551": "moved",
    "552": "mailbox_full", "553": "unknown_user", "554": "policy", "521": "takes_no_mail", "556": "takes_no_mail",
    "530": "policy", "535": "policy",
}  # fmt: skip


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


def is_vague(status: str | None) -> bool:
    """5.0.0 says no more than the first digit does."""
    return status is None or status.endswith(".0.0") or status == "5.0"


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


def by_status(status: str | None) -> str | None:
    if is_vague(status) or status is None:
        return None
    detail = status[2:]
    reason = _BY_STATUS.get(detail) or _BY_STATUS.get(f"{detail.partition('.')[0]}.")
    return "system" if status[0] == "4" and reason in OF_NO_ADDRESS else reason  # for now is not for good


def by_reply(reply: str | None) -> str | None:
    return _BY_REPLY.get(reply or "")
