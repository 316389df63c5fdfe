"""The short way writes what the interpreter writes, or leaves it to the interpreter."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from kizuna.core.errors import Invalid
from kizuna.templates import direct
from kizuna.templates.definition import read
from kizuna.templates.liquid_engine import plain_environment
from kizuna.templates.render import Content, render

VALUES: list[Any] = [
    "Ada", "", "<b> & \"x\" 'y'", "\u7d46\n\r\n", "\ud800", 7, -1, 0, True, None, 1.5, Decimal("12.30"), 10**1300,
    ["a", "b"], {"c": "d"}, {"size": "big"}, "x" * 200_000,
]  # fmt: skip
TEXTS = [
    "Hi {{ a.b }}!", "{{a.b}}{{ a.b }}", "{{ a['b'] }} {{- a.b -}} .", "{{ a.b.c }}", "{{ a.b.size }}",
    "{{ a.b.first }}", "{{ a.missing }}|{{ nobody.knows }}", "{{ a }}", "{{ partial }}", "{{ a[0] }}",
    "{{ a.b | upcase }}", "{{ 'text' }}", "{% if a.b %}{{ a.b }}{% endif %}", "{% assign a = 1 %}{{ a }}",
    "{% raw %}{{ a.b }}{% endraw %}", "plain", "",
]  # fmt: skip


def said(text: str, variables: dict[str, Any], form: str) -> Content | str:
    template = read({"channel": "email", "subject": text, "body": text, "format": form})
    try:
        return render(template, variables, now=0)
    except Invalid as error:
        return str(error)


@pytest.mark.parametrize("form", ["liquid+html", "liquid+text"])
@pytest.mark.parametrize("text", TEXTS)
def test_both_ways_write_the_same(text: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cases: list[dict[str, Any]] = [{"a": {"b": value}, "partial": "mine"} for value in VALUES]
    short = [said(text, case, form) for case in cases]
    monkeypatch.setattr(direct, "write", lambda *_: None)
    assert short == [said(text, case, form) for case in cases]


@pytest.mark.parametrize(
    ("text", "is_short"),
    [("Hi {{ a.b }}!", True), ("plain", True), ("{{ a.b | upcase }}", False), ("{% if a %}x{% endif %}", False)],
)
def test_only_texts_and_plain_paths_go_the_short_way(text: str, is_short: bool) -> None:
    parts = direct.parts_of(plain_environment(True).from_string(text))
    assert (parts is not None) is is_short
    if parts is not None:
        assert direct.write(parts, {"a": {"b": "<1>"}}, True) == text.replace("{{ a.b }}", "&lt;1&gt;")
