"""How much a provider of mail may be handed on a local day: a plan for a new domain, and limits by receiver. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from kizuna.core.errors import FieldError
from kizuna.providers.dkim_key import ascii_name

MOST_DAYS, MOST_DOMAINS = 366, 100
MOST_A_DAY = 1_000_000_000
STEEPEST = 3.0
_NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")


class WarmUp(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Messages a day from `start` on: each day of a `plan`, or `first` on the first and `factor` as many on each day
    after, until `most`, where it stays."""

    start: date  # the first day, in the workspace's zone
    plan: tuple[int, ...] | None = None  # messages on each day from then on
    first: int | None = None  # messages on the first day, where there is no plan
    factor: float | None = None  # how many times as many on each day after
    most: int | None = None  # messages a day at which growth ends

    def allowed(self, day: date) -> int | None:
        """What a day may bring; None: any number, as before the start and after the end of the plan."""
        index = (day - self.start).days
        if index < 0:
            return None
        if self.plan is not None:
            return self.plan[index] if index < len(self.plan) else None
        grown = (self.first or 0) * (self.factor or 1) ** min(index, MOST_DAYS)
        most = MOST_A_DAY if self.most is None else self.most
        if grown < most:
            return int(grown)
        return self.most


class DomainLimit(Struct, frozen=True, forbid_unknown_fields=True):
    per_day: int  # messages on a local day, transactional ones counted


def problems(warm_up: WarmUp | None, domains: Mapping[str, DomainLimit]) -> list[FieldError]:
    """Why they cannot be set. Pointers are those of a provider's document."""
    found = _of_plan(warm_up) if warm_up is not None else []
    if len(domains) > MOST_DOMAINS:
        found.append(FieldError("/domains", "too_many", f"at most {MOST_DOMAINS} domains"))
    for name, limit in domains.items():
        at = f"/domains/{name.replace('~', '~0').replace('/', '~1')}"
        if not _NAME.match(name):
            proper = ascii_name(name.lower())
            said = f"write it {proper}" if _NAME.match(proper) else "write a domain such as docomo.ne.jp"
            found.append(FieldError(at, "invalid_domain", said))
        if not 0 <= limit.per_day <= MOST_A_DAY:
            found.append(FieldError(f"{at}/per_day", "out_of_range", f"from 0 to {MOST_A_DAY}"))
    return found


def _of_plan(warm_up: WarmUp) -> list[FieldError]:
    if warm_up.plan is not None:
        if (warm_up.first, warm_up.factor, warm_up.most) != (None, None, None):
            return [FieldError("/warm_up/plan", "ambiguous", "either a plan, or first, factor and most")]
        if not 1 <= len(warm_up.plan) <= MOST_DAYS:
            return [FieldError("/warm_up/plan", "out_of_range", f"from 1 to {MOST_DAYS} days")]
        return [
            FieldError(f"/warm_up/plan/{index}", "out_of_range", f"from 0 to {MOST_A_DAY}")
            for index, number in enumerate(warm_up.plan)
            if not 0 <= number <= MOST_A_DAY
        ]
    found: list[FieldError] = []
    if warm_up.first is None or not 1 <= warm_up.first <= MOST_A_DAY:
        found.append(FieldError("/warm_up/first", "out_of_range", f"from 1 to {MOST_A_DAY}, where there is no plan"))
    if warm_up.factor is None or not 1 < warm_up.factor <= STEEPEST:
        found.append(FieldError("/warm_up/factor", "out_of_range", f"above 1, at most {STEEPEST:g}"))
    if warm_up.most is not None and not (warm_up.first or 1) <= warm_up.most <= MOST_A_DAY:
        found.append(FieldError("/warm_up/most", "out_of_range", f"from `first` to {MOST_A_DAY}"))
    return found
