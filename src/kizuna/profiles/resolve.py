"""Which profiles many refs mean, by a few questions instead of one each; see `find` for what a ref is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.core import ids
from kizuna.core.errors import Invalid
from kizuna.profiles import store


class Resolved(Struct, frozen=True):
    """The living profile of each ref that means one; the others in the order given."""

    profiles: dict[str, bytes]
    unknown: list[str]
    ambiguous: list[str]


async def resolve(conn: AsyncConnection[Any], workspace: int, refs: Sequence[str]) -> Resolved:
    named = {ref: profile for ref in refs if (profile := _named(workspace, ref))}
    living = await store.survivors(conn, workspace, sorted(set(named.values())))
    candidates: dict[str, list[bytes]] = {ref: [living[asked]] for ref, asked in named.items() if asked in living}
    for kind in ("email", "phone"):
        values = {ref: ref.partition(":")[2] for ref in refs if ref.startswith(f"{kind}:") and ref not in named}
        found = await store.by_traits(conn, workspace, kind, sorted(set(values.values())))
        candidates |= {ref: found[value] for ref, value in values.items() if value in found}
    return Resolved(
        {ref: found[0] for ref, found in candidates.items() if len(found) == 1},
        [ref for ref in dict.fromkeys(refs) if ref not in candidates],
        [ref for ref in dict.fromkeys(refs) if len(candidates.get(ref, ())) > 1],
    )


def _named(workspace: int, ref: str) -> bytes | None:
    """The id that a ref spells out; None for a look-up, and for what is no ref."""
    kind, separator, value = ref.partition(":")
    if separator and kind in ("user", "anon") and value:
        return ids.profile_id(workspace, kind, value)
    if not ref.startswith("prf_"):
        return None
    try:
        return ids.read("prf", ref)
    except Invalid:
        return None
