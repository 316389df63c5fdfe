"""Rules written out."""

from __future__ import annotations

import pytest

from kizuna.core.errors import Invalid
from kizuna.definitions.reach import written_out
from kizuna.segments.rule import parse


def test_segments_that_move_are_replaced_and_others_asked_by_membership() -> None:
    rules = {"a": parse({"did": "A"}), "b": parse({"not": {"in_segment": "a"}}), "c": parse({"did": "C"})}
    asked = parse({"all": [{"in_segment": "b"}, {"in_segment": "c"}, {"in_segment": "gone"}]})
    found = written_out(asked, rules, {"a", "b", "gone"})
    assert found == parse({"all": [{"not": {"did": "A"}}, {"in_segment": "c"}, {"any": []}]})


def test_segments_that_multiply_are_refused() -> None:
    rules = {f"s{n}": parse({"all": [{"in_segment": f"s{n - 1}"}] * 2} if n else {"did": "A"}) for n in range(40)}
    with pytest.raises(Invalid):
        written_out(rules["s39"], rules, set(rules))
