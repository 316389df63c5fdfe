"""One message to all of a customer's devices, each by the provider that reaches its kind."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from kizuna.providers import Accepted, Ambiguous, Delivery, Outcome, Rejected, Unavailable

FAN_OUT_SECONDS = 20.0  # after which no further device is begun with: within the sender's lease

Carrier = tuple[frozenset[str], Callable[[Delivery], Outcome]]  # the types of devices it reaches


def fan_out(delivery: Delivery, carriers: Sequence[Carrier], clock: Callable[[], float] = time.monotonic) -> Outcome:
    """The devices seen last come first; of two providers for one kind the first is asked."""
    until = clock() + FAN_OUT_SECONDS
    outcomes: list[Outcome] = []
    for device in reversed(delivery.devices):
        carry = next((carry for types, carry in carriers if device.type in types), None)
        if carry is None:
            outcomes.append(Rejected(f"no_provider: none that reaches {device.type}"))
        elif outcomes and clock() >= until:
            outcomes.append(Unavailable("too many devices that do not answer"))
        else:
            outcomes.append(carry(msgspec.structs.replace(delivery, address=device.token)))
    return joined(outcomes)


def joined(outcomes: Sequence[Outcome]) -> Outcome:
    """Sent when one took it; else perhaps, when one may have; else later, when one may yet."""
    gone = [name for outcome in outcomes for name in outcome.gone]
    for kind in (Accepted, Ambiguous, Unavailable, Rejected):
        for outcome in outcomes:
            if isinstance(outcome, kind):
                found: Any = msgspec.structs.replace(outcome, gone=gone)
                return found
    return Rejected("no_address")
