"""Compiled and interpreted, a template writes the same, warns of the same and spends the same."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from liquid.exceptions import LiquidError

from kizuna.bench.render import MAIL, data
from kizuna.core.errors import Invalid
from kizuna.templates import render as rendering
from kizuna.templates.budget import TURNS, WORK, Budget
from kizuna.templates.compiled import Compiled
from kizuna.templates.extra_tags import Aborted
from kizuna.templates.liquid_engine import BoundedEnvironment, plain_environment
from kizuna.templates.python_source import TooMuch
from kizuna.templates.text_passages import Passage

CASES = json.loads((Path(__file__).parents[2] / "data" / "golden-liquid" / "golden_liquid_half.json").read_text())[
    "tests"
]
GIVEN_UP: list[str] = []


def compare(source: str, variables: dict[str, Any], escapes: bool, partials: dict[str, str] | None = None) -> None:
    """Both ways in full: what is written, or that it is aborted or wrong; the warnings, and what is left to spend."""
    try:
        parsed = BoundedEnvironment(autoescape=escapes, partials=partials or {}).from_string(source)
    except (LiquidError, Invalid):
        return
    known = rendering.Plain(variables)
    mine, theirs = Budget(0), Budget(0)
    compiled = Compiled(parsed)
    outcome = ended(lambda: compiled_text(compiled, known, mine))
    wanted = ended(lambda: rendering.interpreted(parsed, known, theirs))
    if outcome is None:  # given up, as if nothing had been begun
        assert (mine.turns, mine.work, mine.warnings) == (TURNS, WORK, {})
        if wanted is not None:
            GIVEN_UP.append(source)
        return
    assert outcome == wanted
    assert list(mine.warnings) == list(theirs.warnings)
    if not outcome.startswith("aborted"):
        assert (mine.turns, mine.work) == (theirs.turns, theirs.work)


def compiled_text(compiled: Compiled, variables: rendering.Plain, budget: Budget) -> str | None:
    written = compiled.write(variables, budget)
    if written is None:
        return None
    if written.passages is not None:
        assert "".join(map(joined, written.passages)) == written.text
    return written.text


def joined(passage: tuple[Passage, tuple[str, ...]]) -> str:
    values = iter(passage[1])
    return "".join(next(values) if part is None else part for part in passage[0].parts)


def ended(write: Callable[[], str | None]) -> str | None:
    try:
        written = write()
    except Aborted as reason:
        return f"aborted: {reason}"
    except Exception:
        return None
    return None if written is None else f"written: {written}"


@pytest.mark.parametrize("escapes", [True, False])
def test_both_ways_write_the_same(escapes: bool) -> None:
    cases = [(case["template"], case.get("data") or {}, case.get("templates")) for case in CASES]
    cases += [(MAIL, data(number), None) for number in range(6)] + [(MAIL, {}, None)]
    GIVEN_UP.clear()
    for source, given, partials in cases:
        compare(source, given, escapes, partials)
    assert not GIVEN_UP


TRAPS = [
    "{{ a.b.c }}|{{ a['b'] }}|{{ a.no }}|{{ no }}|{{ partial }}|{{ a[0] }}|{{ l[0].n }}|{{ l.size }}|{{ l.first.n }}",
    "{% assign x = nobody %}{{ x }}{{ x.y }}{{ x | default: 'd' }}{{ x.size }}",
    "{% for i in l %}{{ i.n }}{% assign i = 1 %}{{ i.n }}{% endfor %}{{ i }}",
    "{% for i in l %}{% for j in l %}{{ forloop.parentloop.index }}{{ forloop.index }}{% endfor %}{% endfor %}",
    "{% for i in l %}{% for j in forloop %}{{ j }}{% endfor %}{{ forloop.index }}{% endfor %}",
    "{% for i in (1..9000) %}{% break %}{% endfor %}{% for i in (1..900) %}.{% endfor %}",
    "{% for i in l %}{% if i.n == 2 %}{% continue %}{% endif %}{{ i.n }}{% cycle 'a', 'b' %}{% endfor %}",
    "{% for i in l limit: 1 %}{{ i.n }}{% endfor %}{% for i in l offset: continue %}{{ i.n }}{% endfor %}",
    "{% capture x %}<{{ t }}>{% endcapture %}{{ x }}{{ x | upcase }}{% capture y %}  {% endcapture %}[{{ y }}]",
    "{% increment n %}{{ n }}{% decrement n %}{{ n }}{% assign n = 'x' %}{{ n }}{% increment n %}",
    "{% case t %}{% when '<t>', 'b' %}1{% assign t = 'b' %}{% when 'b' %}2{% else %}3{% endcase %}",
    "{% if t == blank or l == empty %}x{% endif %}{% if no > 1 %}y{% endif %}{% unless l contains 1 %}z{% endunless %}",
    "{% include 'sets' %}{{ t }}{% for i in l %}{{ t }}{% include 'sets' %}{% endfor %}{% break %}never",
    "{{ t | append: '</i>' }}{{ '<i>' | append: t }}{{ t | prepend: '&' | upcase }}{{ t | url_encode }}{{ n }}",
    "'\"\\{ } \n\\n{{ '\"\\' }}{{ t | append: '\\\"' }}{% raw %}{{ x }}{% endraw %}",
    "{{ '__import__(0)' }}{% assign __class__ = 1 %}{{ __class__ }}{{ run.budget }}{{ context }}{{ page0 }}{{ w }}",
]  # fmt: skip


@pytest.mark.parametrize("source", TRAPS)
@pytest.mark.parametrize("escapes", [True, False])
def test_where_the_two_could_differ_they_do_not(source: str, escapes: bool) -> None:
    given = {"a": {"b": {"c": "<c>"}}, "l": [{"n": 1}, {"n": 2}, {"n": 10**30}], "t": "<t>", "run": 1}
    GIVEN_UP.clear()
    compare(source, given, escapes, {"sets": "{% assign t = 'set' %}-"})
    assert not GIVEN_UP


def test_a_template_too_long_for_python_is_left_to_the_interpreter() -> None:
    parsed = plain_environment(True).from_string("{{ a }}" * 9_000)
    began = time.process_time()
    with pytest.raises(TooMuch):
        Compiled(parsed)
    assert time.process_time() - began < 1


def test_what_is_deep_is_written_all_the_same() -> None:
    GIVEN_UP.clear()
    compare("{% if a %}" * 28 + "x{{ a }}" + "{% endif %}" * 28, {"a": 1}, True)
    compare("{% for i in (1..2) %}" * 9 + "{{ i }}" + "{% endfor %}" * 9, {}, True)
    compare("{% if " + " and ".join(["a == 1"] * 200) + " %}x{% endif %}", {"a": 1}, True)
    compare("{% if a == 2 %}" + "{% elsif a == 3 %}" * 500 + "{% else %}x{% endif %}", {"a": 1}, True)
    assert not GIVEN_UP


def test_when_given_up_nothing_is_spent() -> None:
    compare("{{ nobody }}{% for i in (1..9) %}{{ 'a' | upcase }}{% endfor %}{{ 1 | divided_by: 0 }}", {}, True)
    compare("{% for i in (1..9) %}x{% endfor %}{% for i in (1..9999) %}x{% endfor %}", {}, True)


PARTIALS = {
    "card": "{{ item.n | times: 2 }}{{ nobody }}{% for t in item.tags %}{{ forloop.index }}{{ t }}{% endfor %}",
    "list": "{% render 'card' for l as item %}{% increment n %}{% cycle 'a', 'b' %}",
    "self": "{{ n }}{% render 'self', n: n %}",
}
APART = [
    "{% for item in l %}{% render 'card', item: item %}{{ forloop.index }}{% endfor %}",
    "{% for item in l %}{% render 'card', item: item.none %}{% break %}{% endfor %}|{% render 'card' %}",
    "{% for x in l %}{% render 'list', l: l %}{% increment n %}{% cycle 'c', 'd' %}{{ n }}{% endfor %}",
    "{% render 'card' with l[0] as item %}{{ item }}{% render 'card' for nobody as item %}",
    "{% for i in l %}{% ifchanged %}{{ i.n | modulo: 2 }}{% endifchanged %}-{% endfor %}",
    "{% for i in l %}{% ifchanged %}x{% if i.n == 2 %}{% continue %}{% endif %}{% endifchanged %}{{ i.n }}{% endfor %}",
    "{% for i in l %}{% if 1 %}{% ifchanged %} {% endifchanged %}{% endif %}{{ i.n }}{% endfor %}",
]


@pytest.mark.parametrize("escapes", [True, False])
@pytest.mark.parametrize("source", APART)
def test_partials_of_a_scope_of_their_own_are_compiled_too(source: str, escapes: bool) -> None:
    given = {"l": [{"n": n, "tags": ["<", "b"]} for n in (1, 2, 3, 3)]}
    GIVEN_UP.clear()
    compare(source, given, escapes, PARTIALS)
    assert not GIVEN_UP


@pytest.mark.parametrize(
    "source",
    [
        "{% render 'self', n: 1 %}",
        "{% for i in l %}{% render 'card', item: forloop %}{% endfor %}",
        "{% render 'no' %}",
    ],
)
def test_what_a_partial_may_not_is_told_by_the_interpreter(source: str) -> None:
    given = {"l": [1, 2]}
    compare(source, given, True, PARTIALS)
