"""What a learning split drew for a run, until it has won or its time is over."""

from __future__ import annotations

from msgspec import Struct

EVENTS = {"message_clicked": "click", "message_opened": "open"}  # what providers and pages report
GOALS = ("click", "open", "goal")
KEPT = 256  # of one profile


class Draw(Struct, array_like=True, gc=False):
    """`arm` of `step` fell to the run; a click, an opening or the journey's goal up to and including `until` wins."""

    run: bytes
    journey: str
    version: int
    step: str
    arm: int
    goal: str
    until: int


def keep(draws: list[Draw], draw: Draw, now: int) -> None:
    """Remember it; when there are too many, what is over goes first, then the oldest."""
    if len(draws) >= KEPT:
        draws[:] = [each for each in draws if each.until >= now][-KEPT + 1 :]
    draws.append(draw)


def counter(journey: str, version: int, step: str, arm: int, what: str) -> str:
    """The counter of an arm; `what` is drawn or won. Arms belong to a version."""
    return f"journey:{journey}:bandit:{version}:{step}:{arm}:{what}"
