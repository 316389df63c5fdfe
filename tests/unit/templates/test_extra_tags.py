from __future__ import annotations

import pytest

from kizuna.core.errors import Invalid
from kizuna.templates.definition import read
from kizuna.templates.extra_tags import Aborted
from kizuna.templates.render import render, render_text


@pytest.mark.parametrize(
    ("source", "reason"),
    [("{% abort_message %}", ""), ("{% abort_message 'no stock' %}", "no stock"), ("{% abort_message('x') %}", "x"),
     ("{% if true %}{% abort_message() %}{% endif %}", ""), ("{% abort_message why %}", "late")],
)  # fmt: skip
def test_a_template_may_say_that_nothing_is_said(source: str, reason: str) -> None:
    with pytest.raises(Aborted) as error:
        render(read({"body": "a" + source + "b"}), {"why": "late"})
    assert str(error.value) == reason


def test_what_is_not_reached_aborts_nothing() -> None:
    assert render(read({"body": "{% if false %}{% abort_message %}{% endif %}x"}), {}).body == "x"


def test_values_of_steps_cannot_abort() -> None:
    with pytest.raises(Invalid):
        render_text("{% abort_message %}", {})


def test_more_than_a_reason_is_refused() -> None:
    with pytest.raises(Invalid):
        render(read({"body": "{% abort_message 'a' 'b' %}"}), {})
