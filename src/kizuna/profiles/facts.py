"""What profiles say on a timeline."""

from __future__ import annotations

from kizuna.engine.fact import Fact

_DEVICE = {"device": "its id", "reason": "why, in one word"}

FACTS = (
    Fact(
        "profile_updated",
        "What is known of the customer changed; it says all of it.",
        {
            "traits": "all traits",
            "user_id": "the known customer's id, or null",
            "anonymous_ids": "the ids of browsers and devices",
            "zone": "IANA zone, or null",
            "locale": "language, or null",
        },
    ),
    Fact(
        "profile_merged",
        "Another profile turned out to be the same customer and was joined to this one.",
        {"from": "id of the profile that was joined", "anonymous_id": "the name by which it was known"},
    ),
    Fact(
        "identity_refused",
        "An id came with an event and was not taken over as one of the customer's.",
        {"type": "kind of id", "id": "the id", "reason": "placeholder, limit, or whose it is"},
    ),
    Fact(
        "device_removed",
        "Nothing is pushed to a device any more.",
        {**_DEVICE, "type": "kind of device", "answer?": "what the push service said"},
    ),
    Fact(
        "device_gone",
        "A push service said that nobody is there any more.",
        {**_DEVICE, "message": "the message that was to go there"},
        type="report",
    ),
)
