"""What the browser SDK says and is told: JSON, read strictly and bounded."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from kizuna.core import exact_json
from kizuna.core.errors import Invalid

MOST_BYTES = 64 << 10
MOST_KNOWN = 500
MOST_ACTS = 100

T = TypeVar("T")
Name = Annotated[str, Meta(max_length=500)]
Id = Annotated[str, Meta(max_length=100)]


class Said(Struct, rename="camel", frozen=True, kw_only=True):
    """What each request says of who speaks."""

    write_key: Annotated[str, Meta(min_length=1, max_length=200)]
    anonymous_id: Name = ""
    user_id: Name = ""
    user_token: Annotated[str, Meta(max_length=200)] = ""


class Pull(Said, frozen=True, kw_only=True):
    """What is there for me? `known` are ids of what the browser holds already."""

    locale: Name = ""
    known: Annotated[list[Id], Meta(max_length=MOST_KNOWN)] = []
    version: Any = None


class Act(Struct, frozen=True, kw_only=True):
    """One thing the customer did with one message."""

    token: Id
    act: Literal["impression", "click", "dismiss", "read", "delete"]
    button: Id | None = None
    at: Id = ""  # RFC 3339


class Acts(Said, frozen=True, kw_only=True):
    acts: Annotated[list[Act], Meta(max_length=MOST_ACTS)]


def read_pull(body: bytes) -> Pull:
    pull = _read(body, Pull, "invalid_pull")
    if not pull.anonymous_id and not pull.user_id:
        raise Invalid("send the anonymousId of the browser, or a userId", code="invalid_pull")
    return pull


def read_acts(body: bytes) -> Acts:
    return _read(body, Acts, "invalid_acts")


def _read(body: bytes, kind: type[T], code: str) -> T:
    value = exact_json.decode_checked(body)
    if isinstance(value, dict):
        value = {key: inner for key, inner in value.items() if inner is not None}
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise Invalid(f"this cannot be taken: {error}", code=code) from None
