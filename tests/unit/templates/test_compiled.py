"""Compiled and interpreted, a template writes the same and warns of the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kizuna.bench.render import MAIL, data
from kizuna.core.errors import Invalid
from kizuna.templates import render as rendering
from kizuna.templates.definition import Template, Wording
from kizuna.templates.render import Content, render

CASES = json.loads((Path(__file__).parents[2] / "data" / "golden-liquid" / "golden_liquid_half.json").read_text())[
    "tests"
]


def said(source: str, variables: dict[str, Any], form: str, partials: dict[str, str] | None = None) -> Content | str:
    try:
        return render(Template("email", form, Wording(None, source), {}), variables, now=0, partials=partials)
    except Invalid as error:
        return str(error)


@pytest.mark.parametrize("form", ["liquid+html", "liquid+text"])
def test_both_ways_write_the_same(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [(case["template"], case.get("data") or {}, case.get("templates")) for case in CASES]
    cases += [(MAIL, data(number), None) for number in range(6)] + [(MAIL, {}, None)]
    short = [said(source, given, form, partials) for source, given, partials in cases]
    monkeypatch.setattr(rendering, "_quickly", lambda *_: None)
    assert short == [said(source, given, form, partials) for source, given, partials in cases]
