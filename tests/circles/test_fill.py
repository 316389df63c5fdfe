"""Segments published over a history that is there already: members are those whom the whole of it makes members."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from kizuna.runtime.folder import Running
from kizuna.testing.shop import START, Shop, identify, said, track

NOW = datetime.fromisoformat(START)
BOUGHT, VIEWED = "Bought", "Viewed"

RULES: dict[str, Any] = {
    "often": {"did": VIEWED, "count": {"gte": 3}},
    "twice": {"did": VIEWED, "count": {"is": 2}},
    "recent": {"did": VIEWED, "within": "10d", "count": {"gte": 2}},
    "quiet": {"did_not": VIEWED, "within": "10d"},
    "rich": {"sum": {"event": BOUGHT, "property": "total"}, "gte": 60},
    "lately_rich": {"sum": {"event": BOUGHT, "property": "total"}, "within": "15d", "gte": 40},
    "gold": {"trait": "plan", "is": "gold"},
    "last_red": {"last": {"event": VIEWED, "property": "colour"}, "is": "red"},
    "red": {"did": VIEWED, "where": [{"property": "colour", "is": "red"}], "within": "20d"},
    "gold_and_often": {"all": [{"in_segment": "often"}, {"trait": "plan", "is": "gold"}]},
    "not_rich": {"not": {"in_segment": "rich"}},
}


class History:
    """What was said, and who is a member by it, worked out by hand."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.events: dict[str, list[tuple[datetime, int, str, dict[str, Any]]]] = defaultdict(list)
        self.plans: dict[str, tuple[datetime, str]] = {}
        self.owner: dict[str, str] = {}  # of anonymous ids
        self.number = 0

    def some(self, count: int, people: list[str], *, days: int = 30) -> list[dict[str, Any]]:
        """Events of people, in any order of time; `~` ones are anonymous."""
        return [self.one(self.random.choice(people), days) for _ in range(count)]

    def one(self, who: str, days: int) -> dict[str, Any]:
        self.number += 1
        at = NOW - timedelta(seconds=self.random.randrange(1, days * 86_400), microseconds=self.number)
        if self.random.random() < 0.1:
            plan = self.random.choice(["gold", "silver"])
            self.plan(who, at, plan)
            return identify(who, at.isoformat(), plan=plan)
        colour = {"colour": self.random.choice(["red", "blue"])}
        event, properties = self.random.choice([(VIEWED, colour), (BOUGHT, {"total": self.random.randrange(1, 30)})])
        self.events[who].append((at, self.number, event, properties))
        return track(who, event, at.isoformat(), **properties)

    def plan(self, who: str, at: datetime, plan: str) -> None:
        if who not in self.plans or self.plans[who][0] <= at:
            self.plans[who] = (at, plan)
        self.events.setdefault(who, [])

    def join(self, user: str, anonymous: str) -> dict[str, Any]:
        self.owner[f"~{anonymous}"] = user
        self.events.setdefault(user, [])
        return identify(f"{user}~{anonymous}")

    def members(self, now: datetime = NOW) -> dict[str, set[str]]:
        united: dict[str, list[Any]] = defaultdict(list)
        plans: dict[str, tuple[datetime, str]] = {}
        for who, events in self.events.items():
            united[self.owner.get(who, who)] += events
        for who, plan in self.plans.items():
            owner = self.owner.get(who, who)
            plans[owner] = max(plans.get(owner, plan), plan)
        found: dict[str, set[str]] = {name: set() for name in RULES}
        for who, events in united.items():
            events.sort()
            for name in rules_of(events, plans.get(who, (now, ""))[1], now):
                found[name].add(who)
        return found


def rules_of(events: list[Any], plan: str, now: datetime) -> set[str]:
    def views(days: int, colour: str = "") -> list[Any]:
        since = now - timedelta(days=days)
        seen = [each for each in events if each[2] == VIEWED and since < each[0] <= now]
        return [each for each in seen if not colour or each[3]["colour"] == colour]

    def spent(days: int) -> int:
        return sum(p["total"] for at, _, event, p in events if event == BOUGHT and now - timedelta(days=days) < at)

    ever = views(1000)
    answers = {
        "often": len(ever) >= 3,
        "twice": len(ever) == 2,
        "recent": len(views(10)) >= 2,
        "quiet": not views(10),
        "rich": spent(1000) >= 60,
        "lately_rich": spent(15) >= 40,
        "gold": plan == "gold",
        "last_red": bool(ever) and ever[-1][3]["colour"] == "red",
        "red": bool(views(20, "red")),
        "gold_and_often": plan == "gold" and len(ever) >= 3,
        "not_rich": spent(1000) < 60,
    }
    return {name for name, holds in answers.items() if holds}


def publish_all(shop: Shop) -> None:
    for name, where in RULES.items():
        shop.segment(name, where)


def check(shop: Shop, expected: dict[str, set[str]]) -> None:
    for name, members in expected.items():
        assert shop.members(name) == members, name
        shown = shop.get(f"/api/v1/segments/{name}")
        assert (name, shown["size"], shown["state"]) == (name, len(members), "live")


def entered_once(shop: Shop) -> None:
    """Nobody leaves these; those below were joined to no one, who might have entered before."""
    for name in ("often", "rich"):
        for who in sorted(shop.members(name) & {f"u{number}" for number in range(20, 40)})[:5]:
            entered = [each for each in shop.facts(who, "segment_entered") if each["properties"]["segment"] == name]
            assert len(entered) == 1, (name, who)


def archived(running: Running, shop: Shop) -> None:
    """Wait until the lake holds all that was said so far."""
    deadline = time.monotonic() + 30
    with psycopg.connect(running.database_url, autocommit=True) as connection:
        found = connection.execute("SELECT id FROM workspace WHERE name = %s", [shop.made["name"]]).fetchone()
        assert found
        while time.monotonic() < deadline:
            behind = connection.execute(
                'SELECT count(*) FROM log_head WHERE workspace = %s AND "offset" > archived', [found[0]]
            ).fetchone()
            if behind == (0,):
                return
            time.sleep(0.1)
    raise AssertionError("the archiver did not come by")


PEOPLE = [f"u{number}" for number in range(40)] + [f"~a{number}" for number in range(20)]


def test_a_history_in_the_lake_and_in_the_tail_with_merges_on_both_sides(shop: Shop, running: Running) -> None:
    history = History(1)
    shop.send(*history.some(400, PEOPLE))
    shop.send(*(history.join(f"u{number}", f"a{number}") for number in range(5)))
    shop.advance("0s")
    archived(running, shop)
    shop.send(*history.some(200, PEOPLE))
    shop.send(*(history.join(f"u{number}", f"a{number}") for number in range(5, 10)))
    publish_all(shop)
    shop.send(*(history.join(f"u{number}", f"a{number}") for number in range(10, 15)), *history.some(200, PEOPLE))
    check(shop, history.members())
    entered_once(shop)
    for name in ("often", "lately_rich", "last_red", "gold_and_often"):
        preview = shop.ask("POST", f"/api/v1/segments/preview?after={shop.position}", {"where": RULES[name]})
        assert preview["count"] == len(history.members()[name]), name
    shop.advance("12d")
    check(shop, history.members(NOW + timedelta(days=12)))


def test_all_of_it_only_in_the_tail(shop: Shop) -> None:
    history = History(2)
    shop.send(*history.some(300, PEOPLE), *(history.join(f"u{number}", f"a{number}") for number in range(8)))
    publish_all(shop)
    check(shop, history.members())
    entered_once(shop)


@pytest.mark.parametrize("seed", [3, 4])
def test_while_customers_are_joined_and_go_on(shop: Shop, running: Running, seed: int) -> None:
    """Publishes fall between an identify and its answer, between an event and its being forwarded."""
    history = History(seed)
    people = [f"u{number}" for number in range(30)]
    shop.send(*history.some(60, people))
    over = threading.Event()
    failures: list[BaseException] = []

    def go_on() -> None:
        try:
            number = 0
            while not over.is_set():
                names = [f"a{number}-{each}" for each in range(6)]
                shop.send(*history.some(18, [f"~{name}" for name in names]))
                people.extend([f"u{len(people)}", f"u{len(people) + 1}"])  # nobody takes over more than 20 in a month
                joined = [history.join(history.random.choice(people), name) for name in names]
                followed = history.some(18, [f"~{name}" for name in names] + people)
                shop.send(*[each for pair in zip(joined, followed, strict=False) for each in pair], *followed[6:])
                number += 1
        except BaseException as error:
            failures.append(error)

    traffic = threading.Thread(target=go_on)
    traffic.start()
    publisher = Shop(running.url, shop.made)
    try:
        for name, where in RULES.items():
            publisher.segment(name, where)
            over.wait(0.12)
    finally:
        over.set()
        traffic.join()
        publisher.http.close()
    assert not failures
    shop.advance("0s")
    check(shop, history.members())


def test_a_new_rule_moves_members_and_a_deleted_one_lets_all_go(shop: Shop) -> None:
    shop.send(*(track(f"u{number}", VIEWED) for number in range(6)), *(track(f"u{n}", BOUGHT) for n in range(4, 9)))
    shop.segment("chosen", {"did": VIEWED})
    shop.segment("others", {"not": {"in_segment": "chosen"}})
    assert shop.members("chosen") == {f"u{number}" for number in range(6)}
    shop.segment("chosen", {"did": BOUGHT})
    assert shop.members("chosen") == {f"u{number}" for number in range(4, 9)}
    assert shop.members("others") == {f"u{number}" for number in range(4)}
    versions = [(each["event"], each["properties"]["version"]) for each in shop.timeline("u0")[::-1]
                if each["properties"].get("segment") == "chosen"]  # fmt: skip
    assert versions == [("segment_entered", 1), ("segment_left", 2)]
    assert len(shop.facts("u4", "segment_entered")) == 1
    assert shop.get("/api/v1/segments/chosen")["size"] == 5
    shop.ask("DELETE", "/api/v1/segments/chosen", expect=204)
    assert shop.profile("u5")["segments"] == ["others"]
    assert len(shop.facts("u5", "segment_left")) == 1
    assert shop.members("others") == {f"u{number}" for number in range(9)}
    assert shop.all("/api/v1/profiles", segment="chosen") == []
    shop.ask("GET", "/api/v1/segments/chosen", expect=404)
    shop.segment("chosen", {"did": BOUGHT, "count": {"gte": 1}})
    assert shop.members("chosen") == {f"u{number}" for number in range(4, 9)}
    assert shop.get("/api/v1/segments/chosen")["size"] == 5


def test_a_journey_takes_no_one_who_was_a_member_before(shop: Shop) -> None:
    """Even when segment and journey are published in one breath, over a history still to be filled in."""
    shop.send(*(track(f"u{number}", VIEWED) for number in range(20)))
    shop.segment("viewers", {"did": VIEWED})
    entry = {"on": {"segment_entered": "viewers"}}
    shop.journey("greet", {"entry": entry, "steps": [{"id": "wait", "delay": "1d"}]})
    assert shop.get("/api/v1/segments/viewers")["size"] == 20
    assert shop.counts("greet")["entered"] == 0
    shop.track("new", VIEWED)
    assert shop.counts("greet")["entered"] == 1


def test_publishes_that_follow_each_other_while_someone_is_joined(shop: Shop) -> None:
    """The first fill is still to come when the second is asked for; nothing is left waiting for ever."""
    shop.send(*(track(f"~a{number}", VIEWED) for number in range(10)))
    shop.segment("first", {"did": VIEWED})
    shop.send(*(said("identify", f"u{number}~a{number}", traits={}) for number in range(10)))
    shop.segment("second", {"did": VIEWED, "count": {"is": 1}})
    shop.segment("third", {"did": VIEWED, "count": {"lt": 3}})
    for name in ("first", "second", "third"):
        assert shop.members(name) == {f"u{number}" for number in range(10)}, name


def test_someone_who_begins_by_doing_it_was_never_quiet(shop: Shop) -> None:
    shop.segment("quiet", {"did_not": VIEWED, "within": "7d"})
    shop.segment("poor", {"not": {"trait": "plan", "is": "gold"}})
    shop.send(track("ada", VIEWED), identify("ada~a1", plan="gold"))
    shop.send(identify("grace~a2", plan="gold"))
    shop.send(track("~a3", VIEWED), identify("linus~a3", plan="gold"))
    entered = {who: [each["properties"]["segment"] for each in shop.facts(who, "segment_entered")]
               for who in ("ada", "grace", "linus")}  # fmt: skip
    assert entered == {"ada": ["poor"], "grace": ["quiet"], "linus": ["poor"]}
