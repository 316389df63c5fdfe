"""The policy as written: everything wrong is named with its place."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest

from kizuna.core.clock import DAY, Duration, duration
from kizuna.core.errors import Invalid
from kizuna.messages.cap import Cap
from kizuna.messages.policy import Limits, Policy, parse
from kizuna.messages.quiet_hours import QuietHours, QuietRule

CAP = {"channel": "email", "max": 3, "per": "7d"}


def test_a_whole_policy_is_read() -> None:
    policy = parse(
        {
            "caps": [
                {**CAP, "topic": "news", "window": "sliding", "then": "hold", "hold_for": "12h"},
                {"max": 1, "per": "1d", "window": "calendar", "then": "next_channel"},
            ],
            "quiet_hours": {"from": "21:00", "to": "08:00", "then": "skip"},
            "daily_ceiling": {"max": 2, "then": "hold"},
            "holdout": 2.5,
            "limits": {"complaints": {"pause": 0.01, "over": 10}, "within": "2d"},
        }
    )
    week, day, hour12, hour48 = Duration(exact=7 * DAY), Duration(exact=DAY), duration("12h"), duration("48h")
    assert policy == Policy(
        caps=(
            Cap(channel="email", topic="news", max=3, per=week, period=None, then="hold", hold_for=hour12),
            Cap(channel=None, topic=None, max=1, per=day, period="d", then="next_channel", hold_for=hour48),
            Cap(channel=None, topic=None, max=2, per=day, period="d", then="hold", hold_for=hour48),
        ),
        quiet_hours=QuietHours(time(21), time(8), "skip"),
        holdout=2.5,
        limits=Limits(complaints_pause=0.01, complaints_over=10, within=duration("2d")),
    )


def test_an_empty_policy_holds_nobody_back() -> None:
    assert parse({}) == parse({"caps": [], "quiet_hours": None}) == Policy()


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"caps": {}}, ["/caps"]),
        ({"caps": [3]}, ["/caps/0", "/caps/0/per", "/caps/0/max"]),
        ({"caps": [CAP, {**CAP, "max": 0}]}, ["/caps/1/max"]),
        ({"caps": [{**CAP, "max": True}]}, ["/caps/0/max"]),
        ({"caps": [{**CAP, "max": 1.5}]}, ["/caps/0/max"]),
        ({"caps": [{**CAP, "per": "soon"}]}, ["/caps/0/per"]),
        ({"caps": [{**CAP, "per": "0d"}]}, ["/caps/0/per"]),
        ({"caps": [{**CAP, "per": 7}]}, ["/caps/0/per"]),
        ({"caps": [{**CAP, "per": "36h", "window": "calendar"}]}, ["/caps/0/per"]),
        ({"caps": [{**CAP, "window": "rolling"}]}, ["/caps/0/window"]),
        ({"caps": [{**CAP, "then": "wait"}]}, ["/caps/0/then"]),
        ({"caps": [{**CAP, "hold_for": "1d"}]}, ["/caps/0/hold_for"]),
        ({"caps": [{**CAP, "then": "hold", "hold_for": "later"}]}, ["/caps/0/hold_for"]),
        ({"caps": [{**CAP, "channel": "pigeon"}]}, ["/caps/0/channel"]),
        ({"caps": [{**CAP, "channel": ["email"], "then": {}}]}, ["/caps/0/channel", "/caps/0/then"]),
        ({"caps": [{**CAP, "topic": ""}]}, ["/caps/0/topic"]),
        ({"caps": [{**CAP, "a/b": 1}]}, ["/caps/0/a~1b"]),
        ({"quiet_hours": {"from": "21:00"}}, ["/quiet_hours/to"]),
        ({"quiet_hours": {"from": "9pm", "to": "08:00"}}, ["/quiet_hours/from"]),
        ({"quiet_hours": {"from": "08:00", "to": "08:00"}}, ["/quiet_hours/to"]),
        ({"quiet_hours": {"from": "21:00", "to": "08:00", "then": "wait"}}, ["/quiet_hours/then"]),
        ({"daily_ceiling": 0}, ["/daily_ceiling"]),
        ({"daily_ceiling": {"max": 2, "then": "next_channel"}}, ["/daily_ceiling/then"]),
        ({"holdout": 101}, ["/holdout"]),
        ({"limits": {"complaints": {"pause": 2}}}, ["/limits/complaints/pause"]),
        ({"limits": {"hard_bounces": {"over": 0}}}, ["/limits/hard_bounces/over"]),
        ({"cap": []}, ["/cap"]),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(body: dict[str, Any], pointers: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        parse(body)
    assert [each.pointer for each in refused.value.errors] == pointers


def test_quiet_hours_by_channel_and_country_stand_beside_the_general_ones_or_alone() -> None:
    rule = {"channel": "sms", "country": "US", "from": "21:00", "to": "08:00"}
    both = parse({"quiet_hours": {"from": "22:00", "to": "07:00", "by": [rule]}})
    assert both.quiet_hours == QuietHours(time(22), time(7))
    assert both.quiet_by == (QuietRule("sms", "US", QuietHours(time(21), time(8))),)
    alone = parse({"quiet_hours": {"by": [{**rule, "then": "skip"}]}})
    assert alone.quiet_hours is None
    assert alone.quiet_by[0].hours.then == "skip"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"country": "usa"}, "/quiet_hours/by/0/country"),
        ({"channel": "fax"}, "/quiet_hours/by/0/channel"),
        ({"to": "21:00"}, "/quiet_hours/by/0/to"),
        ({"from": "late"}, "/quiet_hours/by/0/from"),
        ({"zone": "UTC"}, "/quiet_hours/by/0/zone"),
    ],
)
def test_wrong_hours_of_a_country_are_named(changes: dict[str, str], pointer: str) -> None:
    rule = {"channel": "sms", "country": "US", "from": "21:00", "to": "08:00", **changes}
    with pytest.raises(Invalid) as refused:
        parse({"quiet_hours": {"by": [rule]}})
    assert pointer in [each.pointer for each in refused.value.errors]


def test_a_law_on_texts_brings_its_hours_behind_those_that_are_written() -> None:
    ruling = parse({"laws": [{"country": "US", "channel": "sms", "law": "tcpa"}]})
    assert ruling.quiet_by == (QuietRule("sms", "US", QuietHours(time(21), time(8))),)
    written = parse(
        {
            "law": "tcpa",
            "quiet_hours": {"by": [{"channel": "sms", "country": "JP", "from": "20:00", "to": "09:00"}]},
        }
    )
    assert [each.country for each in written.quiet_by] == ["JP", None]


def test_networks_of_scanners_are_looked_at_when_they_are_written() -> None:
    parse({"scanners": ["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"]})
    for wrong, pointers in (
        (["192.0.2.1/24", "0.0.0.0/0", 7], ["/scanners/0", "/scanners/1", "/scanners/2"]),
        (["192.0.2.0/24"] * 501, ["/scanners"]),
        ("192.0.2.0/24", ["/scanners"]),
    ):
        with pytest.raises(Invalid) as refused:
            parse({"scanners": wrong})
        assert [each.pointer for each in refused.value.errors] == pointers


def test_utm_parameters_are_names_and_readable_liquid() -> None:
    assert parse({"utm": {"source": "kizuna", "campaign": "{{ message.campaign }}"}}).utm["source"] == "kizuna"
    with pytest.raises(Invalid) as refused:
        parse({"utm": {"So urce": "x", "medium": 1, "campaign": "{% if %}"}})
    assert [each.pointer for each in refused.value.errors] == ["/utm/So urce", "/utm/medium", "/utm/campaign"]
