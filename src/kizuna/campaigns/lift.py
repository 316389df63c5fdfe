"""What a campaign changed: the share that met the goal in one arm against another, with a 95 % interval. Pure."""

from __future__ import annotations

from math import sqrt
from typing import Any

from msgspec import Struct

Z = 1.959963984540054  # of 95 %


class Arm(Struct, frozen=True):
    n: int
    converted: int

    @property
    def rate(self) -> float | None:
        return self.converted / self.n if self.n else None

    def wilson(self) -> tuple[float, float]:
        """Wilson's interval of the share (E. B. Wilson, 1927): never outside 0..1, also where nobody converted."""
        share, square = self.converted / self.n, Z * Z
        middle = (share + square / (2 * self.n)) / (1 + square / self.n)
        reach = Z / (1 + square / self.n) * sqrt(share * (1 - share) / self.n + square / (4 * self.n * self.n))
        return max(0.0, middle - reach), min(1.0, middle + reach)


def compare(arm: Arm, control: Arm) -> dict[str, Any]:
    """`{lift, relative_lift, interval}` of an arm over its control; null without a denominator.

    The interval of the absolute lift is Newcombe's (Statistics in Medicine 17, 1998, method 10).
    """
    rate, base = arm.rate, control.rate
    if rate is None or base is None:
        return {"lift": None, "relative_lift": None, "interval": None}
    (low, high), (base_low, base_high) = arm.wilson(), control.wilson()
    lift = rate - base
    below = sqrt((rate - low) ** 2 + (base_high - base) ** 2)
    above = sqrt((high - rate) ** 2 + (base - base_low) ** 2)
    return {
        "lift": lift,
        "relative_lift": lift / base if base else None,
        "interval": [max(-1.0, lift - below), min(1.0, lift + above)],
    }
