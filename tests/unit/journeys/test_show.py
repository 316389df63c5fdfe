from __future__ import annotations

from typing import Any

from kizuna.journeys.show import show_runs


def test_open_and_ended_runs_are_shown_newest_first(world: Any) -> None:
    wait = {"id": "w", "delay": "1d"}
    world.publish("a", {"entry": {"on": {"event": "Go"}}, "steps": [wait]})
    world.event("Go")
    world.pass_time("1d")
    world.publish("b", {"entry": {"on": {"event": "Go"}, "key": "properties.id"}, "steps": [wait]})
    world.event("Go", id=3)
    first, second = show_runs(world.record["journeys"])
    assert first == {
        "journey": "b", "version": 1, "run": first["run"], "key": "3", "step": "w", "state": "active",
        "entered_at": "2026-03-03T10:00:00Z", "left_at": None, "exit_reason": None,
    }  # fmt: skip
    assert (second["journey"], second["state"], second["exit_reason"]) == ("a", "completed", "completed")
    assert second["left_at"] == "2026-03-03T10:00:00Z"
