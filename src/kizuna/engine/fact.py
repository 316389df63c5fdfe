"""What Kizuna itself says on a timeline: each slice declares its own in `facts.py`."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Fact(Struct, frozen=True):
    """One name. `when` says when it is said; `properties` what each holds, `?` after a name that may be missing."""

    name: str
    when: str
    properties: Mapping[str, str]
    type: str = "fact"  # of its entry on the timeline
