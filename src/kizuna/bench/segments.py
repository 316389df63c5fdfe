"""`segments`: what an event costs the fold of segments, with 100 and with 500 of them live."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from rich.console import Console

from kizuna.bench import workload
from kizuna.core import exact_json, ids
from kizuna.core.clock import MINUTE
from kizuna.engine.moment import Item, Moment
from kizuna.engine.slice import Definition, Effects, Record, Scope, Workspace
from kizuna.profiles.section import Profile
from kizuna.segments.fold import SegmentSlice
from kizuna.segments.program import Program
from kizuna.segments.section import Segments

FEW, MANY = 100, 500
PROFILES = 1_000
EVENTS = 4_000  # a round and side
ROUNDS = 5
START = 1_772_445_600_000_000


def run(screen: Console) -> Iterator[str]:
    """The fold alone: no database, no log; time is this process's CPU time, rounds are interleaved."""
    wider = [*workload.EVENTS, *(f"Other {number:02d}" for number in range(80))]
    for label, names in (
        (f"{FEW} and {MANY} about the same 20 events", workload.EVENTS),
        (f"{FEW} about 20 events and {MANY} about 100", wider),
    ):
        screen.print(f"{label} ...")
        few = Side(workload.segments(FEW), workload.EVENTS)
        many = Side(workload.segments(MANY, names), workload.EVENTS)
        ours: list[float] = []
        theirs: list[float] = []
        for number in range(ROUNDS + 1):
            first, second = few.take(number), many.take(number)
            if number:  # the first round makes the records
                ours.append(first)
                theirs.append(second)
        ratio = median(more / less for less, more in zip(ours, theirs, strict=True))
        yield (
            f"{label}: {median(ours):.1f} and {median(theirs):.1f} µs an event, ratio {ratio:.2f};"
            f" an event touches {few.touched:.1f} and {many.touched:.1f} leaves, the events are the same"
        )


class Side:
    """Records of its own under one program."""

    def __init__(self, rules: dict[str, Any], names: Sequence[str]) -> None:
        self.names = names
        definitions = [Definition("segment", name, 1, "active", body, 1, None) for name, body in rules.items()]
        workspace = Workspace(1, "bench", "live", "UTC", "EUR", "opt_out")
        self.slice = SegmentSlice()
        program: dict[str, Any] = {"version": 1}
        compiled: Program = self.slice.compile(workspace, definitions, program)
        program["segments"] = compiled
        listeners = [
            sum(len(counted) + len(told) for _, counted, told in compiled.by_event.get(name, ())) for name in names
        ]
        self.touched = sum(listeners) / len(listeners)
        self.workspace, self.program = workspace, program
        self.records = [
            Record(
                ids.profile_id(1, "user", str(number)), 0, {"profiles": Profile(), "segments": Segments()}, is_new=True
            )
            for number in range(PROFILES)
        ]

    def take(self, number: int) -> float:
        """Microseconds of CPU an event, timers included."""
        scope = Scope(self.workspace, self.program, Effects())
        moments = list(self.moments(number))
        fold, wake = self.slice.fold, self.slice.wake
        began = time.process_time()
        for who, moment in moments:
            scope.record = record = self.records[who]
            section = record.sections["segments"]
            while 0 < section.wake_at <= moment.at:
                scope.restart(section.wake_at, 1, "timer")
                wake(scope)
            scope.restart(moment.at, 1, moment.id)
            fold(moment, scope)
            scope.emitted = []
        return (time.process_time() - began) / EVENTS * 1e6

    def moments(self, number: int) -> Iterator[tuple[int, Moment]]:
        chance = random.Random(number)  # noqa: S311  # a load, not a secret
        for index in range(number * EVENTS, (number + 1) * EVENTS):
            body = exact_json.encode({"total": chance.randrange(500, 30_000) / 100, "sku": f"sku-{index % 997}"})
            item = Item(b"", f"m{index}", "track", chance.choice(self.names), START + index * MINUTE, body)
            yield min(int(chance.paretovariate(0.4)) - 1, PROFILES * 4) % PROFILES, Moment(item, item.timestamp, 1)
