from __future__ import annotations

from kizuna.journeys.counts import counts_of


def test_counters_become_the_shape_of_the_contract() -> None:
    counted = {
        "entered": 5, "active": 1, "completed": 2, "exited:goal": 1, "exited:stopped": 1, "refused": 3,
        "step:mail:entered": 4, "step:mail:left": 4, "step:old step:entered": 1,
    }  # fmt: skip
    assert counts_of(counted, ["wait", "mail"]) == {
        "entered": 5,
        "active": 1,
        "completed": 2,
        "goal": 0,
        "exited": {"goal": 1, "stopped": 1},
        "steps": {
            "wait": {"entered": 0, "waiting": 0, "left": 0},
            "mail": {"entered": 4, "waiting": 0, "left": 4},
            "old step": {"entered": 1, "waiting": 0, "left": 0},
        },
    }
