"""What a customer said so far about one channel or topic: three latest acts, and the state that follows. Pure.

Acts count by their own time, whatever the order in which they arrive; of one instant the later arrival counts.
An opt-out stands until a later act brings a proof; from then on the latest word rules. That needs three acts only: the
latest opt-out, the latest with a proof, and the latest that is no opt-out.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

OPTED_IN, NEUTRAL, PENDING, OPTED_OUT = "opted_in", "neutral", "pending", "opted_out"


class Act(Struct, array_like=True, gc=False, frozen=True):
    """One act. Instants are microseconds in UTC; `arrival` breaks ties."""

    at: int
    arrival: int
    state: str
    proof: bytes = b""  # the id of the row that proves it
    until: int = 0  # an opt-in that runs out by itself; 0: it does not

    @property
    def place(self) -> tuple[int, int]:
        return self.at, self.arrival


class Standing(Struct, array_like=True, gc=False, frozen=True):
    out: Act | None = None  # the latest opt-out
    proven: Act | None = None  # the latest other act with a proof
    latest: Act | None = None  # the latest other act

    @property
    def rules(self) -> Act | None:
        """The act that decides; None: nothing was said."""
        if self.out is not None and (self.proven is None or self.proven.place <= self.out.place):
            return self.out
        return self.latest

    @property
    def evidence(self) -> bytes | None:
        """The row that proves what rules: its own, or where it has none that of the proof which lets it count."""
        rules, proven = self.rules, self.proven
        if rules is None or rules.proof or rules.state == OPTED_OUT or proven is None:
            return (rules.proof if rules is not None else b"") or None
        return proven.proof or None

    @property
    def state(self) -> str:
        return self.rules.state if self.rules is not None else NEUTRAL

    @property
    def next_arrival(self) -> int:
        """What comes now comes after all of these, also where the clock stood still meanwhile."""
        return 1 + max((act.arrival for act in (self.out, self.latest) if act is not None), default=-1)

    def has_lapsed(self, now: int) -> bool:
        """Whether the opt-in that rules has run out: then silence is no consent, whatever neutral means."""
        rules = self.rules
        return rules is not None and 0 < rules.until <= now

    def state_at(self, now: int) -> str:
        return NEUTRAL if self.has_lapsed(now) else self.state

    def take(self, act: Act, *, is_proven: bool) -> Standing:
        """With one act more, in whatever order they come."""
        if act.state == OPTED_OUT:
            return msgspec.structs.replace(self, out=_later(self.out, act))
        proven = _later(self.proven, act) if is_proven else self.proven
        return msgspec.structs.replace(self, proven=proven, latest=_later(self.latest, act))

    def joined(self, other: Standing) -> Standing:
        """As if all had been said to one: the customer of two records that were joined."""
        return Standing(
            _later(self.out, other.out), _later(self.proven, other.proven), _later(self.latest, other.latest)
        )


def _later(one: Act | None, other: Act | None) -> Act | None:
    if one is None or other is None:
        return one or other
    return other if other.place >= one.place else one
