"""A plan as text."""

from __future__ import annotations

from kizuna.definitions.difference import Change
from kizuna.definitions.plan import Plan, Planned
from kizuna.definitions.reach import Reach
from kizuna.definitions.standing import Entry
from kizuna.definitions.terminal import lines_of


def test_lines_say_what_changes_and_whom_it_moves() -> None:
    lines = [
        Planned(
            Entry("segment", "vip", "changed", changes=[Change("where.is", "a", "b")]),
            Reach(members=5, enter=2, leave=1, starts=["hi"]),
        ),
        Planned(Entry("segment", "both", "unchanged"), Reach(members=1, enter=0, leave=1)),
        Planned(Entry("template", "t", "unchanged"), None),
        Planned(Entry("template", "loud", "created"), None, ["brand voice: '!!!' is not written"]),
        Planned(Entry("journey", "j", "removed"), Reach(open_runs=3)),
    ]  # fmt: skip
    assert lines_of(Plan(lines, "", True)) == [
        "~ segments/vip: changed; 2 enter, 1 leave, 5 afterwards; starts hi",
        '    where.is: "a" → "b"',
        "  segments/both: moves with what it asks for; 0 enter, 1 leave, 1 afterwards",
        "+ templates/loud: created",
        "    ! brand voice: '!!!' is not written",
        "- journeys/j: removed; 3 runs open",
        "1 created, 1 changed, 1 removed, 2 unchanged",
    ]


def test_long_texts_are_shown_where_they_part() -> None:
    body = "x" * 300
    change = Change("body", body + "old", body + "new")
    line = lines_of(Plan([Planned(Entry("template", "t", "changed", changes=[change]), None)], "", True))[1]
    assert "xold" in line and "xnew" in line and len(line) < 160
