"""Which of some messages a provider may still be handed on their local day. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.core import clock
from kizuna.providers.dkim_key import ascii_name
from kizuna.providers.warm_up import DomainLimit, WarmUp

Key = tuple[date, str]  # a local day, and the domain of a limit; '': all messages of the day
NOTHING: Mapping[Key, int] = {}


class Asking(Struct, frozen=True):
    """A message that would be handed over at an instant."""

    address: str
    at: int
    transactional: bool


class Allowance(Struct, frozen=True):
    """What is set for a provider, and the zone whose days are meant."""

    warm_up: WarmUp | None
    domains: Mapping[str, DomainLimit]
    zone: str

    def keys(self, asking: Asking) -> list[Key]:
        """Where a message counts."""
        day = clock.to_local(asking.at, self.zone).date()
        domain = ascii_name(asking.address.rpartition("@")[2].lower())
        return [(day, ""), (day, domain)] if domain in self.domains else [(day, "")]

    def most(self, key: Key) -> int | None:
        """None: any number."""
        day, domain = key
        if domain:
            return self.domains[domain].per_day
        return self.warm_up.allowed(day) if self.warm_up is not None else None

    def next_day(self, at: int) -> int:
        """The first instant after `at` at which another local day has begun."""
        today = clock.to_local(at, self.zone).date()
        begins = clock.from_local(datetime.combine(today + timedelta(days=1), time()), self.zone)
        while begins <= at:  # the clocks went back over midnight: it comes twice
            begins += clock.HOUR
        return begins

    def share(self, asking: Sequence[Asking], used: Mapping[Key, int]) -> tuple[list[bool], Counter[Key]]:
        """Which may go, in their order, and what they add to what is `used`."""
        added: Counter[Key] = Counter()
        may: list[bool] = []
        for each in asking:
            is_free = self.has_room(each, used, added)
            if is_free:
                added.update(self.keys(each))
            may.append(is_free)
        return may, added

    def has_room(self, asking: Asking, used: Mapping[Key, int], added: Mapping[Key, int] = NOTHING) -> bool:
        """Whether it may go, where so many are `used` and `added`. What is transactional always may."""
        if asking.transactional:
            return True
        limits = [(self.most(key), used.get(key, 0) + added.get(key, 0)) for key in self.keys(asking)]
        return all(most is None or count < most for most, count in limits)


def allowance_of(carrier: Mapping[str, Any], zone: str) -> Allowance | None:
    """None where a provider's definition limits nothing."""
    warm_up, domains = carrier.get("warm_up"), carrier.get("domains")
    if not warm_up and not domains:
        return None
    return Allowance(
        msgspec.convert(warm_up, WarmUp | None), msgspec.convert(domains or {}, dict[str, DomainLimit]), zone
    )


def in_order(keys: Iterable[Key]) -> list[Key]:
    """As everybody locks them."""
    return sorted(set(keys))
