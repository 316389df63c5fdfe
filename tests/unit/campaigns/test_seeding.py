"""Copies for seeds: one of each arm in each wording, the same however often they are made."""

from __future__ import annotations

from typing import Any

import msgspec

from kizuna.campaigns.definition import parse
from kizuna.campaigns.seeding import Sample, copies_of
from kizuna.campaigns.store import Launch
from kizuna.core import ids
from kizuna.engine.moment import Item
from kizuna.templates.definition import read

ADA, KEN = bytes(16), bytes([1]) * 16
LAUNCH = Launch(1, bytes(16), "sale", 1, "handing", 0, 0, 0, 7, 2, 0, b"")
HELLO = read({"channel": "email", "body": "Hello", "locales": {"ja": {"body": "こんにちは"}}})
PLAIN = read({"channel": "email", "body": "Other"})
TEXT = read({"channel": "sms", "body": "short"})
SAMPLES: list[Sample] = [(ADA, ""), (KEN, "ja-JP")]


def copies(samples: list[Sample] = SAMPLES, seeds: Any = "ours", **more: Any) -> list[Item]:
    send = {"template": "hello", "seeds": seeds, "data": {"code": "A"}}
    campaign = parse({"segment": "s", "send": send, **more})
    templates = {"hello": HELLO, "other": PLAIN, "text": TEXT}
    return copies_of(LAUNCH, campaign, ["a@x.example", "b@x.example", "a@x.example"], templates, samples, 5)


def told(item: Item) -> dict[str, Any]:
    return msgspec.json.decode(item.properties)


def shown(items: list[Item]) -> set[tuple[str, str | None, str, str]]:
    """(address, variant, locale, sample)."""
    found: set[tuple[str, str | None, str, str]] = set()
    for each in map(told, items):
        ours = each["data"]["kizuna_test"]
        found.add((each["to"], ours["of"]["variant"], ours["locale"], ours["sample"]))
    return found


def test_each_wording_is_written_as_somebody_who_gets_it() -> None:
    made = copies()
    assert shown(made) == {
        (address, None, locale, ids.show("prf", sample))
        for address in ("a@x.example", "b@x.example")
        for locale, sample in (("", ADA), ("ja", KEN))
    }
    assert len(made) == 4


def test_a_wording_that_no_member_gets_is_written_as_any() -> None:
    assert {sample for *_, sample in shown(copies([(KEN, "ja")]))} == {ids.show("prf", KEN)}


def test_each_arm_has_its_copies_and_one_of_another_channel_none() -> None:
    arms = [{"name": "a"}, {"name": "b", "template": "other"}, {"name": "c", "template": "text"}]
    made = copies(variants=arms)
    assert {(variant, locale) for _, variant, locale, _ in shown(made)} == {("a", ""), ("a", "ja"), ("b", "")}


def test_made_again_they_are_the_same() -> None:
    assert copies() == copies()
    assert len({each.id for each in copies()}) == len({each.profile for each in copies()}) == 4


def test_they_are_tests_that_need_no_consent() -> None:
    said = told(copies(seeds={"list": "ours", "mark": "[Seed] "})[0])
    assert (said["test"], said["transactional"], said["data"]["code"]) == (True, True, "A")
    assert said["data"]["kizuna_test"]["mark"] == "[Seed] "
    assert told(copies()[0])["data"]["kizuna_test"]["mark"] == ""


def test_nobody_reached_nobody_copied() -> None:
    assert copies([]) == []
    assert copies(seeds=None) == []
