"""HTTP of definitions as code; the commands do the same from files."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, post
from msgspec import Struct

from kizuna.accounts.caller import Caller
from kizuna.config import Config
from kizuna.core import exact_json
from kizuna.core.errors import FieldError, Unprocessable
from kizuna.definitions import apply as applying
from kizuna.definitions import plan as planning
from kizuna.definitions.document import Document
from kizuna.definitions.export import export
from kizuna.definitions.kinds import all_kinds
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake


class Said(Struct, forbid_unknown_fields=True):
    """One definition of a request."""

    kind: str
    name: str
    body: dict[str, Any]
    draft: bool = False


class Wanted(Struct, forbid_unknown_fields=True):
    definitions: list[Said]
    mark: str = ""  # of the plan that was looked at


@get("/api/v1/definitions")
async def get_definitions(caller: Caller, database: Database) -> dict[str, Any]:
    """Everything that can be kept as code, without secrets."""
    return {"definitions": _exact([_shown(each) for each in await export(database, caller.workspace)])}


@post("/api/v1/plan", status_code=200, right="read")
async def plan(data: Wanted, caller: Caller, database: Database, lake: Lake, config: Config) -> dict[str, Any]:
    """What applying these definitions would change, and whom it would move."""
    documents = _documents(data)
    made = planning.show(await planning.plan(database, lake, caller.workspace, documents, config.secret))
    return {**made, "changes": _exact(made["changes"])}


@post("/api/v1/apply", status_code=200)
async def apply(data: Wanted, caller: Caller, database: Database, config: Config) -> Response[dict[str, Any]]:
    """Publish what differs and remove what is not named. Refused whole, with every error, or done."""
    done = await applying.apply(database, caller.workspace, _documents(data), config.secret, data.mark)
    shown = [
        {"kind": each.kind, "name": each.name, "action": each.action, "draft": each.is_draft} for each in done.entries
    ]
    return Response({"applied": shown}, headers={"Kizuna-Position": str(done.position)})


def _documents(data: Wanted) -> list[Document]:
    """Errors of each are said under its `body`."""
    kinds = all_kinds()
    errors = [
        FieldError(f"/definitions/{index}/kind", "unknown_kind", f"one of {', '.join(kinds)}")
        for index, each in enumerate(data.definitions)
        if each.kind not in kinds
    ]
    errors += [
        FieldError(f"/definitions/{index}/draft", "no_drafts", f"a {each.kind} is published at once")
        for index, each in enumerate(data.definitions)
        if each.draft and each.kind in kinds and not kinds[each.kind].has_drafts
    ]
    if errors:
        raise Unprocessable("nothing was changed: unknown kinds", code="invalid_definitions", errors=errors)
    return [
        Document(each.kind, each.name, each.body, f"/definitions/{index}/body", each.draft)
        for index, each in enumerate(data.definitions)
    ]


def _shown(document: Document) -> dict[str, Any]:
    said: dict[str, Any] = {"kind": document.kind, "name": document.name, "body": document.body}
    return {**said, "draft": True} if document.is_draft else said


def _exact(value: Any) -> msgspec.Raw:
    """Fractions stay numbers, as they were published."""
    return msgspec.Raw(exact_json.encode(value))


ROUTES = [get_definitions, plan, apply]
