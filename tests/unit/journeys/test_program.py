from __future__ import annotations

from typing import Any

from kizuna.engine.slice import Definition
from kizuna.journeys.program import compile_program, rules_in


def definition(status: str, introduced: int, version: int = 1, kind: str = "journey", **body: Any) -> Definition:
    document = {"entry": {"on": {"event": "A"}}, "steps": [{"id": "d", "delay": "1d"}], **body}
    return Definition(kind, "j", version, status, document, introduced, None)


def test_only_active_journeys_are_entered_and_every_version_is_kept() -> None:
    versions = [definition("active", 1), definition("active", 2, version=2)]
    assert [plan.version for plan in compile_program(versions).entries["A"]] == [2]
    paused = compile_program([*versions, definition("paused", 3, version=2)])
    assert paused.entries == {}
    assert set(paused.plans) == {("j", 1), ("j", 2)}


def test_all_rules_are_named_and_other_kinds_have_none() -> None:
    rules = [{"trait": name, "is": 1} for name in "abc"]
    found = rules_in(
        definition(
            "active", 1,
            entry={"on": {"event": "A"}, "audience": rules[0]},
            exit=[{"rule": rules[1]}, {"segment_left": "s"}, {"opted_out": "email"}],
            steps=[{"id": "b", "branch": [{"when": rules[2], "next": "end"}]}],
        )
    )  # fmt: skip
    assert found == [
        rules[0], rules[1], {"in_segment": "s"}, {"consent": {"channel": "email"}, "is": "opted_out"}, rules[2],
    ]  # fmt: skip
    assert rules_in(definition("active", 1, kind="campaign")) == []
