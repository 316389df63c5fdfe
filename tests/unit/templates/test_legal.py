"""What each law wants shown: a mail without one part is refused for that part, in each wording, with blocks in it."""

from __future__ import annotations

from typing import Any

import pytest

from kizuna.consent.law import LAWS
from kizuna.consent.terms import Terms, read_terms
from kizuna.core.errors import Unprocessable
from kizuna.core.problems import Problems
from kizuna.templates import definition
from kizuna.templates.legal import check, check_use, displayed

SENDER = {"name": "絆商店", "address": "東京都港区 1-2-3", "contact": "03-0000-0000"}
SHOWN = {
    "sender": "{{ workspace.sender.name }}",
    "address": "{{workspace.sender.address}}",
    "contact": "{{ workspace.sender.contact | escape }}",
    "opt_out": '<a href="{{ message.unsubscribe_url }}">stop</a>',
}


def terms(law: str) -> Terms:
    return read_terms({"law": law, "sender": SENDER}, Problems())


def mail(body: str, **more: Any) -> definition.Template:
    return definition.read({"channel": "email", "subject": "x", "body": body, **more})


def wrong(template: definition.Template, law: str = "jp", **others: definition.Template) -> list[tuple[str, str]]:
    try:
        check({"mail": template, **others}, terms(law), ["mail"], own="mail")
    except Unprocessable as error:
        assert error.code == "legal_display_missing"
        return [(each.pointer, each.message.partition(":")[0]) for each in error.errors]
    return []


@pytest.mark.parametrize("law", sorted(LAWS))
@pytest.mark.parametrize("left_out", [None, *SHOWN])
def test_every_part_that_a_law_names_is_missed(law: str, left_out: str | None) -> None:
    body = " ".join(text for part, text in SHOWN.items() if part != left_out)
    assert len(wrong(mail(body), law)) == (1 if left_out in LAWS[law].display else 0)


def test_the_address_may_be_written_out_and_must_be_seen() -> None:
    rest = SHOWN["sender"] + SHOWN["contact"] + SHOWN["opt_out"]
    assert wrong(mail(rest + "東京都港区\n  1-2-3")) == []
    for hidden in ("<!-- 東京都港区 1-2-3 -->", "{% comment %}{{ workspace.sender.address }}{% endcomment %}"):
        assert wrong(mail(rest + hidden)) == [("/body", "show the postal address")]


def test_each_wording_shows_it_and_a_block_may() -> None:
    whole = " ".join(SHOWN.values())
    found = wrong(mail(whole, locales={"en": {"body": "Hello"}}))
    assert {pointer for pointer, _ in found} == {"/locales/en/body"}
    assert len(found) == 4
    foot = mail(whole, channel="block")
    assert wrong(mail("Hello {% include 'foot' %}"), foot=foot) == []
    assert len(wrong(mail("Hello {% include 'other' %}"), foot=foot)) == 4


@pytest.mark.parametrize("more", [{"class": "transactional"}, {"channel": "block"}, {"channel": "sms"}])
def test_what_is_no_commercial_mail_shows_what_it_likes(more: dict[str, Any]) -> None:
    assert wrong(mail("Hello", **more)) == []


def test_marketing_is_not_said_by_a_template_that_is_not_for_it() -> None:
    templates = {"receipt": mail("x", **{"class": "transactional"})}
    with pytest.raises(Unprocessable, match="receipt"):
        check_use(templates, terms("jp"), ["receipt"])
    check_use(templates, terms("custom"), ["receipt"])


def test_the_laws_of_all_who_may_be_written_to_count() -> None:
    said = {"laws": [{"country": "US", "channel": "email", "law": "can_spam"}, {"channel": "sms", "law": "jp"}]}
    assert displayed(read_terms({**said, "sender": SENDER}, Problems())) == ["sender", "address", "opt_out"]
