"""Bounces that are written for people: whom they name, and what they say of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from kizuna.reports.address import ADDRESS, addresses, one
from kizuna.reports.classify import codes
from kizuna.reports.mail import Mail, read_headers
from kizuna.reports.reason import Said, judge
from kizuna.reports.result import BOUNCE, DELAYED, Result

MOST_RECIPIENTS = 20
MOST_TEXT = 30_000  # characters that are read of what people are told
MOST_LINES = 2_000
MOST_LINE = 1_000  # characters

_DAEMON = re.compile(
    r"mailer-?daemon|mail[ ._-]?delivery|mail-?daemon|mdaemon|postmaster|delivery (?:sub)?system|undeliver"
    r"|mail administrator|mail router|message delivery|listserv|mail system",
    re.IGNORECASE,
)
_MAILER = re.compile(r"mailer-?daemon", re.IGNORECASE)  # no person is called so, as some are postmasters
_ANSWER = re.compile(r"\s*(?:re|aw|sv|antw|auto(?:matic reply)?)\s?:", re.IGNORECASE)
_SUBJECT = re.compile(
    r"undeliver|returned (?:mail|to sender)|return(?:ing|ed) message|failure notice|deliver\w* (?:failure|failed"
    r"|problem|error|status|notification|report|has failed|unsuccessful|incomplete|delay|warning)"
    r"|could ?n[o']t be deliver|non-?delivery|mail (?:failure|error|delivery)|not delivered|unable to deliver"
    r"|mail could not be|nondeliverable|bounce|message (?:delayed|status|you sent)|warning: |配信|配送|送信でき"
    r"|不達|エラーメール",
    re.IGNORECASE,
)
# where the mail begins that comes back
_COPY = re.compile(
    r"^[>\s]*(?:-{2,}[ -]*(?:below this line is|this is a copy|original message|returned message|message header"
    r"|the header|the unsent message|unsent message|copy of|start of|undelivered message|forwarded message"
    r"|message text|the following is|returned mail|mail header|enclosed|included message|the body"
    r"|transcript of the message|original mail|return|header of|header for|your message|this is the)"
    r"|original message follows|original message headers|original headers follow|message header(?:s)? follow"
    r"|the original message (?:headers|follows)|unsent message follows|begin(?:ning)? of (?:the )?(?:original"
    r"|returned)|the header of the original|received-from-mta:|here is a copy|the following is a copy"
    r"|[ *]*message headers? follow|the message headers|your original (?:mail|message)"
    r"|content-type: message/rfc822|(?:-+ ?)?the first \d+ lines|the text of (?:your|the) |this is a copy of"
    r"|copy of your message|received: (?:from|by|\(qmail)|return-path:)",
    re.IGNORECASE,
)
_NAMES = re.compile(
    r"following (?:address|recipient|user|destination|mailbox|e-?mail|people|mail)|could ?n[o']t (?:be )?deliver"
    r"|unable to deliver|undeliver|did not reach|not delivered|delivery (?:to|failed|error|failure)"
    r"|failed (?:recipient|address|to deliver|for)|error (?:was|while|occurr)|delivering your m"
    r"|not (?:been )?able to|wasn't able to|had (?:permanent|delivery|transient)|was not deliver|returned (?:for"
    r"|because|to)|addressed to|can ?not (?:be )?deliver|can't be deliver|message to|recipients? (?:were|was|could"
    r"|are|is|have|has|who)|rejected|permanent (?:fatal )?err|unsuccessful|attempted|reasons?:|your (?:message"
    r"|mail) (?:to|for)|sent to|problems? |refuse|fail(?:ed|ure)|配信|送信|届け|あて先|宛先",
    re.IGNORECASE,
)
_INTRODUCES = re.compile(r"following (?:address|recipient)|did not reach", re.IGNORECASE)
_LED = re.compile(
    r"^[\s>*|•-]*(?:[45]\d\d )?(?:(?:to|recipients?|address(?:ee)?|user|for|rcpt(?:[ -]to)?|e-?mail(?: address)?"
    r"|mailbox|final-recipient|original-recipient|failed address|message to|the (?:user|address"
    r"|recipient))(?:\s{0,9}[:=(]\s{0,9}|\s{1,9})(?:rfc822;|smtp:|mailto:)?\s{0,9})?[\"'<(\[{:]{0,4}(?:rfc822;"
    r"|smtp:|mailto:)?<?",
    re.IGNORECASE,
)
_DELAY = re.compile(
    r"warning message only|delayed|(?:will|'ll) (?:keep|continue|be (?:re)?tried|try again|retry"
    r"|attempt (?:to )?deliver)|still (?:being |trying|attempt)|not yet (?:been )?deliver|not been delivered yet"
    r"|do not need to re-?send|do not have to re-?send|no action is required|further attempts"
    r"|attempts will continue|continue to (?:try|be)|temporary problem|could not be delivered for \d+ hours"
    r"|delivery attempts will",
    re.IGNORECASE,
)
_FINAL = re.compile(
    r"given up|gave up|permanent|fatal|has been removed|no further|failed after|will not be (?:re)?tri|too long"
    r"|has failed|following (?:address|recipient)\w*(?: \w+)? failed",
    re.IGNORECASE,
)

_NOT_DELIVERED = re.compile(
    r"could ?n[o']t be deliver|not (?:be )?deliver|undeliver|invalid (?:user )?address|delivery (?:has )?fail"
    r"|unable to deliver|no such user|配信できません|届けできません",
    re.IGNORECASE,
)


class Letter(Struct, frozen=True):
    """What people are told, and the headers of the mail that comes back."""

    text: str
    returned: Mapping[str, Sequence[str]]


def open_letter(mail: Mail) -> Letter:
    texts = [part.text for part in mail.parts if part.kind.startswith("text/") and not part.holds_a_mail]
    text, rest = cut("\n".join(texts[:3]))
    text = text[:MOST_TEXT]
    returned = next((read_headers(part.text.lstrip("\n")) for part in mail.parts if part.holds_a_mail), None)
    return Letter(text, returned if returned is not None else read_headers(rest.lstrip("\n")))


def cut(text: str) -> tuple[str, str]:
    """What is said, and what comes back."""
    lines = text.split("\n")
    for number, line in enumerate(lines[:MOST_LINES]):
        if number > 0 and _COPY.match(line[:MOST_LINE]):
            is_header = ":" in line and not line.lstrip().startswith("-")
            rest = lines[number if is_header else number + 1 :]
            return "\n".join(lines[:number]), "\n".join(rest[:MOST_LINES])
    return "\n".join(lines[:MOST_LINES]), ""


def is_from_daemon(mail: Mail) -> bool:
    return bool(_DAEMON.search(mail.first("from")) or "x-failed-recipients" in mail.headers)


def is_from_mailer(mail: Mail) -> bool:
    return bool(_MAILER.search(mail.first("from")) or "x-failed-recipients" in mail.headers)


def looks_returned(mail: Mail) -> bool:
    return bool(_SUBJECT.search(mail.first("subject")))


def quotes_subject(mail: Mail) -> bool:
    """What its subject says is said of another mail, perhaps of the delivery of an order."""
    return bool(_ANSWER.match(mail.first("subject")))


def says_returned(letter: Letter) -> bool:
    """It says that something was not delivered, and brings it back or quotes a server."""
    said = _NOT_DELIVERED.search(letter.text)
    return bool(said and (letter.returned or codes(letter.text).reply))


def read(mail: Mail, letter: Letter) -> list[Result]:
    """Empty where it names nobody."""
    found = recipients(mail, letter)
    is_delay = bool(_DELAY.search(letter.text)) and not _FINAL.search(letter.text)
    kind = DELAYED if is_delay or mail.first("subject").lower().startswith("warning") else BOUNCE
    return [
        judge(address, kind, Said(human=letter.text, near=_section(letter.text, address, found))) for address in found
    ]


def recipients(mail: Mail, letter: Letter) -> list[str]:
    """From the surest source that names any."""
    named = [address for value in mail.headers.get("x-failed-recipients", []) for address in addresses(value)]
    if named:
        return named[:MOST_RECIPIENTS]
    own = {address.lower() for name in ("to", "from", "sender", "cc") if (address := one(mail.first(name)))}
    own |= {address.lower() for value in letter.returned.get("from", []) for address in addresses(value)}
    leading: list[str] = []  # at the beginning of a line, once it was said what for
    any_leading: list[str] = []
    mentioned: list[str] = []
    own_leading: list[str] = []
    is_named = is_introduced = False
    for line in letter.text.split("\n")[:MOST_LINES]:
        line = line[:MOST_LINE]  # the rest of an endless line is not looked at
        is_naming = bool(_NAMES.search(line))
        if not is_introduced and _INTRODUCES.search(line):
            is_introduced, is_named, leading = True, True, []
        is_named = is_named or is_naming
        start = _LED.match(line)
        found = ADDRESS.match(line, start.end() if start else 0)
        if found:
            address = found.group(1).strip("'")
            (own_leading if address.lower() in own else any_leading).append(address)
            if is_named and address.lower() not in own:
                leading.append(address)
        if is_naming or not leading:
            mentioned += [address for address in addresses(line) if address.lower() not in own and not _daemon(address)]
    returned = [address for value in letter.returned.get("to", []) for address in addresses(value)]
    for choice in (leading, any_leading, mentioned, own_leading, returned):
        unique = list({address.lower(): address for address in choice}.values())
        if unique:
            return unique[:MOST_RECIPIENTS]
    return []


def _daemon(address: str) -> bool:
    return bool(_DAEMON.search(address.partition("@")[0]))


def _section(text: str, address: str, others: Sequence[str]) -> str:
    """What is said after an address and before the next, in a transcript before it; all where it is the only one."""
    if len(others) < 2:
        return text
    lowered = text.lower()
    start = lowered.find(address.lower())
    if start < 0:
        return text
    places = [at for other in others if other != address and (at := lowered.find(other.lower())) >= 0]
    if "<<<" in text and ">>>" in text:
        before = [lowered.find("\n", at) for at in places if at < start]
        talk = lowered.rfind("while talking to", 0, start)
        end = lowered.find("\n", lowered.rfind(address.lower()))
        return text[max([talk, *before, 0]) : end if end > 0 else len(text)]
    return text[start : min([at for at in places if at > start], default=len(text))]
