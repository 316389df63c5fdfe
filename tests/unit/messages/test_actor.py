from __future__ import annotations

import random

import pytest

from kizuna.core.clock import MINUTE, SECOND
from kizuna.messages.actor import (
    AGENTS,
    AT_ONCE,
    CLICKED,
    HUMAN,
    MACHINE,
    OPENED,
    TRAP,
    UNSURE,
    Span,
    Touch,
    actor_of,
    bursts,
    first_look,
    to_restate,
)  # fmt: skip
from kizuna.messages.message import passed

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.1 Mobile/15E148 Safari/604.1"
)
CUBOT = "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari"
PREFETCH = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135"
    " Safari/537.36 Edge/12.246 Mozilla/5.0"
)
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
PEOPLE = [
    FIREFOX,
    IPHONE,
    CUBOT,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36",
]


@pytest.mark.parametrize(
    ("state", "agent", "actor"),
    [
        *((state, agent, HUMAN) for agent in PEOPLE for state in (OPENED, CLICKED)),
        (OPENED, "Mozilla/5.0", MACHINE),
        (CLICKED, "Mozilla/5.0", HUMAN),
        (OPENED, PREFETCH, MACHINE),
        (OPENED, GMAIL, UNSURE),
        (CLICKED, GMAIL, MACHINE),
        (OPENED, "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", UNSURE),
        (CLICKED, "BarracudaCentral/1.0", MACHINE),
        (CLICKED, "python-requests/2.32", UNSURE),
        (CLICKED, "curl/8.9", UNSURE),
        (CLICKED, "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", MACHINE),
        (CLICKED, "", UNSURE),
    ],
)
def test_agents_that_are_known(state: str, agent: str, actor: str) -> None:
    assert actor_of(state, agent) == actor


def test_every_known_agent_says_where_that_is_told() -> None:
    assert all(each.source.startswith("https://") and each.who for each in AGENTS)


def test_who_only_looks_at_the_head_is_a_machine() -> None:
    assert first_look(CLICKED, True, FIREFOX, [], None) == MACHINE


@pytest.mark.parametrize(
    ("history", "at", "actor"),
    [
        ([("planned", 0)], 5, MACHINE),
        ([("handed", 10)], 9, MACHINE),
        ([("handed", 10)], 10, HUMAN),
        ([("handed", 10), ("sent", 10)], 10 + SECOND - 1, MACHINE),
        ([("handed", 10), ("sent", 10)], 10 + SECOND, HUMAN),
    ],
)
def test_a_click_before_anybody_can_have_read_it(history: list[tuple[str, int]], at: int, actor: str) -> None:
    entries = [passed(state, then) for state, then in history]
    assert first_look(CLICKED, False, FIREFOX, entries, at) == actor
    assert first_look(CLICKED, False, FIREFOX, entries, None) == HUMAN
    assert first_look(OPENED, False, FIREFOX, entries, at) == HUMAN


def click(link: int, at: int, actor: str = HUMAN, state: str = CLICKED) -> Touch:
    return Touch(f"{state} {link} {at}", state, link, at, actor)


def test_all_links_at_once_are_a_burst_up_to_its_edge() -> None:
    assert bursts([click(0, 0), click(1, 5), click(2, AT_ONCE)], 3) == [Span(0, AT_ONCE)]
    assert bursts([click(0, 0), click(1, 5), click(2, AT_ONCE + 1)], 3) == []
    assert bursts([click(0, 0), click(1, 5)], 3) == []


def test_a_burst_begins_with_its_first_click_also_where_its_link_was_followed_again() -> None:
    acts = [click(0, 0), click(2, 1), click(2, 5), click(0, 6), click(1, 7)]
    assert bursts(acts, 3) == [Span(0, 7)]
    assert to_restate(acts, 3) == [each.item for each in acts]
    earlier = click(0, 7 - AT_ONCE - 1)
    assert earlier.item not in to_restate([earlier, *acts], 3)


def test_two_of_two_links_are_no_burst() -> None:
    assert bursts([click(0, 0), click(1, 0)], 2) == []


def test_the_hidden_link_tells_a_machine_whatever_the_links() -> None:
    acts = [click(0, SECOND), click(TRAP, 2 * SECOND, MACHINE), click(0, 5 * MINUTE)]
    assert to_restate(acts, 1) == [acts[0].item, acts[2].item]


def test_after_a_burst_clicks_are_the_machines_for_some_minutes_and_opens_while_it_was_there() -> None:
    span = Span(100, 200)
    assert span.holds(CLICKED, 200 + 10 * MINUTE)
    assert not span.holds(CLICKED, 201 + 10 * MINUTE)
    assert not span.holds(CLICKED, 99)
    assert span.holds(OPENED, 200 + AT_ONCE)
    assert span.holds(OPENED, 100 - AT_ONCE)
    assert not span.holds(OPENED, 99 - AT_ONCE)
    assert not span.holds(OPENED, 201 + AT_ONCE)


def test_the_order_in_which_they_are_read_and_repeats_mean_nothing() -> None:
    chance = random.Random(4)
    for _ in range(500):
        links = chance.randint(1, 5)
        acts = [click(chance.randint(-1, links - 1), chance.randrange(6 * SECOND)) for _ in range(chance.randint(1, 9))]
        acts = list({each.item: each for each in acts}.values())
        mixed = chance.sample(acts, len(acts))
        assert sorted(to_restate(mixed, links)) == sorted(to_restate(acts, links))
        assert set(to_restate([*acts, *acts], links)) == set(to_restate(acts, links))
        assert set(to_restate(acts, links)) == naive(acts, links)


def naive(acts: list[Touch], links: int) -> set[str]:
    """By trying every pair of instants."""
    spans = {(each.at - AT_ONCE, each.at) for each in acts if each.link == TRAP}
    for first in acts:
        for last in acts:
            inside = {each.link for each in acts if first.at <= each.at <= last.at and each.link != TRAP}
            if links >= 3 and len(inside) == links and 0 <= last.at - first.at <= AT_ONCE:
                spans.add((first.at, last.at))
    return {each.item for each in acts for since, until in spans if since <= each.at <= until + 10 * MINUTE}


def test_of_a_crowd_of_scanners_and_people_nearly_all_are_told_apart() -> None:
    chance, missed, wronged, machines, people = random.Random(7), 0, 0, 0, 0
    for _ in range(2_000):
        links = chance.randint(1, 8)
        scanner = chance.choice(("all", "all", "trap", "head", "named"))
        order = chance.sample(range(links), links)
        start = chance.randrange(MINUTE)
        each_takes = chance.randrange(1, AT_ONCE // links)
        acts = [click(link, start + n * each_takes) for n, link in enumerate(order)]
        if scanner in ("all", "trap"):
            acts.append(click(TRAP, start + links * each_takes, MACHINE))
            found = set(to_restate(acts, links))
            missed += sum(act.item not in found for act in acts if act.link != TRAP)
        else:
            is_head, agent = (True, FIREFOX) if scanner == "head" else (False, "Mozilla/5.0 (Mimecast URL protect)")
            missed += sum(first_look(CLICKED, is_head, agent, [], None) != MACHINE for _ in acts)
        machines += links
        read = [
            click(chance.randrange(links), start + n * chance.randint(3, 60) * SECOND)
            for n in range(chance.randint(1, 4))
        ]
        read = list({each.item: each for each in read}.values())
        wronged += len(to_restate(read, links)) + sum(
            first_look(CLICKED, False, agent, [], None) != HUMAN for agent in PEOPLE
        )
        people += len(read)
    assert missed <= machines * 0.01
    assert wronged < people * 0.001
