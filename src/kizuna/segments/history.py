"""Filling in: what the leaves of a new rule would keep, had they been there from the beginning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.core import ids
from kizuna.engine.moment import Item
from kizuna.segments.leaves import Leaf, Listener
from kizuna.segments.props import PropsCheck, compile_conditions


class Fill(Struct, frozen=True):
    """Folded once by every record that is older than a program: the states of the leaves it gained."""

    program: int
    leaves: dict[str, Any]
    of: bytes = b""  # the record it was computed for; a record joined meanwhile hands it on


class Past(Struct, frozen=True):
    """An event of history, in the order of (timestamp, arrival)."""

    profile: bytes
    event: str
    timestamp: int
    arrival: int
    properties: dict[str, Any]
    logged_at: int = 0


def fill_states(
    leaves: Iterable[Leaf], rows: Iterable[Past], now: int, zones: Mapping[bytes, str], zone: str
) -> dict[bytes, dict[str, Any]]:
    """The states by profile, as of `now`, the publish; `zones` are the profiles' own, `zone` is the workspace's.

    What was said before but is dated later is left out: the records themselves fold it when its time comes.
    """
    told: dict[str, list[tuple[PropsCheck | None, Listener]]] = {}
    for leaf in leaves:
        for event, where, listener in leaf.listeners():
            told.setdefault(event, []).append((compile_conditions(where) if where else None, listener))
    states: dict[bytes, dict[str, Any]] = {}
    for past in rows:
        if past.timestamp > max(now, past.logged_at):
            continue
        own_zone = zones.get(past.profile) or zone
        mine = states.setdefault(past.profile, {})
        for passes, listener in told.get(past.event, ()):
            if passes is None or passes(past.properties, past.timestamp, own_zone):
                listener.add(mine, past, now, own_zone)
    return states


def events_of(leaves: Iterable[Leaf]) -> set[str]:
    """The names of the events that the leaves want from history."""
    return {event for leaf in leaves for event, _, _ in leaf.listeners()}


def fill_item(profile: bytes, program: int, states: Mapping[str, Any], at: int) -> Item:
    """The log item that brings a record its history."""
    body = msgspec.msgpack.encode(Fill(program, dict(states), profile))
    name = ids.show("evt", ids.derive("fill", profile, program))
    return Item(profile=profile, id=name, type="fill", timestamp=at, properties=body, received_at=at)
