from __future__ import annotations

from typing import Any

import pytest

from kizuna.channels import in_page_channels
from kizuna.core.errors import FieldError
from kizuna.templates.display import read_display

EVENT = {"event": "Viewed", "where": [{"property": "price", "gte": 3000}]}


def pointers(said: Any, channel: str = "in_app") -> list[str]:
    errors: list[FieldError] = []
    read_display(said, channel, "/display", errors)
    return [each.pointer.removeprefix("/display") for each in errors]


def test_what_goes_without_saying_is_said() -> None:
    errors: list[FieldError] = []
    assert read_display({"layout": "full"}, "in_app", "", errors) == {
        "trigger": "now", "delay_s": 0, "layout": "full", "position": "bottom", "close": True, "priority": 0,
        "once": True,
    }  # fmt: skip
    assert read_display(None, "card", "", errors) == {"pinned": False}
    assert read_display(None, "inbox", "", errors) == {}
    assert errors == []


@pytest.mark.parametrize("said", ["now", EVENT, {"event": "Viewed"}, {"page": {}}, {"page": {"path": "/cart/**"}}])
def test_a_trigger_is_now_an_event_or_a_page(said: Any) -> None:
    assert pointers({"trigger": said}) == []


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"trigger": "later"}, "/trigger"),
        ({"trigger": None}, "/trigger"),
        ({"trigger": {"event": "Viewed", "page": {}}}, "/trigger"),
        ({"trigger": {"event": ""}}, "/trigger/event"),
        ({"trigger": {"event": "Viewed", "path": "/"}}, "/trigger/path"),
        ({"trigger": {"event": "Viewed", "where": {"price": 1}}}, "/trigger/where"),
        ({"trigger": {"event": "Viewed", "where": [{"property": "a", "matches": "x"}]}}, "/trigger/where/0/matches"),
        (
            {"trigger": {"event": "Viewed", "where": [{"property": "a", "is": 1, "fold": True}]}},
            "/trigger/where/0/fold",
        ),
        ({"trigger": {"page": "/cart"}}, "/trigger/page"),
        ({"trigger": {"page": {"path": 7}}}, "/trigger/page/path"),
        ({"trigger": {"page": {"glob": "/"}}}, "/trigger/page/glob"),
        ({"delay_s": -1}, "/delay_s"),
        ({"delay_s": 3_601}, "/delay_s"),
        ({"delay_s": True}, "/delay_s"),
        ({"delay_s": 1.5}, "/delay_s"),
        ({"layout": "popup"}, "/layout"),
        ({"layout": ["modal"]}, "/layout"),
        ({"position": "left"}, "/position"),
        ({"close": "yes"}, "/close"),
        ({"once": 1}, "/once"),
        ({"priority": 101}, "/priority"),
        ({"colour": "red"}, "/colour"),
        ([], ""),
    ],
)
def test_what_is_wrong_is_told_with_its_place(said: Any, pointer: str) -> None:
    assert pointers(said) == [pointer]


@pytest.mark.parametrize("place", [None, "", "a b", "x" * 101, 7])
def test_a_banner_names_its_place(place: Any) -> None:
    assert pointers({"place": place}, "banner") == ["/place"]
    assert pointers({"place": "home.top-1"}, "banner") == []
    assert pointers(None, "banner") == ["/place"]


def test_each_channel_of_pages_has_its_display() -> None:
    assert [pointers({"unheard_of": 1}, channel) for channel in in_page_channels()] == [["/unheard_of"]] * 4
