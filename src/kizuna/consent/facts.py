"""What consent says on a timeline."""

from __future__ import annotations

from kizuna.engine.fact import Fact

FACTS = (
    Fact(
        "consent_changed",
        "The customer's choice for a channel or topic changed, by whatever way.",
        {
            "channel": "email, sms, ...",
            "topic": "name, or null for the whole channel",
            "state": "opted_in, neutral, pending or opted_out",
            "source": "who said so",
        },
    ),
)
