from __future__ import annotations

from typing import Any

import pytest

from kizuna.core.errors import Invalid
from kizuna.templates import definition
from kizuna.templates.examine import examine
from kizuna.templates.push import PushPart
from kizuna.templates.render import render

PUSH = {"url": "https://shop.example/{{ data.sku }}", "data": {"sku": "{{ data.sku }}"}, "ttl": "1h", "urgency": "low"}


def document(**changes: Any) -> dict[str, Any]:
    return {"channel": "push", "subject": "Sale", "body": "{{ data.sku }} & more", "push": PUSH, **changes}


def test_a_push_is_text_and_all_its_texts_are_liquid() -> None:
    content = render(definition.read(document()), {"data": {"sku": "A<1>"}})
    assert (content.format, content.body) == ("liquid+text", "A<1> & more")
    assert content.push == PushPart(url="https://shop.example/A<1>", data={"sku": "A<1>"}, ttl="1h", urgency="low")


def test_without_its_part_a_push_is_title_and_text() -> None:
    assert render(definition.read(document(push=None)), {"data": {"sku": "A"}}).push is None


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"channel": "email"}, "/push"),
        ({"push": "https://shop.example"}, "/push"),
        ({"push": {"urll": "x"}}, "/push/urll"),
        ({"push": {"url": 5}}, "/push/url"),
        ({"push": {"data": {"a": {"b": 1}}}}, "/push/data"),
        ({"push": {"data": {str(each): "" for each in range(33)}}}, "/push/data"),
        ({"push": {"urgency": "now"}}, "/push/urgency"),
        ({"push": {"ttl": "soon"}}, "/push/ttl"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        definition.read(document(**changes))
    assert [each.pointer for each in refused.value.errors] == [pointer]


def test_its_liquid_is_examined_before_it_is_published() -> None:
    with pytest.raises(Invalid) as refused:
        examine(definition.read(document(push={"url": "{{ data.sku"})))
    assert [each.pointer for each in refused.value.errors] == ["/push/url"]
