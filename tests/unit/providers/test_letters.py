from __future__ import annotations

import pytest

from kizuna.paper.address import PostalAddress
from kizuna.providers import Accepted, Delivery, Rejected, Unavailable
from kizuna.providers.letters import Settings, provider

ADA = PostalAddress(name="Ada", line1="Weg 1", city="Bonn", postal_code="53111", country="DE")


def delivery(text: str) -> Delivery:
    return Delivery(
        message="msg_1", channel="letter", address=ADA.text, subject=None, text=text, html=None, headers={}, at=0
    )  # fmt: skip


def test_it_looks_whether_a_letter_can_be_printed() -> None:
    assert provider.deliver(delivery("Dear Ada"), Settings()) == Accepted()
    assert provider.deliver(delivery("word " * 3000), Settings(paper="postcard")) == Rejected("does_not_fit")
    lacking = provider.deliver(delivery("Dear \U000131ff"), Settings())
    assert isinstance(lacking, Unavailable)
    assert lacking.of_one
    assert lacking.reason.startswith("no_font")


@pytest.mark.parametrize(
    "wrong", [{"close_at": "25:00"}, {"close_at": "5pm"}, {"close_count": -1}, {"close_count": 10_001}]
)
def test_settings_that_cannot_be(wrong: dict[str, str | int]) -> None:
    assert len(provider.check(Settings(**wrong)).problems) == 1  # type: ignore[arg-type]


def test_what_will_disappoint_is_said() -> None:
    assert {each.pointer for each in provider.check(Settings()).warnings} >= {"/sender", "/imprint"}
