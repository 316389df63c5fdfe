from __future__ import annotations

from typing import Any

import pytest

from kizuna.core.errors import Invalid
from kizuna.templates.definition import read
from kizuna.templates.extra_tags import Aborted
from kizuna.templates.lookups import Code, Found, Items, Lookups, Missing, Selection, Unsaid, Wanted
from kizuna.templates.render import Content, check, render, render_text

TEA, POT = {"id": "tea", "name": "Tea & cups"}, {"id": "pot", "name": "<Pot>"}
NAMES = "{% for i in items %}{{ i.name }},{% endfor %}"


def drawn(body: str, answers: dict[Wanted, Found] | None = None, form: str = "liquid+html", **data: Any) -> Content:
    return render(read({"body": body, "format": form}), data, lookups=Lookups(answers))


@pytest.mark.parametrize(
    ("tag", "wanted"),
    [
        ("catalog_items shop tea pot", Items("shop", ("tea", "pot"))),
        ("catalog_items shop tea, pot, tea", Items("shop", ("tea", "pot"))),
        ("catalog_items 'my shop' 'a b' {{ who.wish }}", Items("my shop", ("a b", "x", "7"))),
        ("catalog_items {{ who.shop | append: 's' }} tea", Items("shops", ("tea",))),
        ("catalog_selection_items shop cheap", Selection("shop", "cheap")),
        ("promotion 'spring'", Code("spring")),
        ("promotion('spring')", Code("spring")),
        ("promotion {{ who.shop }} :save code", Code("shop")),
    ],
)
def test_a_tag_asks_for_what_it_says_and_stops_there(tag: str, wanted: Wanted) -> None:
    with pytest.raises(Missing) as missing:
        drawn(f"a{{% {tag} %}}b", who={"wish": ["x", 7, None, "x"], "shop": "shop"})
    assert missing.value.wanted == wanted


def test_items_are_escaped_as_any_value_and_what_is_not_there_is_left_out() -> None:
    answers: dict[Wanted, Found] = {Items("shop", ("tea", "pot")): [TEA, POT], Selection("shop", "new"): [POT]}
    both = "{% catalog_items shop tea pot %}" + NAMES + "{% catalog_selection_items shop new %}" + NAMES
    assert drawn(both, answers).body == "Tea &amp; cups,&lt;Pot&gt;,&lt;Pot&gt;,"
    assert drawn(both, answers, "liquid+text").body == "Tea & cups,<Pot>,<Pot>,"
    assert drawn("{% catalog_items shop {{ nothing }} %}[" + NAMES + "]").body == "[]"  # nobody is asked


def test_an_unknown_catalog_is_empty_and_warned_of() -> None:
    content = drawn("{% catalog_items shop tea %}" + NAMES, {Items("shop", ("tea",)): None})
    assert (content.body, content.warnings) == ("", ["catalog shop does not exist"])


def test_a_code_is_the_same_wherever_it_is_said_and_noted_once() -> None:
    lookups = Lookups({Code("spring"): "A&B"})
    template = read({
        "subject": "{% promotion 'spring' %}", "body": "{% promotion 'spring' :save code %}{{ code }}",
        "format": "liquid+html",
    })  # fmt: skip
    content = render(template, {}, lookups=lookups)
    assert (content.subject, content.body, lookups.codes) == ("A&B", "A&amp;B", {"spring": "A&B"})


def test_without_a_code_nothing_is_said() -> None:
    with pytest.raises(Aborted) as aborted:
        drawn("{% promotion 'spring' %}", {Code("spring"): Unsaid("no_code", "none is left")})
    assert (aborted.value.reason, str(aborted.value)) == ("no_code", "none is left")


def test_what_a_branch_does_not_reach_is_not_asked_for() -> None:
    body = "{% if vip %}{% promotion 'spring' %}{% endif %}{% unless vip %}x{% endunless %}"
    assert drawn(body, vip=False).body == "x"


def test_notes_are_kept_within_bounds() -> None:
    lookups = Lookups()
    note = "{% message_extras :key why :value {{ reason }} %}{% message_extras :key 'a b' :value '1' %}"
    render(read({"body": note}), {"reason": "late"}, lookups=lookups)
    assert lookups.extras == {"why": "late", "a b": "1"}
    with pytest.raises(Invalid) as error:
        drawn("{% for n in (1..11) %}{% message_extras :key {{ n }} :value x %}{% endfor %}")
    assert error.value.code == "template_limit"


@pytest.mark.parametrize(
    "tag",
    ["catalog_items", "catalog_items shop", "catalog_selection_items shop", "catalog_selection_items shop a b",
     "promotion", "promotion 'a' 'b'", "promotion 'a' :save 1x", "message_extras :key a", "catalog_items shop {{ | }}",
     "message_extras :key a :key b :value c"],
)  # fmt: skip
def test_a_tag_that_says_too_little_or_too_much_is_refused(tag: str) -> None:
    with pytest.raises(Invalid):
        check(f"{{% {tag} %}}")


def test_more_items_than_a_mail_may_ask_for_are_refused() -> None:
    with pytest.raises(Invalid) as error:
        drawn("{% catalog_items shop {{ many }} %}", many=[str(n) for n in range(101)])
    assert error.value.code == "template_limit"


def test_values_of_steps_draw_on_nothing() -> None:
    with pytest.raises(Invalid):
        render_text("{% promotion 'spring' %}", {})
