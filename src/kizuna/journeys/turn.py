"""One record at one instant: what its runs may see, and how what happens to them is recorded."""

from __future__ import annotations

from typing import Any

from kizuna.engine.moment import Moment
from kizuna.engine.slice import Scope
from kizuna.journeys.program import ACTIVE, Plan, Program
from kizuna.journeys.run import Run
from kizuna.journeys.section import Journeys
from kizuna.journeys.steps import Context, Rules, Voice
from kizuna.profiles.section import zone_of


class Turn:
    """Made for one moment (or timer, when there is none) and thrown away."""

    __slots__ = ("entries", "moment", "program", "rules", "scope", "section", "since", "told", "voice", "zone")

    def __init__(self, scope: Scope, rules: Rules, voice: Voice, moment: Moment | None = None) -> None:
        self.scope = scope
        self.rules = rules
        self.voice = voice
        self.moment = moment
        self.program: Program = scope.program["journeys"]
        self.section: Journeys = scope.record["journeys"]
        self.zone = zone_of(scope.record, scope.workspace)
        self.since = min(moment.timestamp or scope.now, scope.now) if moment else scope.now
        self.entries: list[tuple[str, dict[str, Any], str]] = []  # asked for by `enter` steps
        self.told: set[bytes] = set()  # runs about which a fact was said

    @property
    def now(self) -> int:
        return self.scope.now

    def plan(self, run: Run) -> Plan | None:
        return self.program.plans.get((run.journey, run.version))

    def is_active(self, journey: str) -> bool:
        return self.program.status.get(journey) == ACTIVE

    def context(self, node: str) -> Context:
        return Context(self.scope, self.rules, self.voice, self.zone, node, self.since, self.entries)

    def record(self, run: Run, fact: str, **more: Any) -> None:
        """Say a fact about the run: the first follows from what happened (a timer: from the run's last fact), the
        others each from the one before."""
        said = {"journey": run.journey, "version": run.version, "run": run.name, **more}
        follows = not self.moment or run.id in self.told
        run.fact = self.scope.emit(fact, said, caused_by=run.fact if follows else "").id
        self.told.add(run.id)
        self.touch()

    def count(self, journey: str, what: str, delta: int = 1) -> None:
        self.scope.count(f"journey:{journey}:{what}", delta)

    def touch(self) -> None:
        self.scope.record.touch("journeys")
