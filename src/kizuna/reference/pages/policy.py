"""Fields of the policy."""

from __future__ import annotations

from kizuna.messages.policy_fields import FIELDS
from kizuna.reference.page import Page, code, table


def page() -> Page:
    rows = [(code(name), about) for name, about in FIELDS.items()]
    about = (
        "What `PUT /api/v1/policy` takes: how much is said, and when. See [policy](../guides/campaigns-and-policy.md)."
    )
    return Page("Policy", about, table(("field", "meaning"), rows))
