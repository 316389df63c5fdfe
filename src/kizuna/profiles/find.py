"""Which profile a `ref` of the API means: an internal id, `user:`, `anon:`, `email:` or `phone:`."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from kizuna.core import ids
from kizuna.core.errors import Conflict, FieldError, NotFound
from kizuna.profiles import store

_MOST_NAMED = 20


async def find(conn: AsyncConnection[Any], workspace: int, ref: str) -> bytes:
    """The profile's id; raises `NotFound`, or `Conflict` with code `ambiguous` and the ids when several match."""
    kind, separator, value = ref.partition(":")
    if separator and kind in ("email", "phone") and value:
        return await _by_trait(conn, workspace, kind, value)
    asked = named(workspace, ref)
    found = await store.survivor(conn, workspace, asked)
    if found is None:
        raise NotFound(f"no profile {ref!r} in this workspace")
    return found


async def find_then(conn: AsyncConnection[Any], workspace: int, ref: str) -> bytes:
    """As `find`, before any merge: whom it was part of depends on when. Address and number mean who has them now."""
    is_look_up = ref.partition(":")[0] in ("email", "phone")
    return await find(conn, workspace, ref) if is_look_up else named(workspace, ref)


def named(workspace: int, ref: str) -> bytes:
    """The id that a ref names before any merge, whether or not there is such a profile."""
    kind, separator, value = ref.partition(":")
    if separator and kind in ("user", "anon") and value:
        return ids.profile_id(workspace, kind, value)
    if ref.startswith("prf_"):
        return ids.read("prf", ref)
    raise NotFound(f"no profile {ref!r}: write prf_..., user:<userId>, anon:<anonymousId> or email:<address>")


async def _by_trait(conn: AsyncConnection[Any], workspace: int, kind: str, value: str) -> bytes:
    found = await store.by_trait(conn, workspace, kind, value, _MOST_NAMED)
    if not found:
        raise NotFound(f"no profile has the {kind} {value!r}")
    if len(found) > 1:
        shown = [ids.show("prf", profile) for profile in found]
        raise Conflict(
            f"several profiles have the {kind} {value!r}: choose one of {', '.join(shown)}",
            code="ambiguous",
            errors=[FieldError("/ref", "candidate", profile) for profile in shown],
        )
    return found[0]
