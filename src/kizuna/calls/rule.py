"""What becomes of a call: outcomes, and who is called again. Pure."""

from __future__ import annotations

from msgspec import Struct

from kizuna.core import clock
from kizuna.core.errors import FieldError, Invalid
from kizuna.providers.call_list import Settings

HELD = 15 * clock.MINUTE  # somebody who took a call has so long to say what came of it
REACHED, NO_ANSWER, BUSY, WRONG_NUMBER = "reached", "no_answer", "busy", "wrong_number"
REFUSED, CALLBACK_AT, DO_NOT_CALL, NOT_CALLED = "refused", "callback_at", "do_not_call", "not_called"
OUTCOMES = (REACHED, NO_ANSWER, BUSY, WRONG_NUMBER, REFUSED, CALLBACK_AT, DO_NOT_CALL, NOT_CALLED)
AGAIN = (NO_ANSWER, BUSY)
OPEN, TAKEN, DONE, WITHDRAWN = "open", "taken", "done", "withdrawn"
STATES = (OPEN, TAKEN, DONE, WITHDRAWN)


class Next(Struct, frozen=True):
    """The state of the entry after an outcome; an open one waits until `next_at`."""

    state: str
    tries: int
    next_at: int

    @property
    def is_finished(self) -> bool:
        return self.state == DONE


def after(
    outcome: str, tries: int, callback_at: int | None, settings: Settings, now: int, expires_at: int, zone: str
) -> Next:
    """`tries` counts this one too. Who did not dial (`not_called`) gives the try back. Nobody is called after
    `expires_at`: where the next try would come then, this was the last."""
    check(outcome, callback_at, now, expires_at)
    if outcome == NOT_CALLED:
        return Next(OPEN, tries - 1, now)
    if outcome == CALLBACK_AT:
        assert callback_at is not None  # noqa: S101  # checked
        return Next(OPEN, tries, callback_at)
    next_at = clock.after(now, clock.duration(settings.spacing), zone)
    if outcome in AGAIN and tries < settings.tries and next_at <= expires_at:
        return Next(OPEN, tries, next_at)
    return Next(DONE, tries, now)


def check(outcome: str, callback_at: int | None, now: int, expires_at: int) -> None:
    """Raises `Invalid` for an outcome that cannot be."""
    if outcome not in OUTCOMES:
        wrong = FieldError("/outcome", "unknown", f"one of {', '.join(OUTCOMES)}")
        raise Invalid(f"{outcome!r} is no outcome", code="invalid_outcome", errors=[wrong])
    if (callback_at is not None) != (outcome == CALLBACK_AT) or (callback_at is not None and callback_at <= now):
        wrong = FieldError("/callback_at", "invalid", "a time to come, with the outcome callback_at and no other")
        raise Invalid("when are they to be called again?", code="invalid_outcome", errors=[wrong])
    if callback_at is not None and callback_at > expires_at:
        wrong = FieldError("/callback_at", "too_late", f"until {clock.show(expires_at)}, when the call expires")
        raise Invalid("by then this call has expired", code="invalid_outcome", errors=[wrong])
