from __future__ import annotations

import pytest

from kizuna.messages.doubts import Wish, doubts
from kizuna.templates import definition

STOP = '<a href="{{ message.unsubscribe_url }}">stop</a>'
TEMPLATES = {
    name: definition.read({"channel": "email", **body})
    for name, body in {
        "good": {"body": STOP},
        "by_block": {"body": "{% include 'foot' %}"},
        "foot": {"channel": "block", "body": STOP},
        "bare": {"body": "<p>Hi</p>"},
        "half": {"body": STOP, "locales": {"ja": {"body": "<p>やあ</p>"}}},
        "hidden": {"body": f"<!-- {STOP} -->"},
        "receipt": {"body": "<p>Thanks</p>", "class": "transactional"},
        "text": {"channel": "sms", "body": "Hi"},
    }.items()
}


@pytest.mark.parametrize("name", ["bare", "half", "hidden"])
def test_a_marketing_mail_shows_a_way_out_in_every_language(name: str) -> None:
    said = f"the text of {name!r} shows no way out: put in {{{{ message.unsubscribe_url }}}}"
    assert doubts([Wish(name, ["sms", "email"])], TEMPLATES) == [said]
    assert doubts([Wish(name, ["email"], transactional=True)], TEMPLATES) == []


@pytest.mark.parametrize("name", ["good", "by_block", "receipt"])
def test_what_shows_one_or_needs_none_is_no_doubt(name: str) -> None:
    assert doubts([Wish(name, ["email"])], TEMPLATES) == []
    assert doubts([Wish("text", ["sms"])], TEMPLATES) == []


def test_what_is_not_there_is_said_once() -> None:
    absent = "no template 'nope': until it is published, its messages are skipped"
    found = doubts([Wish("nope", ["email"]), Wish("nope", ["emial"])], TEMPLATES)
    assert found[0] == absent
    assert found[1].startswith("no channel 'emial': its messages are skipped; there are ")
    assert len(found) == 2
