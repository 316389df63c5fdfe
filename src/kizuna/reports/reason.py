"""Puts together what a report says of one address, in fields and in words, to one result. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

from kizuna.core.mail_codes import SURE, by_reply, by_status, is_vague
from kizuna.reports.classify import Codes, by_words, codes
from kizuna.reports.result import BOUNCE, DELAYED, Result

MOST_LINES = 40  # of what people are told about one address
_TYPE = re.compile(r"^\s*[\w-]{1,40}\s*;\s*")
_AT_GREETING = re.compile(
    r"refused\s+to\s+talk\s+to\s+me|(?:after|reply\s+to|our)\s+(?:ehlo|helo|initial\s+connection)", re.IGNORECASE
)
_AT_SENDER = re.compile(
    r"(?:after|reply\s+to|our|rejected)\s+mail\s+from|sender\s+was\s+rejected|>>>\s+mail\s+from", re.IGNORECASE
)
_AT_RECIPIENT = re.compile(
    r"(?<!need )rcpt|rejected address|address rejected|unknown recipient|invalid recipient|recipient (?:name|not"
    r"|unknown|does|address)|like recipient|no such recipient|addressee|not listed|not exist|doesn't exist"
    r"|mailbox disabled|見つかりません|存在しません",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"doesn't have an? \S{1,80} account", re.IGNORECASE)
_AT_END = re.compile(
    r"end[\s-]+of[\s-]+data|after\s+data|final\s+data|>>>\s+data\n<<<[^\n]{0,500}\n554 5\.0\.0 service", re.IGNORECASE
)
_OF_SOMEBODY = ("unknown_user", "unknown_host", "refused_by_recipient")


class Said(Struct, frozen=True, kw_only=True):
    """What the parts of a report say of an address."""

    diagnostic: str = ""
    status: str | None = None
    comment: str = ""  # beside the status
    human: str = ""  # all that people are told
    near: str | None = None  # what of it is about this address; None: it is looked for
    action: str = ""


def judge(address: str | None, kind: str, said: Said) -> Result:
    diagnostic = _TYPE.sub("", said.diagnostic)
    near = about(said.human, address) if said.near is None else said.near
    status, reply = _codes(said.status, diagnostic, near, said.human)
    if kind not in (BOUNCE, DELAYED):
        return Result(address, kind, None, status, reply)
    reason = _reason(address, diagnostic, near, said, status, reply)
    reason = _weigh(reason, said.diagnostic, f"{diagnostic}\n{said.comment}\n{near}", status, reply)
    return Result(address, kind, reason, status, reply)


def _weigh(reason: str, diagnostic: str, text: str, status: str | None, reply: str | None) -> str:
    """What a reason is worth at the point at which it was given."""
    if reason == "unknown_user" and diagnostic.lower().startswith("x-unix"):
        return "system"  # a program says so, whoever it means
    if reason == "unknown_user" and (codes(diagnostic).status or "").startswith("5.7."):
        return "refused_by_recipient"
    if (reason in _OF_SOMEBODY and _AT_SENDER.search(text)) or (reason == "policy" and "sender was rejected" in text):
        return "sender_refused"
    if reason == "unknown_user" and reply and _PLAIN.search(text):
        return reason
    if reason in ("unknown_user", "disabled") and _AT_END.search(text):
        return "refused_by_recipient" if reason == "unknown_user" else "suspended"
    if reason == "unknown_user" and not (_says_address(status) or _AT_RECIPIENT.search(text)):
        return "refused_by_recipient"  # filters answer so, those of carriers in Japan above all: it may work again
    return reason


def _says_address(status: str | None) -> bool:
    return status is not None and status.startswith("5.1.")


def _reason(address: str | None, diagnostic: str, near: str, said: Said, status: str | None, reply: str | None) -> str:
    answers = _answers(near)
    found = (
        by_words(diagnostic)
        or (by_status(status) if diagnostic and status and status[2:] in SURE else None)
        or by_words(_replies(near))
        or by_words(_line_of(address, near))
        or by_words(answers)
    )
    if found in (None, "system", "refused_by_recipient", "suspended", "expired", "network") and _AT_GREETING.search(
        f"{diagnostic} {near}"
    ):
        return "blocked"  # not even asked for whom it was
    return (
        found
        or by_words(near)
        or by_status(status)
        or by_words(said.comment)
        or by_words(said.action)
        or by_words(said.human)
        or by_reply(reply)
        or "other"
    )


def _codes(field: str | None, diagnostic: str, near: str, human: str) -> Codes:
    """What the last server said is believed first, then the field; a reply code that contradicts the status is not of
    this failure."""
    status = field
    reply: str | None = None
    for text in (diagnostic, near, human):
        found = codes(text)
        reply = reply or found.reply
        if is_vague(status) and found.status and not (field and found.status[0] != field[0]):
            status = status if is_vague(found.status) and status else found.status
    paired = codes(diagnostic)
    if paired.status and not is_vague(paired.status):
        status = paired.status
    if reply and status and reply[0] != status[0]:
        reply = None
    return Codes(status, reply)


def _line_of(address: str | None, near: str) -> str:
    """What stands beside the address."""
    lowered = (address or "\n").lower()
    return next((line for line in near.split("\n") if lowered in line.lower()), "")


def _replies(near: str) -> str:
    """What a transcript says that the other side said."""
    return "\n".join([line for line in near.split("\n") if line.lstrip("> ").startswith("<<<")][:MOST_LINES])


def _answers(near: str) -> str:
    """The lines in which a server is quoted, with what follows each."""
    lines = near.split("\n")[:MOST_LINES]
    quoted = [at for at, line in enumerate(lines) if any(codes(line))]
    return "\n".join(
        lines[at] for at in sorted({at for start in quoted for at in (start, start + 1) if at < len(lines)})
    )


def about(human: str, address: str | None) -> str:
    """The lines about an address: from the one that names it to a blank one, or all where none does."""
    if address is None:
        return human
    lines = human.split("\n")
    wanted = address.lower()
    found: list[str] = []
    following = False
    for line in lines:
        if wanted in line.lower():
            following = True
        elif not line.strip():
            following = False
        if following and len(found) < MOST_LINES:
            found.append(line.strip())
    return "\n".join(found)
