"""A rendered body that is JSON of its channel rather than words."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from kizuna.core.errors import Invalid

_BEGINS = re.compile(r'\s*(?:\[\s*)?\{\s*["}]')


def json_body(said: str) -> Any:
    """The object or list; None for words. Raises `Invalid` for broken JSON, which nobody shall read."""
    if not _BEGINS.match(said):
        return None
    try:
        return msgspec.json.decode(said)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f"the body begins as JSON and is none: {error}") from None
