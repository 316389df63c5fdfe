"""What a campaign is: arms by weight, and what is refused with its place."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from kizuna.campaigns.definition import Seeds, parse
from kizuna.core.errors import Invalid

SEND = {"channel": "email", "template": "hello"}


def test_arms_divide_the_buckets_by_weight() -> None:
    variants = [{"name": "a", "weight": 1}, {"name": "b", "weight": 2}, {"name": "c", "weight": 1}]
    campaign = parse({"segment": "s", "send": SEND, "variants": variants})
    arms = Counter(arm.name for bucket in range(10_000) if (arm := campaign.variant(bucket)))
    assert arms == {"a": 2_500, "b": 5_000, "c": 2_500}


def test_without_variants_there_is_no_arm() -> None:
    assert parse({"segment": "s", "send": SEND}).variant(17) is None


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"holdout": 101}, "/holdout"),
        ({"schedule": "2026-03-02T10:00:00"}, "/schedule"),
        ({"schedule": {"local": "2026-03-02T10:00:00Z"}}, "/schedule/local"),
        ({"schedule": {"local": "2026-02-30T10:00"}}, "/schedule/local"),
        ({"schedule": {"local": "2026-03-02T10:00", "zone": "UTC"}}, "/schedule"),
        ({"segment": None}, "/segment"),
        ({"segment": None, "where": {"did": 3}}, "/where/did"),
        ({"goal": {"within": "7d"}}, "/goal"),
        ({"goal": {"event": "Bought", "within": "soon"}}, "/goal/within"),
        ({"goal": {"event": "Bought", "value": "total"}}, "/goal/value"),
        ({"send": {**SEND, "channel": []}}, "/send/channel"),
        ({"where": {"did": "Bought"}}, "/where"),
        ({"variants": [{"name": "a", "weight": 0}]}, "/variants"),
        ({"variants": [{"name": "a"}, {"name": "a"}]}, "/variants"),
        ({"send": {"channel": "email"}}, "/send/template"),
        ({"send": {**SEND, "expires": "soon"}}, "/send/expires"),
        ({"send": {**SEND, "channel": "sms", "seeds": "ours"}}, "/send/seeds"),
        ({"send": {**SEND, "seeds": {"list": "ours", "mark": "a\nb"}}}, "/send/seeds/mark"),
        ({"send": {**SEND, "seeds": {"mark": "[Seed] "}}}, "/send/seeds/list"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(more: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse({"segment": "s", "send": SEND, **more})
    assert [each.pointer for each in refused.value.errors] == [pointer]


@pytest.mark.parametrize("channel", ["email", "best", ["sms", "email"]])
def test_seeds_are_named_or_named_with_a_mark(channel: Any) -> None:
    send = {**SEND, "channel": channel, "seeds": "ours"}
    assert parse({"segment": "s", "send": send}).send.copied_to == Seeds(list="ours")
    marked = {**send, "seeds": {"list": "ours", "mark": "[Seed] "}}
    assert parse({"segment": "s", "send": marked}).send.copied_to == Seeds(list="ours", mark="[Seed] ")
