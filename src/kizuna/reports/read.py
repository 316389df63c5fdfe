"""A mail that came back, read: delivery status, feedback, auto-reply, or words for people."""

from __future__ import annotations

import re

from msgspec import structs

from kizuna.core import exact_json
from kizuna.core.errors import Invalid
from kizuna.reports import amazon, auto_reply, delivery_status, feedback, free_text
from kizuna.reports.mail import Mail, parse
from kizuna.reports.result import BOUNCE, OTHER, Report, Result

MOST_ABOUT = 10
_MESSAGE_ID = re.compile(r"(?im)^[>\s]{0,9}message-id\s{0,9}:\s{0,9}<?([^\s<>]{1,250})")

_QUOTED = re.compile(r"^(?:> ?){1,3}")
_STATUS = re.compile(r"(?i)(?:reporting-mta|final-recipient)\s?:")
_OVER = re.compile(r"(?i)--|content-type\s?:")


def read(raw: bytes) -> Report:
    """Never raises. One that reports nothing has one result of kind `other`."""
    mail = parse(raw)
    return Report(_results(mail) or [Result(None, OTHER)], _about(mail))


def _results(mail: Mail) -> list[Result]:
    letter = free_text.open_letter(mail)
    for part in mail.parts:
        if part.kind == feedback.KIND:
            return feedback.read(part.text, letter.returned)
    results = [
        result
        for part in mail.parts if part.kind in delivery_status.KINDS
        for result in delivery_status.read(part.text, letter.text)
    ]  # fmt: skip
    results = results or delivery_status.read(*_embedded(mail))
    if len(results) == 1 and results[0].address is None and (named := free_text.recipients(mail, letter)):
        return [structs.replace(results[0], address=named[0])]
    if results:
        return results
    if notified := _notification(letter.text):
        return notified
    automatic = auto_reply.read(mail)
    if automatic and not _is_of_a_mailer(mail, letter):
        return automatic
    if free_text.is_from_daemon(mail) and (results := free_text.read(mail, letter)):
        return results
    if automatic:
        return automatic
    if free_text.looks_returned(mail) or free_text.says_returned(letter):
        return free_text.read(mail, letter) or [Result(None, BOUNCE, "other")]
    return []


def _is_of_a_mailer(mail: Mail, letter: free_text.Letter) -> bool:
    """Of a mail that says it answers by itself, as some bounces do: people are called postmaster, too, and their notes
    name who is there instead."""
    if free_text.is_from_mailer(mail):
        return True
    looks_returned = free_text.looks_returned(mail) and not free_text.quotes_subject(mail)
    return free_text.is_from_daemon(mail) and (looks_returned or free_text.says_returned(letter))


def _embedded(mail: Mail) -> tuple[str, str]:
    """A delivery status that stands in text, as forwarding and broken frames leave it; and what stands before it."""
    lines = [_QUOTED.sub("", line) for part in mail.parts for line in part.text.split("\n")]
    start = next((at for at, line in enumerate(lines) if _STATUS.match(line)), None)
    if start is None:
        return "", ""
    end = next((at for at in range(start, len(lines)) if _OVER.match(lines[at])), len(lines))
    return "\n".join(lines[start:end]), "\n".join(lines[:start])[-free_text.MOST_TEXT :]


def _notification(text: str) -> list[Result]:
    """Amazon sends its notifications by mail, too: JSON, which the way there may have broken into lines."""
    start = text.find('{"notificationType"')
    if start < 0:
        return []
    ends = [at for mark in ("\n\n", "\n--") if (at := text.find(mark, start)) > 0]
    line = text[start : min(ends, default=len(text))].replace("!\n ", "").replace("\n", "")
    try:
        return list(amazon.read(exact_json.decode_checked(line.encode())).results)
    except Invalid:
        return []


def _about(mail: Mail) -> list[str]:
    """Message-IDs that stand in it, its own left out."""
    own = mail.first("message-id").strip("<> ")
    texts = [part.text for part in mail.parts]
    found = dict.fromkeys(each for text in texts for each in _MESSAGE_ID.findall(text) if each != own)
    return list(found)[:MOST_ABOUT]
