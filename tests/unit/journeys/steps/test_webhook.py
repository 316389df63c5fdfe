from __future__ import annotations

import json
from typing import Any

import pytest

from kizuna.core.errors import Unprocessable

ENTRY = {"entry": {"on": {"event": "Go"}}}


def asked(world: Any, body: Any, properties: dict[str, Any] | None = None) -> Any:
    steps = [{"id": "tell", "webhook": {"provider": "crm", "body": body}}]
    world.publish("j", {**ENTRY, "steps": steps})
    world.event("Go", **(properties or {}))
    return world.ear.asked[0][1]


def test_it_asks_for_a_message_that_reaches_no_person(world: Any) -> None:
    wanted = asked(world, {"a": 1})
    assert (wanted.channels, wanted.provider, wanted.template) == (("webhook",), "crm", "")
    assert wanted.transactional
    assert wanted.occurrence == wanted.run
    assert json.loads(wanted.data["body"]) == {"a": 1}


def test_what_customers_say_cannot_leave_its_string(world: Any) -> None:
    evil = '"}, "admin": true, {"\\\n\u2028秋'
    body = {
        "z": "{{ event.properties.name }}",
        "a": [{"deep": "Hi {{ event.properties.name }}"}],
        "n": 1.50,
        "on": True,
    }
    said = asked(world, body, {"name": evil}).data["body"]
    assert json.loads(said) == {"z": evil, "a": [{"deep": f"Hi {evil}"}], "n": 1.5, "on": True}
    assert said.startswith('{"z":')  # in the order written


def test_a_body_may_be_json_as_a_text(world: Any) -> None:
    said = asked(world, '{"name": "{{ event.properties.name }}"}', {"name": 'a"b'})
    assert json.loads(said.data["body"]) == {"name": 'a"b'}


def test_a_body_that_cannot_be_worded_is_skipped(world: Any) -> None:
    wanted = asked(world, {"a": "{% for n in (1..100000000) %}{{ n }}{% endfor %}"})
    assert wanted.refused == "template_error"


@pytest.mark.parametrize(
    ("webhook", "pointer", "code"),
    [
        ({"body": {}}, "/steps/0/webhook/provider", "not_text"),
        ({"provider": "crm", "body": "{"}, "/steps/0/webhook/body", "invalid_json"),
        ({"provider": "crm", "body": "7"}, "/steps/0/webhook/body", "not_an_object"),
        ({"provider": "crm", "body": {"a": {"b": "{{ x"}}}, "/steps/0/webhook/body/a/b", "template_error"),
        ({"provider": "crm", "url": "http://x"}, "/steps/0/webhook/url", "unknown_field"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(world: Any, webhook: Any, pointer: str, code: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        world.publish("j", {**ENTRY, "steps": [{"id": "tell", "webhook": webhook}]})
    assert [(each.pointer, each.code) for each in refused.value.errors] == [(pointer, code)]
