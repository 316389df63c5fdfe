"""A feed as it is set: read, checked, its secrets sealed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from kizuna.core.clock import SECOND, duration
from kizuna.core.errors import FieldError, Unprocessable
from kizuna.core.shape import misfit
from kizuna.feeds import Target, all_targets
from kizuna.providers import vault

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z", re.ASCII)  # it becomes part of paths
MOST_PATTERNS, LONGEST_PATTERN = 200, 200
MOST_ITEMS = 10_000


class Pieces(Struct, forbid_unknown_fields=True, frozen=True):
    """When a piece is handed over: as soon as it has so many items, or its first waited so long."""

    items: int = MOST_ITEMS
    every: str = "5m"


class Feed(Struct, forbid_unknown_fields=True, frozen=True):
    """What is published under a feed's name; `since` counts where the feed is new."""

    to: dict[str, Any]
    events: list[str] = msgspec.field(default_factory=lambda: ["*"])
    since: Literal["now", "start"] = msgspec.field(name="from", default="now")
    pieces: Pieces = Pieces()

    @property
    def every(self) -> int:
        """Microseconds."""
        return duration(self.pieces.every).exact


def check(name: str, feed: Feed) -> Target:
    """Its target; raises `Unprocessable` for a feed that cannot be."""
    wrong: list[FieldError] = []
    if not NAME.match(name):
        wrong.append(FieldError("/name", "invalid_name", "a to z, 0 to 9, _ and -, at most 63, no sign in front"))
    if not 1 <= len(feed.events) <= MOST_PATTERNS or any(not 1 <= len(e) <= LONGEST_PATTERN for e in feed.events):
        wrong.append(
            FieldError("/events", "invalid_events", f"1 to {MOST_PATTERNS} names, or beginnings that end in *")
        )
    if not 1 <= feed.pieces.items <= MOST_ITEMS:
        wrong.append(FieldError("/pieces/items", "invalid_pieces", f"1 to {MOST_ITEMS}"))
    if not SECOND <= feed.every <= 86_400 * SECOND:
        wrong.append(FieldError("/pieces/every", "invalid_pieces", "1s to 1d"))
    target = all_targets().get(str(feed.to.get("kind")))
    if target is None:
        wrong.append(FieldError("/to/kind", "unsupported", f"one of {', '.join(all_targets())}"))
    if wrong or target is None:
        raise Unprocessable("this is no feed", code="invalid_feed", errors=wrong)
    return target


def settings_of(target: Target, told: Mapping[str, Any]) -> Any:
    """What a target was told, read; raises `Unprocessable` at the place that is wrong."""
    known = {field.encode_name for field in msgspec.structs.fields(target.settings)}
    if unknown := sorted(told.keys() - known - {"kind"}):
        errors = [FieldError(f"/to/{key}", "unknown", f"known are {', '.join(sorted(known))}") for key in unknown]
        raise Unprocessable("this target does not know that", code="invalid_feed", errors=errors)
    try:
        return msgspec.convert({key: value for key, value in told.items() if key in known}, target.settings)
    except msgspec.ValidationError as error:
        found = misfit(error, target.settings)
        wrong = FieldError(f"/to{found.pointer}", found.code, found.message)
        raise Unprocessable(f"to: {found.message}", code="invalid_feed", errors=[wrong]) from None


def sealed(
    name: str, feed: Feed, before: Mapping[str, Any], secrets: Sequence[bytes], workspace: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body to publish, and the secrets that we made, to be shown this once. Those left out stay as they are."""
    target = check(name, feed)
    held = held_of(before, secrets, workspace) if (before.get("to") or {}).get("kind") == target.name else {}
    given = {key: value for key, value in feed.to.items() if key in target.secrets and value not in (None, "")}
    made = {key: value for key, value in target.made().items() if key not in held | given}
    hidden = made | held | given
    settings_of(target, feed.to | hidden)
    body = msgspec.to_builtins(feed)
    body["to"] = {key: value for key, value in feed.to.items() if key not in target.secrets}
    body["sealed"] = vault.seal(secrets[-1], workspace, hidden) if hidden else None
    body["hidden"] = sorted(hidden)
    return body, made


def held_of(body: Mapping[str, Any], secrets: Sequence[bytes], workspace: int) -> dict[str, Any]:
    """The secrets in a published body."""
    return vault.unseal_any(secrets, workspace, body["sealed"]) if body.get("sealed") else {}


def written(body: Mapping[str, Any]) -> dict[str, Any]:
    """A published body as users say it."""
    return {key: value for key, value in body.items() if key not in ("sealed", "hidden")}
