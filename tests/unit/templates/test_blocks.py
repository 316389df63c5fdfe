from __future__ import annotations

from kizuna.templates.blocks import bodies, collect, named
from kizuna.templates.definition import read
from kizuna.templates.render import render

STORED = {
    "footer": read({"body": "Bye{% render 'legal' %}", "locales": {"ja": {"body": "では{% render 'legal' %}"}}}),
    "legal": read({"body": " (c){% include 'footer' %}"}),
    "other": read({"body": "never"}),
}


def test_blocks_are_named_by_include_and_render() -> None:
    assert named("{% include 'a' %}{%- render \"b c\", x: 1 -%}{% render d %} include 'e'") == {"a", "b c", "e"}


def test_blocks_within_blocks_are_found_once() -> None:
    found = collect({"footer"}, lambda names: {name: STORED[name] for name in names if name in STORED})
    assert set(found) == {"footer", "legal"}


def test_a_block_is_said_in_the_language_of_the_customer() -> None:
    blocks = {"footer": read({"body": "Bye", "locales": {"ja": {"body": "では"}}})}
    mail = read({"body": "{% include 'footer' %}"})
    assert render(mail, {}, partials=bodies(blocks, "ja-JP")).body == "では"
    assert render(mail, {}, partials=bodies(blocks, "fr")).body == "Bye"
