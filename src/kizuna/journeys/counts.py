"""What the workers counted, as the outside sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

IN_ALL = ("entered", "active", "completed", "goal")
BY_STEP = ("entered", "waiting", "left")


def counts_of(counted: Mapping[str, int], steps: Iterable[str]) -> dict[str, Any]:
    """`counted` by name within the journey, such as `step:mail:entered`; every one of `steps` is shown."""
    by_step: dict[str, dict[str, int]] = {step: dict.fromkeys(BY_STEP, 0) for step in steps}
    exited: dict[str, int] = {}
    for name, number in counted.items():
        what, _, rest = name.partition(":")
        if what == "exited":
            exited[rest] = number
        elif what == "step":
            step, _, counter = rest.rpartition(":")
            by_step.setdefault(step, dict.fromkeys(BY_STEP, 0))[counter] = number
    return {**{name: counted.get(name, 0) for name in IN_ALL}, "exited": exited, "steps": by_step}
