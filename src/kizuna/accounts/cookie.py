"""The session cookie: unreadable to scripts, never sent from another site."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct

from kizuna.accounts.members import ABSOLUTE
from kizuna.core.clock import SECOND


class SessionCookie(Struct, frozen=True):
    """`is_tls`: the public URL is https, so the cookie is bound to this very host (`__Host-`)."""

    is_tls: bool

    @property
    def name(self) -> str:
        return "__Host-kizuna_session" if self.is_tls else "kizuna_session"

    def given(self, token: str) -> str:
        """The Set-Cookie line of a new session."""
        return self._line(token, ABSOLUTE // SECOND)

    def taken(self) -> str:
        """The Set-Cookie line that ends it."""
        return self._line("", 0)

    def _line(self, value: str, seconds: int) -> str:
        line = f"{self.name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict"
        return f"{line}; Secure" if self.is_tls else line


def for_public_url(url: str | None) -> SessionCookie:
    return SessionCookie(is_tls=urlsplit(url or "").scheme == "https")
