"""What journeys say on a timeline."""

from __future__ import annotations

from kizuna.engine.fact import Fact

_JOURNEY = {"journey": "its name", "version": "the version the run is on"}
_RUN = {**_JOURNEY, "run": "id of the run"}

FACTS = (
    Fact(
        "journey_entered",
        "A run began.",
        {**_RUN, "key?": "its key, in a keyed journey", "holdout?": "true for one that receives nothing"},
    ),
    Fact(
        "journey_refused",
        "An entry that was asked for was refused, for another run does not allow it.",
        {**_JOURNEY, "reason": "why, in one word", "key?": "the key asked for"},
    ),
    Fact(
        "journey_step",
        "A run arrived at a step.",
        {**_RUN, "step": "id of the step", "from_version?": "the version it was moved from"},
    ),
    Fact(
        "journey_goal",
        "The goal was met, once a run.",
        {**_RUN, "step": "where the run was", "value?": "what it was worth"},
    ),
    Fact(
        "journey_exited",
        "A run ended.",
        {**_RUN, "reason": "completed, exit_event, exit_rule, ...", "step?": "where it was", "note?": "why, in words"},
    ),
    Fact(
        "traits_updated",
        "A step `update` set traits.",
        {"traits": "those that were set", "journey": "its name", "step": "id of the step"},
    ),
)
