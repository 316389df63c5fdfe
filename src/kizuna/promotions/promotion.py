"""A promotion as declared, and what may be refused of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.core import clock
from kizuna.core.errors import FieldError, Invalid
from kizuna.core.shape import misfit

LONGEST_NAME = 100
LONGEST_AMOUNT = 18  # digits before the point, or behind it
MOST_PER_PROFILE = 1_000
NO_CODE, CODE_LIMIT, OVER = "no_code", "code_limit", "promotion_over"  # reasons of messages that are not sent
DUMMY = "PREVIEW-CODE"  # what previews show: no code is spent on them


class Promotion(Struct, frozen=True, forbid_unknown_fields=True):
    """`from` and `until` are times; codes are given out and redeemed in between. `minimum` is an amount of money."""

    title: str = ""
    per_profile: int = 1  # codes
    begins: str | None = msgspec.field(name="from", default=None)
    until: str | None = None
    minimum: Decimal | None = None

    def is_open(self, at: int) -> bool:
        begins = clock.read_time(self.begins) if self.begins else None
        until = clock.read_time(self.until) if self.until else None
        return (begins is None or begins <= at) and (until is None or at < until)


def read(body: Mapping[str, Any]) -> Promotion:
    """Raises `Invalid` naming every wrong place."""
    try:
        promotion = msgspec.convert(dict(body), Promotion)
    except msgspec.ValidationError as error:
        raise _invalid([misfit(error, Promotion)]) from None
    errors = [
        FieldError(f"/{name}", "invalid_time", "a time such as 2026-05-01T00:00:00+09:00")
        for name, text in (("from", promotion.begins), ("until", promotion.until))
        if text is not None and clock.read_time(text) is None
    ]
    if not 1 <= promotion.per_profile <= MOST_PER_PROFILE:
        errors.append(FieldError("/per_profile", "invalid", f"1 to {MOST_PER_PROFILE} codes"))
    if promotion.minimum is not None and not is_amount(promotion.minimum):
        errors.append(FieldError("/minimum", "invalid", "an amount of 0 or more"))
    if errors:
        raise _invalid(errors)
    return promotion


def is_amount(value: Decimal) -> bool:
    """Of money: neither NaN nor without end, which are decimals too."""
    return value.is_finite() and 0 <= value.adjusted() + LONGEST_AMOUNT <= 2 * LONGEST_AMOUNT and value >= 0


def check_name(name: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid(f"a promotion's name has 1 to {LONGEST_NAME} printable characters", code="invalid_name")


def _invalid(errors: list[FieldError]) -> Invalid:
    return Invalid("the promotion is not valid", code="invalid_promotion", errors=errors)
