"""A seed list as written: addresses of our own at several mailbox providers, where we look at what arrives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.channels import all_channels
from kizuna.core.errors import FieldError, Invalid, Unprocessable
from kizuna.core.shape import misfit

SEEDS = "seed_list"  # the kind of definition
MOST_ADDRESSES = 50  # more would be a way to write to people who did not agree to it
LONGEST_NAME = 100


class SeedList(Struct, frozen=True, forbid_unknown_fields=True):
    addresses: list[str]


def parse(name: str, body: Mapping[str, Any]) -> SeedList:
    """Raises `Invalid` with the field and what to do."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise Invalid(f"a seed list's name has 1 to {LONGEST_NAME} characters", code="invalid_name")
    try:
        found = msgspec.convert(body, SeedList)
    except msgspec.ValidationError as error:
        wrong = misfit(error, SeedList)
        raise _invalid(wrong.pointer, wrong.code, wrong.message) from None
    if not 1 <= len(found.addresses) <= MOST_ADDRESSES:
        raise _invalid("/addresses", "too_many", f"1 to {MOST_ADDRESSES} addresses")
    for at, address in enumerate(found.addresses):
        if not all_channels()["email"].is_valid(address):
            raise _invalid(f"/addresses/{at}", "invalid", "write a mail address")
    return found


def no_seed_list(name: str, pointer: str) -> Unprocessable:
    wrong = FieldError(pointer, "unknown", "declare it: PUT /api/v1/seed-lists/{name}")
    return Unprocessable(f"no seed list {name!r}", code="unknown_seed_list", errors=[wrong])


def _invalid(pointer: str, code: str, message: str) -> Invalid:
    return Invalid("the seed list is not valid", code="invalid_seed_list", errors=[FieldError(pointer, code, message)])
