"""A topic as written: what customers subscribe to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from kizuna.core.errors import FieldError, Invalid
from kizuna.core.shape import misfit

LONGEST_NAME = 100
DEFAULTS = ("opt_in", "opt_out")


class Topic(Struct, frozen=True, forbid_unknown_fields=True):
    """`default` is what `neutral` means for it, else the workspace says."""

    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    default: str | UnsetType = UNSET


def parse(name: str, body: Mapping[str, Any]) -> Topic:
    """Raises `Invalid` with the field and what to do."""
    try:
        topic = msgspec.convert(body, Topic)
    except msgspec.ValidationError as error:
        found = misfit(error, Topic)
        raise _invalid(found.pointer, found.code, found.message) from None
    check(name, topic)
    return topic


def check(name: str, topic: Topic) -> None:
    if not name.strip() or len(name) > LONGEST_NAME:
        raise Invalid(f"a topic's name has 1 to {LONGEST_NAME} characters", code="invalid_name")
    if topic.default is not UNSET and topic.default not in DEFAULTS:
        raise _invalid("/default", "invalid", "opt_in (neutral may not be written to) or opt_out (may)")


def _invalid(pointer: str, code: str, message: str) -> Invalid:
    return Invalid("the topic is not valid", code="invalid_topic", errors=[FieldError(pointer, code, message)])
