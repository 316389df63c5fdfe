from __future__ import annotations

import pytest

from kizuna.templates.braze import convert, convert_template
from kizuna.templates.render import check


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("Hi {{${first_name} | default: 'you'}}", "Hi {{profile.traits.first_name | default: 'you'}}"),
        ("{{custom_attribute.${fav color}}}", "{{profile.traits['fav color']}}"),
        ("{% if {{custom_attribute.${x}}} == 'a' %}{% endif %}", "{% if profile.traits.x == 'a' %}{% endif %}"),
        ("{% assign a = {{${user_id}}} %}", "{% assign a = profile.identities.user_id %}"),
        ("{{event_properties.${total}}}", "{{event.properties.total}}"),
        ("{{api_trigger_properties.${code}}}", "{{data.code}}"),
        ("{{content_blocks.${footer}}}", "{% include 'footer' %}"),
        ("{{ plain }} costs $5 {x}", "{{ plain }} costs $5 {x}"),
    ],
)
def test_spellings_of_migrants_become_ours(source: str, wanted: str) -> None:
    made, notices = convert(source)
    assert made == wanted
    assert bool(notices) is ("${" in source)
    check(made)


def test_each_text_of_a_template_is_converted_and_each_change_is_said() -> None:
    made, notices = convert_template(
        {"subject": "{{${city}}}", "body": "b", "locales": {"ja": {"body": "{{foo.${x}}}"}}}
    )
    assert made["subject"] == "{{profile.traits.city}}"
    assert notices == [
        "${city} is now profile.traits.city", "foo.${x} has no counterpart here and was left as it is",
    ]  # fmt: skip
