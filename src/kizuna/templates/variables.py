"""What templates see of a customer; the preview and the send agree on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kizuna.consent.terms import Sender
from kizuna.core import ids
from kizuna.engine.slice import Workspace
from kizuna.profiles.section import Profile


def of_profile(profile: bytes, traits: dict[str, Any], known: Profile, segments: Sequence[str]) -> dict[str, Any]:
    return {
        "id": ids.show("prf", profile),
        "traits": traits,
        "identities": identities(known),
        "segments": list(segments),
        "computed": {},
    }


def of_workspace(workspace: Workspace, sender: Sender | None) -> dict[str, Any]:
    """`sender` is who stands behind what is sent, as the policy names them."""
    said = sender or Sender()
    return {
        "name": workspace.name, "zone": workspace.zone, "currency": workspace.currency,
        "sender": {"name": said.name, "address": said.address, "contact": said.contact},
    }  # fmt: skip


def locale_of(traits: dict[str, Any], known: Profile) -> str:
    """The language a customer is written to in."""
    return known.locale or str(traits.get("locale") or "")


def identities(known: Profile) -> dict[str, Any]:
    return {
        "user_id": known.user_id or None,
        "anonymous_ids": known.anonymous_ids,
        "external_ids": [{"type": kind, "id": value} for kind, value in known.external_ids],
    }
