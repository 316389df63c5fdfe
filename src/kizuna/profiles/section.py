"""The first section of every record: who this is, what we know, and what waits to be folded."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from kizuna.engine.moment import RULING, Item
from kizuna.engine.slice import Record, Section, Workspace
from kizuna.profiles.device import Device


class Waiting(Struct, array_like=True, gc=False, frozen=True):
    """An item that may not be folded yet, with the log time, position and program version it came with."""

    item: Item
    at: int
    root: int
    index: int = 0
    program: int = RULING


class Profile(Section):
    """Identity and traits. `trait_times` holds the event time that set (or removed) each top-level trait."""

    user_id: str = ""
    anonymous_ids: list[str] = field(default_factory=list)
    external_ids: list[tuple[str, str]] = field(default_factory=list)  # (type, id)
    traits: dict[str, Any] = field(default_factory=dict)
    trait_times: dict[str, int] = field(default_factory=dict)
    devices: list[Device] = field(default_factory=list)  # the latest of each, the one seen last at the end
    zone: str = ""  # IANA name as last seen; "" is the workspace's
    locale: str = ""
    merged_into: bytes = b""  # a pointer: later items are forwarded there
    met: list[str] = field(default_factory=list)  # anonymous ids asked for or answered, so none is asked twice
    waiting_for: str = ""  # the anonymous or external id whose absorb we await; later items queue in `parked`
    parked: list[Waiting] = field(default_factory=list)
    future: list[Waiting] = field(default_factory=list)  # dated ahead of the clock, earliest first
    met_at: list[int] = field(default_factory=list)  # when the latest of `met` were asked for, at most a month's number
    claimed: list[tuple[str, str]] = field(default_factory=list)  # external ids whose record knows of this profile
    refused: list[tuple[str, str]] = field(default_factory=list)  # (type, id) whose refusal was recorded; the first few


def zone_of(record: Record, workspace: Workspace) -> str:
    """The zone local rules resolve in: the profile's, else the workspace's."""
    return record["profiles"].zone or workspace.zone
