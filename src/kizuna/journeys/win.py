"""A run did what its learning split hopes for: the arm it drew has won, once."""

from __future__ import annotations

from kizuna.core import ids
from kizuna.core.errors import Invalid
from kizuna.engine.moment import Moment
from kizuna.journeys.draw import EVENTS, counter
from kizuna.journeys.turn import Turn


def win_by_report(turn: Turn, moment: Moment) -> None:
    """A message of the run was opened or clicked, by a person."""
    said = moment.properties
    if moment.type != "report" or said.get("actor", "human") != "human" or "run" not in said:
        return
    try:
        run = ids.read("run", str(said["run"]))
    except Invalid:
        return
    win(turn, run, EVENTS[moment.name], moment.timestamp)


def win(turn: Turn, run: bytes, goal: str, at: int) -> None:
    for draw in list(turn.section.draws):
        if draw.run == run and draw.goal == goal:
            turn.section.draws.remove(draw)
            turn.touch()
            if at <= draw.until:
                turn.scope.count(counter(draw.journey, draw.version, draw.step, draw.arm, "won"))
