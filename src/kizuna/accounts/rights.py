"""Who may do what: a role holds rights, a route asks for one."""

from __future__ import annotations

from typing import Final

INGEST: Final = "ingest"  # send events
READ: Final = "read"  # see customers, messages, figures
ACT: Final = "act"  # change or speak to one customer
DEFINE: Final = "define"  # publish, launch, move the test clock, erase
MANAGE: Final = "manage"  # keys and members

RIGHTS: Final[dict[str, frozenset[str]]] = {
    "owner": frozenset({INGEST, READ, ACT, DEFINE, MANAGE}),
    "editor": frozenset({INGEST, READ, ACT, DEFINE}),
    "analyst": frozenset({READ}),
    "agent": frozenset({READ, ACT}),
    "ingest": frozenset({INGEST}),
}
ROLES: Final = tuple(RIGHTS)

_ASKING = ("/preview", "/render", "/backtest")  # a POST that only asks


def right_for(method: str, template: str) -> str:
    """The right a route needs when it does not say `right=` itself."""
    if template.startswith("/api/v1/keys"):
        return MANAGE
    if method in ("GET", "HEAD", "OPTIONS"):
        return READ
    if method == "POST" and (template.endswith(_ASKING) or template.startswith("/api/v1/insight")):
        return READ
    if method == "DELETE":
        return DEFINE
    if template.startswith(("/api/v1/profiles", "/api/v1/messages", "/reports/")) or template.endswith("/enter"):
        return ACT
    return DEFINE
