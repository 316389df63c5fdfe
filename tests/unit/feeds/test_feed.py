from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kizuna.core.errors import Unprocessable
from kizuna.feeds.feed import Feed, held_of, sealed, written

SECRET = [b"s" * 32]
HOOK = {"kind": "webhook", "url": "https://crm.example/hook"}


def feed(**body: Any) -> Feed:
    return msgspec.convert({"to": HOOK, **body}, Feed)


def test_a_secret_is_made_once_and_stays() -> None:
    body, made = sealed("crm", feed(), {}, SECRET, 1)
    assert made["secret"].startswith("whsec_")
    assert made["secret"] not in str(body)
    again, made_again = sealed("crm", feed(events=["Paid"]), body, SECRET, 1)
    assert made_again == {}
    assert held_of(again, SECRET, 1) == made
    assert written(again)["to"] == HOOK


def test_another_kind_of_target_forgets_what_it_held() -> None:
    body, _ = sealed("x", feed(), {}, SECRET, 1)
    files, _ = sealed("x", feed(to={"kind": "files"}), body, SECRET, 1)
    assert files["hidden"] == []


@pytest.mark.parametrize("every", ["0s", "2d", "1mo"])
def test_pieces_come_between_a_second_and_a_day(every: str) -> None:
    with pytest.raises(Unprocessable) as caught:
        sealed("x", feed(pieces={"every": every}), {}, SECRET, 1)
    assert [each.pointer for each in caught.value.errors] == ["/pieces/every"]
