"""Plans of warm-up and limits of domains: what a day may bring, and what cannot be set."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from kizuna.providers.warm_up import DomainLimit, WarmUp, problems

START = date(2026, 12, 1)


def read(**body: Any) -> WarmUp:
    return msgspec.convert({"start": "2026-12-01", **body}, WarmUp)


@pytest.mark.parametrize(
    ("body", "days"),
    [
        ({"plan": [200, 0, 400]}, [None, 200, 0, 400, None]),
        ({"first": 200, "factor": 1.5}, [None, 200, 300, 450, 675]),
        ({"first": 200, "factor": 1.5, "most": 400}, [None, 200, 300, 400, 400]),
        ({"first": 3, "factor": 1.5}, [None, 3, 4, 6, 10]),
    ],
)
def test_a_day_may_bring_what_the_plan_says(body: dict[str, Any], days: list[int | None]) -> None:
    assert [read(**body).allowed(START + timedelta(days=day)) for day in range(-1, 4)] == days


@pytest.mark.parametrize(("most", "later"), [(None, None), (50_000, 50_000)])
def test_growth_ends_where_it_limits_nothing_or_stays_at_the_most(most: int | None, later: int | None) -> None:
    assert read(first=200, factor=3.0, most=most).allowed(date(2099, 1, 1)) == later


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"plan": []}, ["/warm_up/plan"]),
        ({"plan": [1] * 367}, ["/warm_up/plan"]),
        ({"plan": [1, -1]}, ["/warm_up/plan/1"]),
        ({"plan": [1], "first": 2}, ["/warm_up/plan"]),
        ({}, ["/warm_up/first", "/warm_up/factor"]),
        ({"first": 0, "factor": 1.0}, ["/warm_up/first", "/warm_up/factor"]),
        ({"first": 10, "factor": 2.0, "most": 9}, ["/warm_up/most"]),
        ({"first": 10, "factor": 2.0, "most": 10}, []),
        ({"plan": [1] * 366}, []),
    ],
)
def test_what_is_no_plan_is_pointed_at(body: dict[str, Any], pointers: list[str]) -> None:
    assert [each.pointer for each in problems(read(**body), {})] == pointers


def test_names_of_domains_are_lower_case_ascii() -> None:
    wrong = ["Gmail.com", "日本.jp", "gmail", "a b.jp", "x/y.jp", "-a.jp", ""]
    found = problems(None, {name: DomainLimit(1) for name in [*wrong, "docomo.ne.jp", "xn--wgv71a.jp"]})
    assert [each.pointer for each in found] == [f"/domains/{name.replace('/', '~1')}" for name in wrong]
    assert [each.message for each in found][:2] == ["write it gmail.com", "write it xn--wgv71a.jp"]


def test_domains_are_at_most_a_hundred_with_a_number_each() -> None:
    assert [each.pointer for each in problems(None, {"a.jp": DomainLimit(-1)})] == ["/domains/a.jp/per_day"]
    assert [each.code for each in problems(None, {f"a{n}.jp": DomainLimit(1) for n in range(101)})] == ["too_many"]
    assert not problems(None, {f"a{n}.jp": DomainLimit(0) for n in range(100)})
