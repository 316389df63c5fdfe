from __future__ import annotations

from typing import Any

import pytest

from kizuna.templates.render import render_text

SAID = {
    "{{ flag | upcase }}": "TRUE",
    "{{ nothing | join: ', ' }}|{{ nil | sort }}": "|",
    "{{ flags }}": "truefalse",
    "{{ nested }}": "ab1",
    "{{ object }}": '{"a"=>[1, nil]}',
    "{{ 4.5 | round }} {{ -4.5 | round }} {{ 0.4 | round }} {{ 2.675 | round: 1 }} {{ 7 | round }}": "5 -5 0 2.7 7",
    "{{ 'hello' | truncate: 5 }} {{ 'hello!' | truncate: 5 }} {{ 'hello' | truncate: 1 }}": "hello he... ...",
    "{{ 'one two three' | truncatewords: 3 }}|{{ 'one two three' | truncatewords: 2 }}": "one two three|one two...",
    "{{ 'banana' | split: 'a' | size }}": "3",
    "{{ 'abc' | first }}{{ 'abc' | last }}": "ac",
    "{{ mixed | sort | join: ',' }}": "1,2,3,",
    "{{ words | sum }}": "0",
    "{% if nothing == blank and false == blank and missing == blank %}yes{% endif %}": "yes",
    '{{ "\'" | escape }}': "&#39;",
    "{{ '<b>' | h }}": "&lt;b&gt;",
}
DATA: dict[str, Any] = {
    "flag": True, "flags": [True, False], "nested": ["a", ["b", [1]], None], "object": {"a": [1, None]},
    "mixed": [3, None, 1, 2], "words": ["a", "b"], "nothing": None,
}  # fmt: skip


@pytest.mark.parametrize("source", SAID)
def test_it_is_said_as_in_shopify(source: str) -> None:
    assert render_text(source, DATA) == SAID[source]
