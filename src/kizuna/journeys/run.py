"""One profile's passage through a journey."""

from __future__ import annotations

import msgspec
from msgspec import Struct, field

from kizuna.core import clock, exact_json, ids
from kizuna.engine.moment import Moment


class Run(Struct, array_like=True, eq=False, kw_only=True):
    """Where a run stands. It stays on `version`, the one it entered."""

    id: bytes
    journey: str
    version: int
    key: str = ""
    entered_at: int  # when the entry was folded
    began: int  # the event time of the entry: what is dated before it is no exit and no goal
    event: bytes = b"{}"  # JSON of the entry event, for templates
    data: bytes = b"{}"  # JSON said at an API entry, for templates
    holdout: bool = False
    goal_met: bool = False
    step: str = ""  # "" before the first
    arrived_at: int = 0  # at `step`; delays count from it
    since: int = 0  # the event time of what brought it there: a wait hears nothing dated before
    wake_at: int = 0  # when the step is due; 0 while it is moving
    ready: str = ""  # where it goes when its paused journey resumes
    passed_at: int = 0  # the instant it last passed an `{at: ...}`
    sent: dict[str, int] = field(default_factory=dict)  # times it came by each sending step
    inside: list[str] = field(default_factory=list)  # segments it will leave by, once the profile was seen in them
    fact: str = ""  # id of its newest journey_* fact: what a timer follows from

    @property
    def name(self) -> str:
        """The id as shown outside."""
        return ids.show("run", self.id)


def run_id(journey: str, profile: bytes, key: str, cause: str) -> bytes:
    return ids.derive("run", journey, profile, key, cause)


def in_holdout(journey: str, profile: bytes, per_cent: float) -> bool:
    """Stable for a profile and journey, over all versions."""
    return bool(per_cent) and ids.bucket("holdout", journey, profile) < per_cent * 100


def entry_event(moment: Moment) -> bytes:
    """What templates see as `event`."""
    item = moment.item
    return exact_json.encode(
        {
            "id": item.id,
            "event": item.name,
            "properties": msgspec.Raw(item.properties or b"{}"),
            "timestamp": clock.show(item.timestamp),
        }
    )
