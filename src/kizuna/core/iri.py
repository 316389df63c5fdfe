"""Names of hosts and addresses of pages in any letters, as the wire takes them (RFC 5891, RFC 3987). Pure."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

# Python's codec is of 2003 and makes other letters, or none, of these: straße.de is not strasse.de (UTS 46, section 7)
_DEVIATE = frozenset("ßẞς\u200c\u200d")
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
_HOST = re.compile(r"(\A[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?)([^/?#@:\[\]]+)", re.IGNORECASE)
_PRINTABLE = "".join(map(chr, range(33, 127)))


def ascii_domain(name: str) -> str:
    """Raises `UnicodeError` for what is no name of a host."""
    if name.isascii():
        return name
    return ".".join(map(_label, name.translate(_DOTS).split("."))).encode("idna").decode()


def _label(label: str) -> str:
    if not _DEVIATE & set(label):
        return label.encode("idna").decode()
    low = unicodedata.normalize("NFC", "".join(letter.lower() for letter in label))  # `lower` of a word guesses at ς
    return f"xn--{low.encode('punycode').decode()}"


def ascii_url(url: str) -> str:
    """What is beyond ASCII percent-encoded, but for the host's name; all else stays byte for byte."""
    return url if url.isascii() else quote(_HOST.sub(_by_idna, url), safe=_PRINTABLE, errors="replace")


def _by_idna(found: re.Match[str]) -> str:
    try:
        return found[1] + ascii_domain(found[2])
    except UnicodeError:  # browsers read a percent-encoded host, too
        return found[0]
