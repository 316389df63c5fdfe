"""What rules in a workspace, as files would say it, and how wanted documents differ from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Literal

import msgspec
from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.definitions import store
from kizuna.definitions.difference import Change, differences, same
from kizuna.definitions.document import Document, ordered
from kizuna.definitions.kinds import all_kinds
from kizuna.definitions.store import Key, Ruling

Action = Literal["created", "changed", "removed", "unchanged"]
STOPPED = "stopped"  # a journey that has ended: a file that names it starts it anew


class Standing(Struct, frozen=True):
    """Of the kinds that are kept as files."""

    ruling: Mapping[Key, Ruling]
    drafts: Mapping[Key, dict[str, Any]]  # those that differ from what rules
    mark: str  # another one when anything of it changes


class Entry(Struct, frozen=True):
    """What would become of one definition."""

    kind: str
    name: str
    action: Action
    is_draft: bool = False
    changes: list[Change] = []
    version: int | None = None  # that rules now


async def standing(conn: AsyncConnection[Any], workspace: int) -> Standing:
    kinds = all_kinds()
    everything = {key: each for key, each in (await store.ruling(conn, workspace)).items() if key[0] in kinds}
    ruling = {key: each for key, each in everything.items() if each.status != STOPPED}
    drafts = {
        key: body
        for key, body in (await store.drafts(conn, workspace)).items()
        if key[0] in kinds and not (key in everything and same(_plain(key, everything[key].body), _plain(key, body)))
    }
    seen = [[*key, each.version, each.status] for key, each in sorted(everything.items())]
    said = msgspec.json.encode([seen, sorted(drafts.items())], order="sorted")
    return Standing(ruling, drafts, blake2b(said, digest_size=16).hexdigest())


def documents(found: Standing) -> list[Document]:
    """All of it, as files say it."""
    kinds = all_kinds()
    ruling = [
        Document(kind, name, ordered(kinds[kind].written(name, each.body)))
        for (kind, name), each in found.ruling.items()
    ]
    drafts = [
        Document(kind, name, ordered(kinds[kind].written(name, body)), is_draft=True)
        for (kind, name), body in found.drafts.items()
    ]
    return sorted([*ruling, *drafts], key=lambda each: (all_kinds()[each.kind].rank, each.name, each.is_draft))


def normal(document: Document) -> Document:
    """As it would be stored."""
    body = all_kinds()[document.kind].normal(document.name, document.body)
    return msgspec.structs.replace(document, body=body)


Beside = Mapping[Key, Sequence[Change]]  # how what a definition's files hold differs, beside its body


def entries(found: Standing, wanted: Iterable[Document], beside: Beside | None = None) -> list[Entry]:
    """Every wanted definition and every one that no document names; drafts that none names are left alone."""
    listed: list[Entry] = []
    named: set[Key] = set()
    for document in wanted:
        key = (document.kind, document.name)
        ruling = found.ruling.get(key)
        version = ruling.version if ruling else None
        if document.is_draft:
            before = found.drafts.get(key)
        else:
            named.add(key)
            before = ruling.body if ruling else None
        if before is None:
            listed.append(Entry(*key, "created", document.is_draft, version=version))
            continue
        changes = list(differences(_plain(key, before), _plain(key, document.body)))
        changes += (beside or {}).get(key, ())
        action: Action = "changed" if changes else "unchanged"
        listed.append(Entry(*key, action, document.is_draft, [_open(each) for each in changes], version))
    removed = [Entry(*key, "removed", version=each.version) for key, each in found.ruling.items() if key not in named]
    kinds = all_kinds()
    return sorted([*listed, *removed], key=lambda each: (kinds[each.kind].rank, each.name, each.is_draft))


def _plain(key: Key, body: dict[str, Any]) -> dict[str, Any]:
    kind = all_kinds()[key[0]]
    return kind.normal(key[1], kind.written(key[1], body))


def _open(change: Change) -> Change:
    return Change(change.path, ordered(change.was), ordered(change.becomes))
