"""How wanted documents differ from what rules."""

from __future__ import annotations

from typing import Any

from kizuna.definitions.document import Document
from kizuna.definitions.standing import Standing, documents, entries, normal
from kizuna.definitions.store import Ruling


def standing(**segments: Any) -> Standing:
    ruling = {
        ("segment", name): Ruling(1, "active", {"title": name, "where": where}) for name, where in segments.items()
    }
    draft = {("journey", "later"): {"steps": []}}
    return Standing(ruling, draft, "mark")


def test_what_is_shown_is_no_difference() -> None:
    found = standing(vip={"trait": "plan", "is": "vip"})
    shown = documents(found)
    assert shown[0].body == {"where": {"trait": "plan", "is": "vip"}}  # its title goes without saying
    assert {each.action for each in entries(found, [normal(each) for each in shown])} == {"unchanged"}


def test_each_action_is_told_and_an_unnamed_draft_is_left_alone() -> None:
    found = standing(a={"did": "A"}, b={"did": "B"}, c={"did": "C"})
    wanted = [
        Document("segment", "a", {"where": {"did": "A"}}),
        Document("segment", "b", {"where": {"did": "B", "within": "1d"}}),
        Document("segment", "d", {"where": {"did": "D"}}),
    ]
    told = entries(found, [normal(each) for each in wanted])
    assert [(each.name, each.action) for each in told] == [
        ("a", "unchanged"), ("b", "changed"), ("c", "removed"), ("d", "created"),
    ]  # fmt: skip
    assert [change.path for change in told[1].changes] == ["where.within"]


def test_a_list_is_shown_without_its_id_and_stays_the_list_it_is() -> None:
    found = standing(staff={"listed": "lst_1"}, vip={"trait": "plan", "is": "vip"})
    shown = documents(found)
    assert shown[0].body == {"list": "uploaded"}
    assert {each.action for each in entries(found, [normal(each) for each in shown])} == {"unchanged"}
    ruled = [normal(Document("segment", "staff", {"where": {"did": "A"}})), *shown[1:]]
    assert [change.path for change in entries(found, ruled)[0].changes] == ["list", "where"]
    as_before = [normal(Document("segment", "staff", {"where": {"listed": "lst_of_elsewhere"}})), *shown[1:]]
    assert entries(found, as_before)[0].action == "unchanged"
