"""One header of a mail as it stands on the wire: quoted, encoded and folded (RFC 5322, 2047, 6532)."""

from __future__ import annotations

import base64
import re

from kizuna.core.errors import Invalid
from kizuna.core.iri import ascii_domain

LINE = 78
_LONGEST = 998
_ENCODED_LINE = 76  # of a line that holds an encoded word, whose whole may have 75 characters
_BREAKS = re.compile(r"[\r\n\x00]")
_HALF = re.compile(r"[\ud800-\udfff]")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+\Z")  # words of an atom each: RFC 5322 section 3.2.3
_SPECIALS = re.compile(r'[\s\x00-\x1f\x7f()<>\[\]:;@\\,"]')
_SIGNS = re.compile(r'[()<>\[\]:;@\\,."]')
_QUOTED = re.compile(r"([\"\\])")
_WORD = re.compile(r" *[^ ]+")
_NAMED = re.compile(r"\s*(.*?)\s*<([^<>]*)>\s*\Z", re.DOTALL)


def header_line(key: str, value: str, *, is_text: bool = False) -> str:
    """`key: value`, folded. Text beyond ASCII becomes encoded words; raises `Invalid` when no line can hold it."""
    refuse_breaks(key, value)
    if is_text and not _is_plain(value):
        return f"{key}: {_encoded(value, len(key) + 2)}"
    line = f"{key}: {value}"
    if len(line.encode()) <= LINE:
        return line
    folded = _folded(line)
    if any(len(each.encode()) > _LONGEST for each in folded):
        if not is_text:
            raise Invalid(f"{key} is longer than a line may be", code="invalid_header")
        return f"{key}: {_encoded(value, len(key) + 2)}"
    return "\r\n".join(folded)


def mailbox(name: str, address: str) -> str:
    """`name <address>`, or the address alone."""
    wire = wire_address(address)
    local, at, domain = wire.rpartition("@")
    if not at or not local or not domain or _SPECIALS.search(local) or _SPECIALS.search(domain):
        raise Invalid("no address that mail can be sent to", code="invalid_address")
    if not name:
        return wire
    refuse_breaks("the sender's name", name)
    if _PLAIN_NAME.match(name) and "=?" not in name:
        return f"{name} <{wire}>"
    if name.isascii() and name.isprintable() and "=?" not in name and len(name) <= LINE:
        quoted = _QUOTED.sub(r"\\\1", name)
        return f'"{quoted}" <{wire}>'
    return f"{_words(name)} <{wire}>"


def split_mailbox(sender: str) -> tuple[str, str]:
    """Name and address of `name <address>` as people write it, commas and quotes in names included."""
    found = _NAMED.match(sender)
    if found is None:
        return "", sender.strip()
    name, address = found[1], found[2].strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return name, address


def sender_text(said: str) -> str:
    """A sender for APIs that take a text and encode names themselves, quoted where signs would be misread."""
    name, address = split_mailbox(said)
    name, wire = sender_name(name), wire_address(address)
    if not name:
        return wire
    quoted = _QUOTED.sub(r"\\\1", name)
    return f'"{quoted}" <{wire}>' if _SIGNS.search(name) else f"{name} <{wire}>"


def sender_name(name: str) -> str:
    """A name for such APIs. Of other letters together with commas and the like several of them make a wrong header, or
    nothing, but leave it as it is when it comes encoded: https://github.com/anymail/django-anymail/issues/270"""
    return _words(name) if not name.isascii() and _SIGNS.search(name) else name


def wire_address(address: str) -> str:
    """A domain of other letters goes as IDNA; the local part has no such form (RFC 6531)."""
    local, _, domain = address.rpartition("@")
    try:
        return address if domain.isascii() else f"{local}@{ascii_domain(domain)}"
    except UnicodeError:
        return address


def refuse_breaks(name: str, value: str) -> None:
    """A line break would begin another header; half a letter has no bytes."""
    if _BREAKS.search(value):
        raise Invalid(f"{name} holds a line break or NUL", code="invalid_header")
    if not value.isascii() and _HALF.search(value):
        raise Invalid(f"{name} holds half of a letter (a lone surrogate)", code="invalid_header")


def _is_plain(text: str) -> bool:
    """As it may stand in a header without being read as something else."""
    return text.isascii() and text.isprintable() and "=?" not in text and text == text.strip()


def _encoded(text: str, used: int) -> str:
    """Encoded words, one a line, of whole letters each; `used` is what stands before the first."""
    room = _room(used)
    words: list[bytes] = []
    word = b""
    for letter in text:
        raw = letter.encode()
        if len(word) + len(raw) > room:
            words.append(word)
            word, room = b"", _room(1)
        word += raw
    words.append(word)
    return "\r\n ".join([f"=?utf-8?b?{base64.b64encode(each).decode()}?=" for each in words])


def _room(used: int) -> int:
    """Bytes that one word may say: base64 takes four characters for three."""
    return max((_ENCODED_LINE - used - len("=?utf-8?b??=")) // 4 * 3, 4)


def _words(name: str) -> str:
    """Encoded words with spaces between them: the line is folded there."""
    return _encoded(name, len("From: ")).replace("\r\n", "")


def _folded(line: str) -> list[str]:
    """Broken before spaces, where a line would be too long; what has no space stays whole, as does the beginning."""
    limit = _ENCODED_LINE if "=?" in line else LINE
    key, *words = _WORD.findall(line)
    lines: list[str] = []
    current = key + "".join(words[:1])
    for word in words[1:]:
        if len(current.encode()) + len(word.encode()) > limit:
            lines.append(current)
            current = ""
        current += word
    return [*lines, current]
