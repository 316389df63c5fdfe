"""Every endpoint, by the part that answers it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Any, get_args

import msgspec
from msgspec import Struct

from kizuna import server
from kizuna.accounts.rights import RIGHTS, right_for
from kizuna.config import Config
from kizuna.reference.page import Page, code, codes, said, table
from kizuna.reference.shape import fields_table, type_text
from kizuna.reference.source import codes as all_codes
from kizuna.runtime.database import Database

PARAMETER = re.compile(r"\{(\w+):\w+\}")


class Endpoint(Struct, frozen=True):
    """One handler: the addresses it answers, and what is to be said of it."""

    part: str
    methods: tuple[str, ...]
    paths: tuple[str, ...]
    handler: Any

    @property
    def title(self) -> str:
        """Its last address, for of several that is the one without a version."""
        return f"{' '.join(self.methods)} {self.paths[0]}"


def page() -> Page:
    found = endpoints()
    sections = [_part(part, list(of_part)) for part, of_part in groupby(found, lambda each: each.part)]
    about = (
        "Every address that Kizuna answers, by the part that does. Reads of a workspace take `after=<position>` and "
        "`wait=5s`; writes take `Idempotency-Key`; lists take `limit` and `cursor` and answer `{items, next_cursor}`. "
        "Refusals are problem documents, see [errors](errors.md)."
    )
    return Page("Endpoints", about, "\n\n".join(sections))


def endpoints() -> list[Endpoint]:
    """All of the route table: those of one handler are one."""
    paths: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    handlers: dict[tuple[str, str, tuple[str, ...]], Any] = {}
    for route in server.create(Config(), Database("", name="nobody's")).routes:
        for handler in getattr(route, "route_handlers", ()):
            methods = tuple(sorted({str(getattr(each, "value", each)) for each in handler.http_methods} - {"OPTIONS"}))
            module = handler.fn.__module__
            if methods and module.startswith("kizuna."):
                key = (module.split(".")[1], f"{module}.{handler.fn.__name__}", methods)
                paths.setdefault(key, []).append(PARAMETER.sub(r"{\1}", route.path))
                handlers[key] = handler
    found = [
        Endpoint(
            part, methods, tuple(sorted(known, key=lambda path: (-len(path), path))), handlers[part, name, methods]
        )
        for (part, name, methods), known in paths.items()
    ]
    return sorted(found, key=lambda each: (each.part, each.paths[0], each.methods))


def _part(part: str, found: list[Endpoint]) -> str:
    own = sorted({each.code for each in all_codes() if each.part == part and each.status})
    refusals = f"Refuses by itself with {codes(own)}.\n\n" if own else ""
    return f"## {part}\n\n{refusals}" + "\n\n".join(_section(each) for each in found)


def _section(endpoint: Endpoint) -> str:
    parts = [f"### `{endpoint.title}`", said(endpoint.handler.fn)]
    if len(endpoint.paths) > 1:
        parts.append(f"Also {codes(endpoint.paths[1:])}.")
    parts += [f"Who: {_who(endpoint)}.", _queries(endpoint), _body(endpoint.handler), _answer(endpoint.handler)]
    return "\n\n".join(part for part in parts if part)


def _who(endpoint: Endpoint) -> str:
    handler, path = endpoint.handler, endpoint.paths[0]
    wanted = handler.parsed_fn_signature.parameters
    if "member" in wanted:
        return "a member who is signed in"
    if "caller" in wanted:
        right = handler.opt.get("right") or right_for(endpoint.methods[0], path)
        roles = [role for role, rights in RIGHTS.items() if right in rights]
        return f"a key or member with the right {code(right)}: {', '.join(roles)}"
    if handler.opt.get("ingest"):
        return "a write key"
    return "whoever holds the address, whose token is secret or signed" if "{" in path else "anyone"


def _queries(endpoint: Endpoint) -> str:
    """Parameters that stand neither in the path nor among the parts handed in."""
    handler = endpoint.handler
    in_path = {name for path in endpoint.paths for name in re.findall(r"\{(\w+)\}", path)}
    given = {*handler.resolve_dependencies(), *in_path, "data", "request"}
    rows = [
        (code(getattr(found.kwarg_definition, "query", None) or name), type_text(found.raw), _usual(found.default))
        for name, found in handler.parsed_fn_signature.parameters.items()
        if name not in given
    ]
    return table(("parameter", "type", "default"), rows)


def _usual(default: Any) -> str:
    if isinstance(default, str | int | float | bool):
        return code(msgspec.json.encode(default).decode())
    return "" if default is None else "required"


def _body(handler: Any) -> str:
    found = handler.parsed_fn_signature.parameters.get("data")
    if found is None:
        return ""
    struct = next((each for each in _inner(found.raw) if isinstance(each, type) and issubclass(each, Struct)), None)
    if struct is None:
        return f"Body: {type_text(found.raw)}."
    return f"Body: {said(struct) or 'an object.'}\n\n{fields_table(struct)}"


def _inner(hint: Any) -> Iterable[Any]:
    yield hint
    for each in get_args(hint):
        yield from _inner(each)


def _answer(handler: Any) -> str:
    returned = handler.parsed_return_field.raw
    inner = get_args(returned)
    shape = type_text(inner[0] if inner and getattr(returned, "__name__", "") == "Response" else returned)
    media = str(getattr(handler.media_type, "value", handler.media_type) or "application/json")
    what = "nothing" if handler.status_code == 204 or shape == "null" else shape
    return f"Answers {code(handler.status_code)}: {what}" + (
        f" as {code(media)}." if media != "application/json" else "."
    )
