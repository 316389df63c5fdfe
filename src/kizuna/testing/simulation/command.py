"""`bin/simulate --seeds N` and `bin/simulate --seed K`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from kizuna.testing.simulation.memory_house import MemoryHouse
from kizuna.testing.simulation.run import shrink, simulate, tell
from kizuna.testing.simulation.show import show_story
from kizuna.testing.simulation.story import write_story


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every invariant held, 1 with the seeds that broke one."""
    parser = argparse.ArgumentParser(prog="bin/simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, metavar="N", help="tell N stories (default 1000)")
    parser.add_argument("--from", type=int, default=0, metavar="K", dest="first", help="beginning with seed K")
    parser.add_argument("--seed", type=int, metavar="K", help="tell one story, made as short as it still fails")
    asked = parser.parse_args(arguments)
    if asked.seed is not None:
        return _replay(asked.seed)
    return _search(asked.first, asked.seeds)


def _search(first: int, seeds: int) -> int:
    began, failed = time.process_time(), list[int]()
    items = crashes = fenced = sent = 0
    for seed in range(first, first + seeds):
        verdict = simulate(seed)
        items, crashes = items + verdict.items, crashes + verdict.crashes
        fenced, sent = fenced + verdict.fenced, sent + verdict.sent
        if verdict.wrong:
            failed.append(seed)
            print(f"seed {seed}: {verdict.wrong[0]}\n    bin/simulate --seed {seed}", flush=True)
        elif (seed - first + 1) % 500 == 0:
            print(f"{seed - first + 1} seeds", file=sys.stderr, flush=True)
    seconds = time.process_time() - began
    print(
        f"{seeds} seeds, {len(failed)} failed; {items} items folded, {crashes} crashes, {fenced} batches fenced off, "
        f"{sent} messages sent; {seconds:.0f} s of CPU"
    )
    return 1 if failed else 0


def _replay(seed: int) -> int:
    story = write_story(seed)
    verdict = tell(story, MemoryHouse())
    if not verdict.wrong:
        print(f"seed {seed}: all is well ({verdict.items} items, {verdict.crashes} crashes, {verdict.sent} messages)")
        return 0
    short = shrink(story)
    print(f"seed {seed}, {len(short.acts)} of {len(story.acts)} acts suffice:")
    for line in show_story(short):
        print(line)
    for wrong in tell(short, MemoryHouse()).wrong:
        print(f"wrong: {wrong}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
