"""A story: what the outside says and does to some workspaces, written from a seed before anything runs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from kizuna.core import clock, exact_json, ids
from kizuna.engine.moment import Item
from kizuna.journeys.enter import entering
from kizuna.testing.simulation.shop import BOUGHT, EVENTS, SHOPS, Change

# Each begins shortly before its zone does something: a gap, an overlap, a day that is skipped, a short month.
BEGINNINGS = (
    ("UTC", "2026-01-30T22:00:00Z"),
    ("Asia/Tokyo", "2026-05-04T12:00:00Z"),
    ("America/New_York", "2026-03-07T06:00:00Z"),
    ("America/New_York", "2026-10-31T05:00:00Z"),
    ("Pacific/Apia", "2011-12-29T08:00:00Z"),
)
ZONES = ("", "", "Europe/Berlin", "America/New_York", "Asia/Kathmandu")
MOVES = (1, clock.SECOND, clock.HOUR, 2 * clock.HOUR, 12 * clock.HOUR, clock.DAY, 2 * clock.DAY, 3 * clock.DAY)
LONG_MOVES = (10 * clock.DAY, 31 * clock.DAY, 91 * clock.DAY)


class Tenant(Struct, frozen=True):
    """A workspace as the story finds it."""

    id: int
    shop: int
    clock: str
    zone: str
    consent: str
    now: int


class Act(Struct, frozen=True, tag=True):
    """One thing that happens. `number` seeds what the crew does meanwhile, so acts can be left out one by one."""

    number: int
    workspace: int


class Say(Act, frozen=True):
    """Accepted requests, each a row of its own where it goes to another partition."""

    items: list[Item]


class Choose(Act, frozen=True):
    """An act of consent by API; an opt-out is vetoed where it is accepted."""

    item: Item


class Move(Act, frozen=True):
    to: int


class Publish(Act, frozen=True):
    change: int  # of the shop's


class Launch(Act, frozen=True):
    """A campaign is said to those who are members when it is handed out."""

    campaign: str


class Reassign(Act, frozen=True):
    """Partitions are given out anew; with `silently` those who had them are not told."""

    silently: bool


class Rest(Act, frozen=True):
    """Everybody works until there is nothing left to do."""


AnyAct = Say | Choose | Move | Publish | Launch | Reassign | Rest


class Story(Struct, frozen=True):
    seed: int
    tenants: list[Tenant]
    acts: list[AnyAct]

    def without(self, start: int, count: int) -> Story:
        return replace(self, acts=[*self.acts[:start], *self.acts[start + count :]])


def write_story(seed: int) -> Story:
    chance = random.Random(seed)  # noqa: S311  # the same seed must tell the same story
    tenants = [_tenant(number, chance) for number in range(1, 3 if chance.random() < 0.3 else 2)]
    author = Author(chance, tenants)
    return Story(seed, tenants, [author.act(number) for number in range(chance.randint(12, 40))])


def _tenant(number: int, chance: random.Random) -> Tenant:
    zone, begins = chance.choice(BEGINNINGS)
    now = clock.read_time(begins)
    assert now is not None  # noqa: S101  # written above
    consent = "opt_out" if chance.random() < 0.8 else "opt_in"
    return Tenant(number, chance.randrange(len(SHOPS)), chance.choice(("test", "live")), zone, consent, now)


class Author:
    """Invents one act after the other; knows only what time it is and what was said before."""

    def __init__(self, chance: random.Random, tenants: Sequence[Tenant]) -> None:
        self.chance = chance
        self.tenants = tenants
        self.now = {tenant.id: tenant.now for tenant in tenants}
        self.published = {tenant.id: 0 for tenant in tenants}
        self.said: dict[int, list[Item]] = {tenant.id: [] for tenant in tenants}
        self.people = chance.randint(2, 6)
        self.serial = 0

    def act(self, number: int) -> AnyAct:
        tenant, draw = self.chance.choice(self.tenants), self.chance.random()
        if number < self.people and draw < 0.7:
            return Say(number, tenant.id, [self.identify(tenant, number)])  # most have an address early on
        if draw < 0.52:
            return Say(number, tenant.id, [self.item(tenant) for _ in range(self.chance.choice((1, 1, 2, 4)))])
        if draw < 0.60:
            return Choose(number, tenant.id, self.choice(tenant))
        if draw < 0.82:
            moves = LONG_MOVES if self.chance.random() < 0.08 else MOVES
            self.now[tenant.id] += self.chance.choice(moves)
            return Move(number, tenant.id, self.now[tenant.id])
        if draw < 0.90 and self.published[tenant.id] < len(SHOPS[tenant.shop].changes):
            self.published[tenant.id] += 1
            return Publish(number, tenant.id, self.published[tenant.id] - 1)
        if draw < 0.92:
            return Launch(number, tenant.id, "letter")
        if draw < 0.96:
            return Reassign(number, tenant.id, silently=self.chance.random() < 0.6)
        return Rest(number, tenant.id)

    def item(self, tenant: Tenant) -> Item:
        draw, said = self.chance.random(), self.said[tenant.id]
        if draw < 0.12 and said:
            return self.chance.choice(said)  # a duplicate
        invites = SHOPS[tenant.shop].invites
        if invites and draw < 0.22:
            return self.invitation(tenant, invites)
        item = self.identify(tenant) if draw < 0.44 else self.track(tenant)
        said.append(item)
        return item

    def track(self, tenant: Tenant) -> Item:
        name = self.chance.choice(EVENTS)
        properties: dict[str, Any] = {"order_id": f"o{self.chance.randrange(4)}"}
        if name == BOUGHT and self.chance.random() < 0.9:
            properties["total"] = self.chance.choice((20, 50, 50.5, 80, "60", 0.1, "much", None))
        user, anon = self.somebody()
        return self.make(tenant, "track", name, properties, user, anon)

    def identify(self, tenant: Tenant, known: int | None = None) -> Item:
        person = self.chance.randrange(self.people) if known is None else known
        user = f"u{person}"
        anon = f"a{person}" if self.chance.random() < 0.85 else f"a{self.chance.randrange(self.people)}"
        traits: dict[str, Any] = {"email": f"{user}@shop.example", "plan": self.chance.choice(("gold", "free", None))}
        if known is None and self.chance.random() < 0.2:
            return self.make(tenant, "alias", anon, {}, user, "")
        zone = self.chance.choice(ZONES)
        context = {"timezone": zone} if zone else {}
        return self.make(tenant, "identify", "", traits, user, anon if self.chance.random() < 0.7 else "", context)

    def somebody(self) -> tuple[str, str]:
        person = self.chance.randrange(self.people)
        return ("", f"a{person}") if self.chance.random() < 0.4 else (f"u{person}", "")

    def make(
        self,
        tenant: Tenant,
        kind: str,
        name: str,
        properties: dict[str, Any],
        user: str,
        anon: str,
        context: dict[str, Any] | None = None,
    ) -> Item:
        self.serial += 1
        now = self.now[tenant.id]
        profile = ids.profile_id(tenant.id, "user" if user else "anon", user or anon)
        said = exact_json.encode({key: value for key, value in properties.items() if value is not None})
        return Item(
            profile, f"m{self.serial}", kind, name, now + self.shift(), said,
            exact_json.encode(context) if context else b"", user, anon, now,
        )  # fmt: skip

    def shift(self) -> int:
        """How far a sender's clock, or a queue, puts an event from the moment it arrives."""
        draw = self.chance.random()
        if draw < 0.6:
            return 0
        if draw < 0.9:
            return -self.chance.choice((1, clock.HOUR, clock.DAY, 2 * clock.DAY, 3 * clock.DAY, 8 * clock.DAY))
        return self.chance.choice((1, clock.HOUR, clock.DAY, 2 * clock.DAY))

    def choice(self, tenant: Tenant) -> Item:
        self.serial += 1
        user, anon = self.somebody()
        said: dict[str, Any] = {"channel": "email", "state": "opted_out", "source": "api"}
        if self.chance.random() < 0.4:
            said |= {"state": "opted_in"} | ({"proof": {"form": "double"}} if self.chance.random() < 0.7 else {})
        if self.chance.random() < 0.4:
            said["topic"] = "news"
        profile = ids.profile_id(tenant.id, "user" if user else "anon", user or anon)
        now = self.now[tenant.id]
        return Item(
            profile, f"c{self.serial}", "consent", timestamp=now, properties=exact_json.encode(said), received_at=now
        )

    def invitation(self, tenant: Tenant, journey: str) -> Item:
        self.serial += 1
        user, anon = self.somebody()
        profile = ids.profile_id(tenant.id, "user" if user else "anon", user or anon)
        return entering(profile, journey, self.now[tenant.id], data={}, key=None, request=f"e{self.serial}")


def change_of(tenant: Tenant, act: Publish) -> Change:
    return SHOPS[tenant.shop].changes[act.change]
