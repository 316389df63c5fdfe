"""Shares of a day's allowance on a virtual clock: never above plan, whatever comes when, and nothing is forgotten."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.core import clock
from kizuna.core.clock import DAY, HOUR, MINUTE
from kizuna.messages.allowance import Allowance, Asking, Key, allowance_of
from kizuna.providers.warm_up import DomainLimit, WarmUp

# across midnight at 00:01 (St. John's until 2011), in a gap at midnight (Sao Paulo until 2018), a day left out (Apia)
BEGINS = {
    "UTC": "2026-11-30T00:00:00Z",
    "Asia/Tokyo": "2026-11-30T00:00:00Z",
    "America/New_York": "2026-10-30T00:00:00Z",
    "America/St_Johns": "2010-11-05T00:00:00Z",
    "America/Sao_Paulo": "2018-11-02T00:00:00Z",
    "Pacific/Apia": "2011-12-28T00:00:00Z",
}
DOMAINS = {"gmail.com": DomainLimit(2), "docomo.ne.jp": DomainLimit(1)}


def at(text: str) -> int:
    found = clock.read_time(text)
    assert found is not None
    return found


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(sorted(BEGINS)),
    arrivals=st.lists(
        st.tuples(
            st.integers(0, 6 * DAY // MINUTE),
            st.sampled_from(["gmail.com", "Gmail.com", "docomo.ne.jp", "example.com"]),
            st.booleans(),
        ),
        max_size=60,
    ),
    batches=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    plan=st.lists(st.integers(0, 6), min_size=1, max_size=6),
)
def test_no_day_is_ever_above_plan_and_what_waits_goes_on_another_day(
    zone: str, arrivals: list[tuple[int, str, bool]], batches: list[int], plan: list[int]
) -> None:
    begin = at(BEGINS[zone])
    start = clock.to_local(begin + DAY, zone).date()
    allowance = Allowance(WarmUp(start, plan=tuple(plan)), DOMAINS, zone)
    waiting = [Asking(f"a@{domain}", begin + minute * MINUTE, urgent) for minute, domain, urgent in arrivals]
    ledger: Counter[Key] = Counter()  # all that lasts from one turn to the next, as after a restart
    marketing: Counter[Key] = Counter()
    turn, sent = 0, 0
    while waiting:
        waiting.sort(key=lambda each: each.at)
        size = batches[turn % len(batches)]
        batch, waiting, turn = waiting[:size], waiting[size:], turn + 1
        may, added = allowance.share(batch, ledger)
        ledger += added
        sent += sum(may)
        for each, goes in zip(batch, may, strict=True):
            if not goes:
                later = allowance.next_day(each.at)
                assert not each.transactional
                assert each.at < later <= each.at + 2 * DAY
                assert clock.to_local(later, zone).date() > clock.to_local(each.at, zone).date()
                waiting.append(Asking(each.address, later, each.transactional))
            elif not each.transactional:
                marketing.update(allowance.keys(each))
    assert sent == len(arrivals)
    assert all((most := allowance.most(key)) is None or count <= most for key, count in marketing.items())


@pytest.mark.parametrize(
    ("zone", "now", "later"),
    [
        ("Asia/Tokyo", "2026-12-01T23:59:59.999999+09:00", "2026-12-02T00:00:00+09:00"),
        ("Asia/Tokyo", "2026-12-02T00:00:00+09:00", "2026-12-03T00:00:00+09:00"),
        ("America/New_York", "2026-10-31T23:00:00-04:00", "2026-11-01T00:00:00-04:00"),
        ("America/New_York", "2026-11-01T12:00:00-05:00", "2026-11-02T00:00:00-05:00"),
        ("America/Sao_Paulo", "2018-11-03T12:00:00-03:00", "2018-11-04T01:00:00-02:00"),
        ("America/St_Johns", "2010-11-06T23:30:00-02:30", "2010-11-07T00:00:00-02:30"),
        ("America/St_Johns", "2010-11-06T23:30:00-03:30", "2010-11-07T00:00:00-03:30"),
        ("Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00"),
    ],
)
def test_the_next_day_begins_at_local_midnight(zone: str, now: str, later: str) -> None:
    assert Allowance(None, {}, zone).next_day(at(now)) == at(later)


def test_transactional_messages_count_and_are_never_held() -> None:
    now = at("2026-12-01T12:00:00Z")
    day = clock.to_local(now, "UTC").date()
    allowance = Allowance(WarmUp(day, plan=(1,)), DOMAINS, "UTC")
    asking = [Asking("a@example.com", now, transactional) for transactional in (True, False, True)]
    assert allowance.share(asking, {}) == ([True, False, True], Counter({(day, ""): 2}))


def test_a_limited_domain_is_found_whatever_its_letters_and_only_itself() -> None:
    now = at("2026-12-01T12:00:00Z")
    day = clock.to_local(now, "UTC").date()
    allowance = Allowance(None, {"xn--wgv71a.jp": DomainLimit(1)}, "UTC")
    assert allowance.keys(Asking("a@日本.JP", now, False)) == [(day, ""), (day, "xn--wgv71a.jp")]
    assert allowance.keys(Asking("a@mail.xn--wgv71a.jp", now, False)) == [(day, "")]


def test_before_its_start_a_plan_limits_nothing() -> None:
    now = at("2026-12-01T12:00:00Z")
    tomorrow = clock.to_local(now, "UTC").date() + timedelta(days=1)
    allowance = Allowance(WarmUp(tomorrow, plan=(0,)), {}, "UTC")
    assert allowance.share([Asking("a@example.com", now + 11 * HOUR, False)], {})[0] == [True]
    assert allowance.share([Asking("a@example.com", now + 12 * HOUR, False)], {})[0] == [False]


def test_a_provider_without_limits_has_no_allowance() -> None:
    assert allowance_of({"name": "mail"}, "UTC") is None
    assert allowance_of({"name": "mail", "warm_up": None, "domains": {}}, "UTC") is None
    assert allowance_of({"domains": {"a.jp": {"per_day": 3}}}, "UTC") == Allowance(
        None, {"a.jp": DomainLimit(3)}, "UTC"
    )
