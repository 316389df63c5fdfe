from __future__ import annotations

import pytest

from kizuna.core.errors import Invalid
from kizuna.templates.render import check, render_text


@pytest.mark.parametrize(
    "source",
    [
        "{% case x %}{% when 1 and 2 %}{% endcase %}", "{% increment x y %}", "{% decrement x = 1 %}",
        "{% cycle 'a' 'b' %}", "{% cycle %}", "{% doc %}{% doc %}{% enddoc %}", "{% comment %}{% {%- endcomment %}",
    ],
)  # fmt: skip
def test_what_follows_where_nothing_may_is_refused(source: str) -> None:
    with pytest.raises(Invalid):
        check(source)


def test_a_cycle_over_variables_counts_for_itself() -> None:
    assert render_text("{% assign x = 'a' %}{% cycle x, 'b' %}{% cycle x, 'b' %}", {}) == "aa"
    assert render_text("{% cycle 'a', 'b' %}{% cycle 'a', 'b' %}", {}) == "ab"


def test_break_outside_a_loop_ends_the_template() -> None:
    assert render_text("a{% if true %}b{% break %}c{% endif %}d", {}) == "ab"
