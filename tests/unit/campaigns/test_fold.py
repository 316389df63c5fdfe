"""A campaign in the fold: said once, at its time, and watched for its goal."""

from __future__ import annotations

from typing import Any

import pytest

from kizuna.campaigns.fold import LAUNCH, CampaignSlice
from kizuna.campaigns.section import Campaigns, Converted, Waiting
from kizuna.consent.section import Consent
from kizuna.core import clock, exact_json, ids
from kizuna.core.clock import DAY, HOUR, SECOND
from kizuna.engine.moment import BACKFILL, Item, Moment
from kizuna.engine.slice import Definition, Effects, Record, Scope, Workspace
from kizuna.messages.message import PlanMessage
from kizuna.profiles.section import Profile

SHOP = Workspace(1, "shop", "test", "UTC", "JPY", "opt_out")
ADA = b"a" * 16
SALE: dict[str, Any] = {"segment": "all", "send": {"channel": "email", "template": "hello"}}
GOAL = {"event": "Bought", "within": "2d", "value": "properties.total"}


def at(text: str) -> int:
    found = clock.read_time(text)
    assert found is not None
    return found


NOON = at("2026-12-24T12:00:00Z")


class Ada:
    """One record of which a campaign named `sale` knows, in Tokyo."""

    def __init__(self, body: dict[str, Any], zone: str = "Asia/Tokyo", status: str = "ready") -> None:
        self.slice = CampaignSlice()
        self.scope = Scope(SHOP, {}, Effects())
        self.publish(Definition("campaign", "sale", 1, status, body, 1, None))
        profile = Profile(traits={"email": "ada@example.com"}, zone=zone)
        sections = {"profiles": profile, "consent": Consent(), "campaigns": Campaigns()}
        self.scope.record = Record(ADA, 0, sections, is_new=False)

    @property
    def section(self) -> Campaigns:
        return self.scope.record["campaigns"]

    def publish(self, *definitions: Definition) -> None:
        program = self.slice.compile(SHOP, definitions, {})
        self.scope.program = {"campaigns": program, "messages": {"templates": {"hello": 1}}}

    def hear(self, kind: str, name: str, now: int, timestamp: int | None = None, flags: int = 0, **said: Any) -> None:
        self.scope.restart(now, 1, f"{name}{now}")
        when = now if timestamp is None else timestamp
        item = Item(ADA, "i", kind, name, when, exact_json.encode(said), flags=flags)
        if self.slice.hears(self.scope.program["campaigns"], kind, name):
            self.slice.fold(Moment(item, now, 1), self.scope)

    def launch(self, now: int, launch: str = "l1") -> None:
        said = {"campaign": "sale", "version": 1, "launch": launch}
        self.hear(LAUNCH, "campaign_launched", now, **said)

    def wake(self) -> None:
        self.scope.restart(self.section.wake_at, 1, "timer")
        self.slice.wake(self.scope)

    def said(self) -> list[tuple[str, str | None, int]]:
        return [(row.state, row.reason, row.at) for row in self.scope.effects.other.get(PlanMessage, [])]

    @property
    def decided(self) -> int:
        return self.scope.effects.counts.get("campaign:sale:decided", 0)


def test_a_launch_becomes_a_message() -> None:
    ada = Ada(SALE)
    ada.launch(NOON)
    assert ada.said() == [("planned", None, NOON)]
    assert ada.decided == 1
    assert not ada.scope.record.touched, "nothing of it is kept in the record"


def test_a_local_time_is_waited_for_in_the_record() -> None:
    ada = Ada({**SALE, "schedule": {"local": "2026-12-25T09:00"}})
    ada.launch(NOON)
    assert (ada.said(), ada.decided) == ([], 0)
    assert ada.section.wake_at == at("2026-12-25T00:00:00Z")
    ada.wake()
    assert ada.said() == [("planned", None, at("2026-12-25T00:00:00Z"))]
    assert (ada.section.wake_at, ada.section.waiting, ada.decided) == (0, [], 1)


@pytest.mark.parametrize(
    ("late", "said"),
    [
        (0, ("planned", None)),
        (HOUR, ("planned", None)),
        (HOUR + 1, ("skipped", "expired")),
    ],
)
def test_an_hour_late_is_in_time_and_no_later(late: int, said: tuple[str, str | None]) -> None:
    ada = Ada({**SALE, "schedule": {"local": "2026-12-24T09:00"}})
    ada.launch(at("2026-12-24T00:00:00Z") + late)
    assert ada.said() == [(*said, at("2026-12-24T00:00:00Z") + late)]
    assert ada.decided == 1


def test_the_local_time_moves_with_the_zone() -> None:
    ada = Ada({**SALE, "schedule": {"local": "2026-12-25T09:00"}})
    ada.launch(NOON)
    ada.scope.record["profiles"].zone = "America/New_York"
    ada.hear("fact", "profile_updated", NOON + HOUR)
    assert ada.section.wake_at == at("2026-12-25T14:00:00Z")
    ada.scope.record["profiles"].zone = "Pacific/Kiritimati"  # there it is past nine, by less than an hour
    ada.hear("fact", "profile_updated", at("2026-12-24T19:30:00Z"))
    assert ada.said() == [("planned", None, at("2026-12-24T19:30:00Z"))]
    assert ada.section.wake_at == 0


def test_launches_that_were_cancelled_are_aborted() -> None:
    body = {**SALE, "schedule": {"local": "2026-12-25T09:00"}}
    ada = Ada(body)
    ada.launch(NOON)
    cancel = Definition("cancel", "sale", 1, "active", {"launches": ["l1", "l2"]}, 2, 5)
    ada.publish(Definition("campaign", "sale", 1, "cancelled", body, 3, None), cancel)
    ada.section.wake_at = NOON + SECOND  # as the publish wakes it
    ada.wake()
    assert ada.said() == [("skipped", "aborted", NOON + SECOND)]
    ada.launch(NOON + HOUR, "l2")
    ada.launch(NOON + HOUR, "l3")
    assert [state for state, *_ in ada.said()] == ["skipped", "skipped"]
    assert [each.launch for each in ada.section.waiting] == ["l3"], "launched after the cancel it is a new beginning"
    assert ada.decided == 2


def test_who_was_to_be_reached_twice_is_reached_once() -> None:
    ada = Ada({**SALE, "schedule": {"local": "2026-12-25T09:00"}})
    ada.launch(NOON)
    other = Campaigns(waiting=[Waiting("sale", 1, "l1", NOON + DAY), Waiting("sale", 1, "l2", NOON + DAY)])
    ada.scope.restart(NOON, 1, "absorb")
    ada.slice.absorb(other, ada.scope)
    assert [each.launch for each in ada.section.waiting] == ["l1", "l2"]
    assert {each.due_at for each in ada.section.waiting} == {at("2026-12-25T00:00:00Z")}
    assert ada.decided == 1


def test_a_goal_is_met_once_within_its_time_both_ends_included() -> None:
    for when, is_met in ((NOON - 1, False), (NOON, True), (NOON + 2 * DAY, True), (NOON + 2 * DAY + 1, False)):
        ada = Ada({**SALE, "goal": GOAL})
        ada.launch(NOON)
        for _ in range(2):
            ada.hear("track", "Bought", NOON + 3 * DAY, when, total="12.50")
        found = ada.scope.effects.other.get(Converted, [])
        message = ada.scope.effects.other[PlanMessage][0].id
        assert found == ([Converted(message, "sale", when, "12.50")] if is_met else []), when - NOON


def test_only_what_happened_can_meet_a_goal() -> None:
    ada = Ada({**SALE, "goal": {**GOAL, "where": [{"property": "total", "gt": 10}]}})
    ada.launch(NOON)
    ada.hear("track", "Looked", NOON + 1, total=11)
    ada.hear("track", "Bought", NOON + 1, total=10)
    ada.hear("track", "Bought", NOON + 1, total=11, flags=BACKFILL)
    ada.hear("identify", "Bought", NOON + 1, total=11)
    assert Converted not in ada.scope.effects.other
    ada.hear("track", "Bought", NOON + 1, total="eleven and more")
    assert Converted not in ada.scope.effects.other
    ada.hear("track", "Bought", NOON + 1, total=11)
    (fact,) = [fact for _, fact, _ in ada.scope.effects.facts if fact.name == "campaign_goal"]
    assert exact_json.decode(fact.properties)["value"] == 11


def test_who_was_not_reached_for_a_reason_of_their_own_is_not_compared() -> None:
    ada = Ada({**SALE, "goal": GOAL})
    ada.scope.record["profiles"].traits = {}
    ada.launch(NOON)
    assert ada.said() == [("skipped", "no_address", NOON)]
    assert not ada.section.watched


def test_the_held_out_are_watched_like_those_it_was_said_to() -> None:
    ada = Ada({**SALE, "goal": GOAL, "holdout": 100})
    ada.launch(NOON)
    assert ada.said() == [("skipped", "holdout", NOON)]
    ada.hear("track", "Bought", NOON + HOUR, total=3)
    assert [each.value for each in ada.scope.effects.other[Converted]] == ["3"]


def test_arms_and_lots_are_drawn_by_hash() -> None:
    names = [{"name": "a"}, {"name": "b"}]
    rows = []
    for _ in range(2):
        ada = Ada({**SALE, "variants": names})
        ada.launch(NOON)
        rows.append(ada.scope.effects.other[PlanMessage][0].variant)
    assert rows[0] == rows[1] == names[ids.bucket("variant", "sale", ADA) // 5_000]["name"]
