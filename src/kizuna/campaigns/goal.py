"""What a campaign wants of those it was said to: an event, within a time. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import Struct

from kizuna.core.clock import Duration, duration
from kizuna.core.errors import Invalid
from kizuna.engine.moment import Moment
from kizuna.journeys.leaving import parse_goal
from kizuna.journeys.problems import Problems
from kizuna.journeys.trigger import Trigger
from kizuna.segments.values import number

WITHIN_DEFAULT = "7d"


class Goal(Struct, frozen=True):
    """`{event, where?, within?, value?}`; `within` counts from when it was said, its end included."""

    trigger: Trigger
    within: Duration
    value: str = ""  # path of the value in the event, as `properties.total`

    def value_of(self, moment: Moment) -> Decimal | None:
        """The number that the event carries, exactly."""
        if not self.value:
            return None
        found: Any = {"properties": moment.properties}
        for part in self.value.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        value = number(found)
        return None if value is None else Decimal(value)


def parse(raw: Any) -> Goal:
    """As a journey's goal; raises `Invalid` with pointers below `/goal`."""
    problems = Problems()
    found = parse_goal(raw, problems)
    if problems.found:
        first = problems.found[0]
        raise Invalid(f"the campaign is not valid: {first.message}", code="invalid_campaign", errors=problems.found)
    return Goal(found.trigger, found.within or duration(WITHIN_DEFAULT), found.value)
