"""How long the fold of one event takes: `python tests/unit/segments/bench_fold.py`. Prints, asserts nothing."""

from __future__ import annotations

import random
import time
from typing import Any

import msgspec

from kizuna.core import exact_json, ids
from kizuna.engine.moment import Item, Moment
from kizuna.engine.slice import Definition, Effects, Record, Scope, Workspace
from kizuna.profiles.section import Profile
from kizuna.segments.fold import SegmentSlice
from kizuna.segments.section import Segments

DAY = 86_400_000_000
START = 1_772_445_600_000_000


def rules(random_: random.Random) -> dict[str, Any]:
    """100 segments over 20 event names, about two leaves each, a third of them windowed."""

    def leaf() -> dict[str, Any]:
        event = f"Event {random_.randrange(20)}"
        kind = random_.randrange(10)
        if kind == 0:
            return {"sum": {"event": event, "property": "total"}, "gte": random_.choice([100, 1000, 10000])}
        if kind == 1:
            return {"did": event, "where": [{"property": "category", "is": f"c{random_.randrange(5)}"}]}
        if kind in (2, 3):
            return {"did": event, "within": f"{random_.randrange(1, 90)}d"}
        if kind == 4:
            return {"did": event, "count": {"gte": random_.randrange(2, 6)}, "within": f"{random_.randrange(1, 90)}d"}
        return {"did": event, "count": {"gte": random_.randrange(1, 20)}}

    return {f"segment {n}": {random_.choice(["all", "any"]): [leaf(), leaf()]} for n in range(100)}


def main(events: int = 40_000, profiles: int = 2_000) -> None:
    random_ = random.Random(7)
    slice_ = SegmentSlice()
    definitions = [
        Definition("segment", name, 1, "active", {"where": rule}, 1, None) for name, rule in rules(random_).items()
    ]
    workspace = Workspace(1, "bench", "live", "UTC", "EUR", "opt_out")
    program = {"version": 1}
    program["segments"] = compiled = slice_.compile(workspace, definitions, program)
    touched = [sum(len(told) for _, told in groups) for groups in compiled.by_event.values()]
    print(f"{len(compiled.leaves)} leaves, {len(compiled.timed)} windowed, {sum(touched) / len(touched):.1f} an event")
    effects = Effects()
    scope = Scope(workspace, program, effects)
    records = []
    for n in range(profiles):
        sections = {"profiles": Profile(), "segments": Segments()}
        records.append(Record(ids.profile_id(1, "user", str(n)), 0, sections, is_new=True))
    moments = []
    for n in range(events):
        body = {"total": random_.randrange(10_000) / 100, "category": f"c{random_.randrange(5)}"}
        name = f"Event {random_.randrange(20)}"
        raw = exact_json.encode(body)
        item = Item(profile=b"", id=f"m{n}", type="track", name=name, timestamp=START + n * 1_000_000, properties=raw)
        moments.append((random_.randrange(profiles), Moment(item, item.timestamp, 1, 0)))
    fold, wake, wakes = slice_.fold, slice_.wake, 0
    halves = []
    for half in (moments[: events // 2], moments[events // 2 :]):
        begun = time.process_time()
        for who, moment in half:
            scope.record = record = records[who]
            while 0 < record.sections["segments"].wake_at <= moment.at:
                wakes += 1
                scope.restart(record.sections["segments"].wake_at, 1, "timer")
                wake(scope)
            scope.restart(moment.at, 1, moment.id)
            fold(moment, scope)
            scope.emitted = []
        halves.append((time.process_time() - begun) / len(half) * 1e6)
    print(f"{halves[0]:.1f} µs an event while records are new, {halves[1]:.1f} µs later, {wakes / events:.2f} wakes")
    print(f"{len(effects.facts) / events:.2f} facts an event")
    size = sum(len(msgspec.msgpack.encode(r.sections["segments"])) for r in records) / len(records)
    print(f"{size:.0f} bytes a record")


if __name__ == "__main__":
    main()
