"""`kizuna bench`: rows of ratios against a peer, interleaved in one run on one machine."""

from __future__ import annotations

from collections.abc import Sequence

from kizuna.config import Config
from kizuna.core.errors import Invalid


def main(config: Config, names: Sequence[str]) -> int:
    """Run the rows named, or all; prints a table."""
    from rich.console import Console

    from kizuna.bench import journeys, latency, pipeline, render, segments, segments_preview, send, send_memory
    from kizuna.bench.house import house

    rows = {
        "pipeline": pipeline.run,
        "latency": latency.run,
        "journeys": journeys.run,
        "send": send.run,
        "send_memory": send_memory.run,
        "segments_preview": segments_preview.run,
    }
    alone = {"segments": segments.run, "render": render.run}  # these need no running Kizuna
    known = [*alone, *rows]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Invalid(f"no bench row {unknown[0]!r}: there are {', '.join(known)}")
    screen = Console(stderr=True)
    for name in names or known:
        if name in alone:
            for line in alone[name](screen):
                print(f"{name:16}  {line}", flush=True)
            continue
        with house(screen) as found:
            for line in rows[name](found, screen):
                print(f"{name:16}  {line}", flush=True)
    return 0
