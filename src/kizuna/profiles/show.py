"""A profile as the API shows it: each slice says how its section looks from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from kizuna.core import clock, ids
from kizuna.engine.record import decoder_of
from kizuna.engine.slice import Section
from kizuna.profiles.device import Device
from kizuna.profiles.fold import identities
from kizuna.profiles.section import Profile
from kizuna.profiles.store import Row

Show = Callable[[Any], Any]  # a section to JSON


class ProfileViews:
    """Reads rows of `profile`; `shows` are what slices above contribute, by the name of their section."""

    def __init__(self, sections: Mapping[str, type[Section]], shows: Mapping[str, Show]) -> None:
        self.sections = sections
        self._decoders = {name: decoder_of(kind) for name, kind in sections.items()}
        self.shows = shows
        self.columns = ("profiles", "consent", "segments", "journeys", "campaigns", "messages")

    def whole(self, row: Row) -> dict[str, Any]:
        """`id, identities, traits, computed, consent, segments, journeys, loyalty, created_at, last_seen_at`."""
        profile, created_at, seen_at, _, traits, *raw = row
        sections = {name: self._read(name, body) for name, body in zip(self.columns, raw, strict=True)}
        own = cast("Profile", sections["profiles"])
        shown = {name: show(sections[name]) for name, show in self.shows.items()}
        return {
            "id": ids.show("prf", bytes(profile)),
            "identities": identities(own),
            "traits": traits,
            "computed": {},
            "zone": own.zone or None,
            "locale": own.locale or None,
            "devices": [_device(each) for each in own.devices],
            **shown,
            "loyalty": None,
            "created_at": clock.show(created_at),
            "last_seen_at": clock.show(seen_at) if seen_at else None,
        }

    def brief(self, row: Row) -> dict[str, Any]:
        """A line of a list."""
        whole = self.whole(row)
        return {name: whole[name] for name in ("id", "identities", "traits", "segments", "created_at", "last_seen_at")}

    def _read(self, name: str, body: bytes | None) -> Section:
        return self.sections[name]() if body is None else self._decoders[name](body)


def _device(device: Device) -> dict[str, Any]:
    seen_at = clock.show(device.seen_at) if device.seen_at else None
    return {"id": device.id, "type": device.type, "token": device.token, "seen_at": seen_at}
