"""What campaigns say on a timeline."""

from __future__ import annotations

from kizuna.engine.fact import Fact

FACTS = (
    Fact(
        "campaign_launched",
        "The customer is among those a campaign was launched for.",
        {"campaign": "its name", "launch": "id of the launch", "version": "version of its definition"},
        type="launch",
    ),
    Fact(
        "campaign_goal",
        "The customer did what the campaign wanted, in time.",
        {
            "campaign": "its name",
            "version": "version of its definition",
            "message": "id of the message that gets the credit",
            "value?": "what it was worth",
        },
    ),
)
