"""What requests of templates may show, and to which hosts: a password or a token, sealed at rest, never shown again."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from kizuna.core.errors import FieldError, Invalid

MOST_HOSTS = 20
LONGEST_SECRET = 4_000
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")


class Credential(Struct, frozen=True, forbid_unknown_fields=True):
    """A name and password, or a token. `hosts` are the only ones that are shown it."""

    hosts: list[str]
    username: str | None = None
    password: str | None = None
    token: str | None = None

    def check(self) -> None:
        """Raises `Invalid`."""
        errors: list[FieldError] = []
        if not 1 <= len(self.hosts) <= MOST_HOSTS or not all(_HOST.match(host) for host in self.hosts):
            wanted = f"1 to {MOST_HOSTS} host names in lower case, such as api.example.com"
            errors.append(FieldError("/hosts", "invalid", wanted))
        pair = self.username is not None and self.password is not None
        if pair == (self.token is not None):
            errors.append(FieldError("", "required", "`username` and `password`, or `token`"))
        if not all(_may_be_said(each) for each in (self.username, self.password, self.token) if each is not None):
            errors.append(FieldError("", "invalid", f"1 to {LONGEST_SECRET} characters, none of control"))
        if self.username is not None and ":" in self.username:
            errors.append(FieldError("/username", "invalid", "a name without a colon"))
        if self.token is not None and not self.token.isascii():
            errors.append(FieldError("/token", "invalid", "ASCII characters"))
        if errors:
            raise Invalid("the credential is not complete", code="invalid_credential", errors=errors)

    @property
    def authorization(self) -> str:
        """The header's value."""
        if self.token is not None:
            return f"Bearer {self.token}"
        return f"Basic {b64encode(f'{self.username}:{self.password}'.encode()).decode()}"


def _may_be_said(text: str) -> bool:
    return 1 <= len(text) <= LONGEST_SECRET and not any(ord(sign) < 32 or ord(sign) == 127 for sign in text)


def is_for(url: str, hosts: Sequence[Any]) -> bool:
    return urlsplit(url).hostname in hosts
