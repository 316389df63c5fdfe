"""The order of publishing."""

from __future__ import annotations

from typing import Any

from kizuna.definitions.apply import in_order
from kizuna.definitions.document import Document
from kizuna.definitions.standing import Standing, normal
from kizuna.definitions.store import Ruling


def asking(*names: str) -> dict[str, Any]:
    return {"where": {"all": [{"in_segment": name} for name in names]}}


def test_one_that_is_needed_is_published_before_and_removed_after() -> None:
    ruling = {
        ("segment", "old_base"): Ruling(1, "active", asking()),
        ("segment", "old_a"): Ruling(1, "active", asking("old_base")),
        ("journey", "old"): Ruling(1, "active", {}),
        ("template", "old"): Ruling(1, "active", {}),
    }
    wanted = [
        Document("journey", "j", {}),
        Document("journey", "j", {}, is_draft=True),
        Document("campaign", "c", {}),
        Document("segment", "a", asking("b", "z")),
        Document("segment", "b", asking("z")),
        Document("segment", "z", asking()),
        Document("template", "t", {}),
        Document("provider", "p", {}),
    ]
    order = in_order(Standing(ruling, {}, ""), [normal(each) for each in wanted])
    assert [each.name for each in order] == ["t", "p", "z", "b", "a", "j", "j", "c", "old", "old_a", "old_base", "old"]
    assert [each.kind for each in order[-4:]] == ["journey", "segment", "segment", "template"]
    assert [each.is_draft for each in order if each.name == "j"] == [False, True]
