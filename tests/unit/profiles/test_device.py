from __future__ import annotations

import json
from typing import Any

import pytest

from kizuna.core.clock import DAY
from kizuna.profiles.device import MOST_DEVICES, Device, seen, shown, without

WEB = {"endpoint": "https://push.example/1", "expirationTime": None, "keys": {"p256dh": "a", "auth": "b"}}


def said(kind: Any, token: Any) -> Device | None:
    return shown({"device": {"type": kind, "token": token}}, 5)


def test_tokens_of_the_three_kinds_are_devices() -> None:
    assert said("ios", "t1") == Device("ios", "t1", 5)
    assert said("Android", "t2") == Device("android", "t2", 5)
    text = json.dumps(WEB)
    assert said("web", text) == Device("web", text, 5)


@pytest.mark.parametrize(
    ("kind", "token"),
    [("ios", ""), ("ios", None), ("ios", 5), ("ios", "x" * 2_049), ("tv", "t"), (None, "t"), ("web", "t"),
     ("web", "{}"), ("web", json.dumps({"endpoint": "https://push.example/1"})), ("web", "\ud800")],
)  # fmt: skip
def test_others_are_none(kind: Any, token: Any) -> None:
    assert said(kind, token) is None
    assert shown({"device": token}, 5) is None


def test_a_device_is_kept_once_and_its_time_to_the_day() -> None:
    first = Device("ios", "t1", 0)
    kept, is_new, dropped = seen([], first)
    assert (kept, is_new, dropped) == ([first], True, None)
    assert seen(kept, Device("ios", "t1", DAY - 1)) == (kept, False, None)
    later = Device("ios", "t1", DAY)
    assert seen(kept, later) == ([later], False, None)


def test_renewed_keys_of_a_browser_replace_the_old() -> None:
    old = Device("web", json.dumps(WEB), 0)
    new = Device("web", json.dumps({**WEB, "keys": {"p256dh": "c", "auth": "d"}}), 1)
    assert old.id == new.id
    assert seen([old], new) == ([new], False, None)


def test_the_one_seen_longest_ago_makes_room() -> None:
    kept = [Device("ios", f"t{number}", number) for number in range(MOST_DEVICES)]
    kept, _, _ = seen(kept, Device("ios", "t0", DAY))
    after, is_new, dropped = seen(kept, Device("ios", "new", DAY))
    assert is_new
    assert dropped == Device("ios", "t1", 1)
    assert len(after) == MOST_DEVICES


def test_a_device_is_taken_out_by_its_id() -> None:
    kept = [Device("ios", "t1"), Device("android", "t1")]
    assert kept[0].id != kept[1].id
    assert without(kept, kept[0].id) == kept[1:]
