"""What each kind of provider asks for, as a form shows it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, Struct

from kizuna.providers import Provider, all_providers
from kizuna.providers.http import HttpProvider

_TYPES: dict[Any, str] = {str: "text", int: "whole_number", float: "number"}


class Field(Struct, frozen=True):
    """One setting, by the name it has in JSON. `choices` where it takes nothing else; `json` is an object or a list."""

    name: str
    type: str  # text, whole_number, number, choice, json
    is_required: bool
    is_secret: bool  # write-only
    default: Any
    choices: list[str]


class Form(Struct, frozen=True):
    """One kind. `channel` null: any; `is_local`: it hands nothing to a network."""

    kind: str
    channel: str | None
    is_local: bool
    reports: bool  # by a `reports_url`
    fields: list[Field]


def forms() -> list[Form]:
    """Of every kind there is, by name."""
    return [_form(each) for each in all_providers().values()]


def _form(provider: Provider) -> Form:
    return Form(
        kind=provider.name,
        channel=provider.channel,
        is_local=provider.is_local,
        reports=isinstance(provider, HttpProvider) and provider.has_reports,
        fields=list(_fields(provider)),
    )


def _fields(provider: Provider) -> Iterator[Field]:
    hints = get_type_hints(provider.settings)
    for field in msgspec.structs.fields(provider.settings):
        hint = hints[field.name]
        choices = list(get_args(hint)) if get_origin(hint) is Literal else []
        is_plain = field.default is not NODEFAULT
        yield Field(
            name=field.encode_name,
            type="choice" if choices else _TYPES.get(hint, "json"),
            is_required=field.required,
            is_secret=field.encode_name in provider.secrets,
            default=field.default if is_plain else None,
            choices=choices,
        )
