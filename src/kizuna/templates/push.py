"""What a template for push says beside title and text: the member `push` of its document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from kizuna.core import clock
from kizuna.core.errors import FieldError, Invalid

URGENCIES = ("very-low", "low", "normal", "high")
MOST_DATA = 32
_TEXTS = ("url", "icon", "image", "collapse")
_KNOWN = (*_TEXTS, "data", "ttl", "urgency")


class PushPart(Struct, frozen=True, kw_only=True):
    """All but `ttl` and `urgency` are Liquid."""

    url: str = ""  # where a tap leads
    icon: str = ""
    image: str = ""
    collapse: str = ""  # of those that say the same only the newest is shown
    data: Mapping[str, str] = field(default_factory=dict)
    ttl: str = ""  # how long it is worth hearing; never longer than the message's `expires`
    urgency: str = ""

    def texts(self) -> list[tuple[str, str]]:
        """Each with the JSON pointer of its place."""
        own = [(f"/push/{name}", getattr(self, name)) for name in _TEXTS]
        return own + [(f"/push/data/{name}", text) for name, text in self.data.items()]

    def rendered(self, run: Callable[[str], str]) -> PushPart:
        texts: dict[str, Any] = {name: run(getattr(self, name)).strip() for name in _TEXTS if getattr(self, name)}
        return msgspec.structs.replace(self, **texts, data={name: run(text) for name, text in self.data.items()})


def read(said: Any, channel: Any, errors: list[FieldError]) -> PushPart | None:
    """None where there is none; what is wrong is added to `errors`."""
    if said is None:
        return None
    if channel != "push" or not isinstance(said, Mapping):
        errors.append(FieldError("/push", "invalid", "an object, in a template of the channel push"))
        return None
    before = len(errors)
    data = said.get("data") or {}
    for name, value in said.items():
        if name not in _KNOWN:
            errors.append(FieldError(f"/push/{name}", "unknown", f"known are {', '.join(_KNOWN)}"))
        elif name != "data" and not isinstance(value, str):
            errors.append(FieldError(f"/push/{name}", "invalid", "a text"))
    is_flat = isinstance(data, Mapping) and all(isinstance(value, str) for value in data.values())
    if not is_flat or len(data) > MOST_DATA:
        errors.append(FieldError("/push/data", "invalid", f"an object of at most {MOST_DATA} texts"))
    if said.get("urgency", "normal") not in URGENCIES:
        errors.append(FieldError("/push/urgency", "unsupported", f"one of {', '.join(URGENCIES)}"))
    if isinstance(said.get("ttl"), str):
        try:
            clock.duration(said["ttl"])
        except Invalid as error:
            errors.append(FieldError("/push/ttl", error.code, str(error)))
    return PushPart(**said) if len(errors) == before else None
