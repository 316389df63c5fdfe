"""A folder of definitions: one folder a kind, one YAML file a definition."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct

from kizuna.core import strict_yaml
from kizuna.core.errors import FieldError, Invalid, Unprocessable
from kizuna.definitions.difference import same
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, all_kinds, by_folder
from kizuna.definitions.naming import DRAFT, SUFFIX, file_names, read_name

MOST_FILES = 5_000


class Written(Struct, frozen=True):
    """What an export did; paths are relative to the folder."""

    written: list[str]
    unchanged: int
    strange: list[str]  # files of definitions that the workspace does not have


def read(folder: Path) -> list[Document]:
    """All documents; raises `Unprocessable` with every file that cannot be read. Other files are let be."""
    if not folder.is_dir():
        raise Invalid(f"{folder} is no folder", code="no_folder")
    errors: list[FieldError] = []
    found: list[Document] = []
    for path in _files(folder, errors):
        kind = by_folder()[path.parent.name]
        try:
            found.append(_document(path, kind))
        except Invalid as error:
            errors.append(FieldError(_place(path), error.code, str(error)))
    if errors:
        raise Unprocessable("nothing was changed: files cannot be read", code="invalid_definitions", errors=errors)
    return found


def write(folder: Path, documents: Iterable[Document]) -> Written:
    """Files as `read` takes them. One that says the same already stays as it is, with its comments."""
    listed = list(documents)
    before = _readable(folder) if folder.is_dir() else {}
    written: list[str] = []
    kept: set[Path] = set()
    for path, document, body in _laid_out(folder, listed):
        old = before.get((document.kind, document.name, document.is_draft))
        if old is not None and same(old[1], document.body):
            kept.add(old[0])
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name[:200]}.new")
        unfinished.write_text(strict_yaml.encode(body), newline="\n", encoding="utf-8")
        unfinished.replace(path)
        kept.add(path)
        written.append(_place(path))
        if old is not None and old[0] != path and not (path.exists() and old[0].samefile(path)):
            old[0].unlink()  # the same definition under another file name
    strange = [_place(path) for path in _files(folder, []) if path not in kept]
    return Written(written, len(listed) - len(written), strange)


def _laid_out(folder: Path, documents: list[Document]) -> list[tuple[Path, Document, dict[str, Any]]]:
    """Where each goes, and what its file says."""
    found: list[tuple[Path, Document, dict[str, Any]]] = []
    for kind in all_kinds().values():
        own = [each for each in documents if each.kind == kind.name]
        names = file_names({each.name for each in own})
        for each in own:
            stem, says_name = names[each.name]
            body = each.body if says_name else {"name": each.name, **each.body}
            path = folder / kind.folder / f"{stem}{DRAFT if each.is_draft else ''}{SUFFIX}"
            found.append((path, each, body))
    return found


def _files(folder: Path, errors: list[FieldError]) -> list[Path]:
    """YAML files of known kinds, in order; others are noted."""
    found: list[Path] = []
    known = by_folder()
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            inside = [each for each in sorted(path.iterdir()) if each.is_file() and read_name(each.name)]
            if path.name in known:
                found += inside
            elif inside:
                errors.append(FieldError(path.name, "unknown_kind", f"no kind has this folder: {', '.join(known)}"))
        elif read_name(path.name):
            errors.append(FieldError(path.name, "misplaced", f"put it into one of {', '.join(known)}"))
    if len(found) > MOST_FILES:
        raise Invalid(f"more than {MOST_FILES} files", code="too_large")
    return found


def _document(path: Path, kind: Kind) -> Document:
    named = read_name(path.name)
    assert named  # noqa: S101  # `_files` took no other
    name, is_draft = named
    with path.open("rb") as file:
        raw = file.read(strict_yaml.MAX_BYTES + 1)
    body: Any = strict_yaml.decode(raw)
    if not isinstance(body, dict):
        raise Invalid("a definition is an object: lines such as `title: VIP`", code="not_an_object")
    if is_draft and not kind.has_drafts:
        raise Invalid(f"a {kind.name} has no drafts", code="no_drafts")
    if "name" in body:
        said = body.pop("name")
        if not isinstance(said, str):
            raise Invalid("`name` is a text", code="invalid_name")
        name = said
    return Document(kind.name, name, body, f"{_place(path)}#", is_draft, path.parent)


def _readable(folder: Path) -> dict[tuple[str, str, bool], tuple[Path, dict[str, Any]]]:
    """What files that can be read say now."""
    found: dict[tuple[str, str, bool], tuple[Path, dict[str, Any]]] = {}
    for path in _files(folder, []):
        try:
            document = _document(path, by_folder()[path.parent.name])
        except Invalid:
            continue
        found[document.kind, document.name, document.is_draft] = (path, document.body)
    return found


def _place(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
