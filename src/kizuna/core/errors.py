"""Errors named by what the caller should do; the edge turns them into problem documents."""

from __future__ import annotations

from msgspec import Struct


class FieldError(Struct, frozen=True):
    """One wrong place in a request: a JSON pointer, a stable code, and what to do."""

    pointer: str
    code: str
    message: str


class KizunaError(Exception):
    """Root of all errors a caller can act on; `code` is stable, `str(error)` says what to do."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, errors: list[FieldError] | None = None) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.errors = errors or []


class Invalid(KizunaError):
    """The request can never succeed as it is: change it."""

    code = "invalid"


class Unprocessable(Invalid):
    """Well-formed, and its meaning is impossible here: what it names is not there, or a limit forbids it."""

    code = "unprocessable"


class NotFound(KizunaError):
    """Nothing by this name in this workspace."""

    code = "not_found"


class Conflict(KizunaError):
    """The state of things forbids it: look, then decide."""

    code = "conflict"


class NotSignedIn(KizunaError):
    """No valid key or session came with the request."""

    code = "not_signed_in"


class NotAllowed(KizunaError):
    """The key or member lacks the right."""

    code = "not_allowed"


class TooLarge(KizunaError):
    """More than the limit: send less at once."""

    code = "too_large"


class TooMany(KizunaError):
    """Too often: wait `retry_after` seconds."""

    code = "too_many"

    def __init__(self, message: str, *, retry_after: int = 1, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class Unavailable(KizunaError):
    """Not now, through no fault of the caller: try again in `retry_after` seconds."""

    code = "unavailable"

    def __init__(self, message: str, *, retry_after: int = 1, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class NotSettled(KizunaError):
    """The write asked for is not yet applied with all that follows from it."""

    code = "not_settled"
