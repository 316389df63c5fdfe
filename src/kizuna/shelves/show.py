"""How what lies on a shelf looks to a browser."""

from __future__ import annotations

from typing import Any

from kizuna.core import clock, ids
from kizuna.messages.links import IN_PAGE, Signer, Ticket
from kizuna.messages.sql_shelf import Lying
from kizuna.shelves.stays import page_of


def shown(lying: Lying, workspace: int, signer: Signer) -> dict[str, Any]:
    """With the token by which it is acted upon."""
    return {**described(lying), "token": signer.token(Ticket(workspace, lying.id, IN_PAGE))}


def described(lying: Lying) -> dict[str, Any]:
    page = page_of(lying)
    return {
        "id": ids.show("msg", lying.id),
        "kind": lying.channel,
        "title": lying.title or "",
        "html": lying.html,
        "image": page["image"] or None,
        "url": page["url"] or None,
        "buttons": [
            {"id": button_id(place), **{name: value or None for name, value in button.items()}}
            for place, button in enumerate(page["buttons"])
        ],
        "display": page["display"],
        "placed_at": clock.show(lying.placed_at),
        "expires_at": clock.show(lying.expires_at),
        "read": lying.read_at is not None,
    }


def button_id(place: int) -> str:
    return f"b{place + 1}"
