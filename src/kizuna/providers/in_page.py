"""Messages in the shop's own pages: laid on the customer's shelf, from which the browser SDK takes them.

One provider serves all channels of pages. Its secret signs user ids: `userToken` is the hexadecimal HMAC-SHA256 of the
user id under it, made by the shop's own server for whoever is signed in there.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Any, ClassVar, Literal

from msgspec import Struct

from kizuna.channels import IN_PAGE
from kizuna.core.errors import FieldError
from kizuna.providers import Accepted, Checked, Delivery, Outcome

SIGNED, OPEN = "signed", "open"
LEAST_SECRET = 32  # characters
_RISK = "whoever names a user id in a browser can read what lies on that customer's shelf"


class Settings(Struct, frozen=True):
    """`identity` says whether a known customer has to be vouched for by the shop's server."""

    identity: Literal["signed", "open"] = SIGNED
    secret: str = ""  # made when it is not given

    def token(self, user_id: str) -> str:
        return hmac.digest(self.secret.encode(), user_id.encode(), "sha256").hex()

    def vouches(self, user_id: str, token: str) -> bool:
        return bool(self.secret) and hmac.compare_digest(self.token(user_id).encode(), token.strip().lower().encode())


class InPageProvider:
    name: ClassVar[str] = IN_PAGE
    channel: ClassVar[str | None] = IN_PAGE  # stands for all channels of pages
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"secret"})
    shown_once: ClassVar[frozenset[str]] = frozenset({"secret"})
    is_local: ClassVar[bool] = True

    def make_secrets(self) -> dict[str, Any]:
        return {"secret": secrets.token_urlsafe(32)}

    def check(self, settings: Settings) -> Checked:
        problems: list[FieldError] = []
        if len(settings.secret) < LEAST_SECRET:
            problems.append(FieldError("/secret", "too_short", f"at least {LEAST_SECRET} characters by chance"))
        warnings = [FieldError("/identity", "open", _RISK)] if settings.identity == OPEN else []
        return Checked(problems=problems, warnings=warnings)

    def deliver(self, delivery: Delivery, settings: Settings) -> Outcome:
        """The sender lays it on the shelf in its own transaction."""
        return Accepted()

    def close(self) -> None:
        """Nothing is held."""


provider = InPageProvider()
