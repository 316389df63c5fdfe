"""What the code says of itself where no object holds it: codes of errors, names of facts and measures."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from msgspec import Struct

import kizuna
from kizuna.core import errors
from kizuna.core.errors import KizunaError
from kizuna.edge.problem import status_of
from kizuna.engine.fact import Fact

ROOT = Path(kizuna.__file__).parent
NOT_THE_PRODUCT = ("testing", "bench", "reference")


class Code(Struct, frozen=True, order=True):
    """A code as one place of the code says it; `message` with `…` for what is put in."""

    code: str
    status: int  # of the answer; 0: of a field, or of an item that was refused
    part: str  # the slice that says it
    message: str


class Measure(Struct, frozen=True, order=True):
    """One figure of `/metrics`."""

    name: str
    about: str


@cache
def codes() -> list[Code]:
    """Every code that is said anywhere, in order, each once a slice and status."""
    found: dict[tuple[str, int, str], Code] = {}
    for part, _, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                for each in _codes_in(node, part):
                    before = found.get((each.code, each.status, each.part))
                    if before is None or (not before.message and each.message):
                        found[each.code, each.status, each.part] = each
    return sorted(found.values())


def measures() -> list[Measure]:
    """Wherever one is made: a name that begins with `kizuna_`, and its meaning beside it."""
    return sorted({
        Measure(name, about)
        for _, _, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and len(node.args) > 1
        if (name := _text(node.args[0])).startswith("kizuna_") and (about := _text(node.args[1]))
    })  # fmt: skip


def declared_facts() -> list[Fact]:
    """Those of every `facts.py`, by slice and in its order."""
    modules = (importlib.import_module(f"kizuna.{path.parent.name}.facts") for path in sorted(ROOT.glob("*/facts.py")))
    return [fact for module in modules for fact in module.FACTS]


def said_facts() -> dict[str, str]:
    """Names (with `…` for what is put in) that the code says on a timeline, each with a place where it does."""
    found: dict[str, str] = {}
    for _, path, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                found |= dict.fromkeys(_facts_in(node), f"{path}:{node.lineno}")
    return found


SAYS = {  # by function: the place of the name among what it is given, and what stands before it
    "emit": (0, ""), "record": (1, ""), "Item": (3, ""), "of_customer": (1, "message_"), "of_sender": (2, "message_"),
}  # fmt: skip


def _facts_in(call: ast.Call) -> list[str]:
    place, prefix = SAYS.get(_called(call), (99, ""))
    named = [word.value for word in call.keywords if word.arg == "name" and _called(call) == "Item"]
    said = [name for node in [*call.args[place : place + 1], *named] for name in _texts(node)]
    return [f"{prefix}{name}" for name in said if prefix or "_" in name]


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _codes_in(call: ast.Call, part: str) -> Iterator[Code]:
    name = _called(call)
    given = {word.arg: word.value for word in call.keywords if word.arg}
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, KizunaError):
        said = _texts(given["code"]) if "code" in given else [kind.code]
        for code in said:
            yield Code(code, status_of(_made(kind, code)), part, _text(call.args[0]) if call.args else "")
    elif name in ("problem", "_refuse", "_refusal") and len(call.args) >= 3 and isinstance(call.args[-3], ast.Constant):
        status = call.args[-3].value
        code, message = _text(call.args[-2]), _text(call.args[-1])
        if code and isinstance(status, int) and status >= 400:
            yield Code(code, status, part, message)
    elif name in ("FieldError", "note", "refuse") and len(call.args) >= 3:
        for code in _texts(call.args[1]):
            if code.replace("_", "").isalnum() and code.islower():
                yield Code(code, 0, part, _text(call.args[2]))


def _made(kind: type[KizunaError], code: str) -> KizunaError:
    error = kind.__new__(kind)
    error.code = code
    return error


@cache
def _trees() -> list[tuple[str, str, ast.Module]]:
    """Slice, path and syntax of every file."""
    paths = [path.relative_to(ROOT) for path in sorted(ROOT.rglob("*.py"))]
    shown = [path for path in paths if path.parts[0] not in NOT_THE_PRODUCT]
    return [
        (path.parts[0].removesuffix(".py"), path.as_posix(), ast.parse((ROOT / path).read_text("utf-8")))
        for path in shown
    ]


def _text(node: ast.expr) -> str:
    """Of a text, or of one with values in it, which are `…`; empty for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(each) or "…" for each in node.values)
    return ""


def _texts(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body), *_texts(node.orelse)]
    return [found] if (found := _text(node)) else []
