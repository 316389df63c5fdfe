"""Writes the folder: one file a page, an index, and nothing else of an earlier time."""

from __future__ import annotations

import importlib
import pkgutil
from argparse import ArgumentParser
from pathlib import Path

from kizuna.reference import pages
from kizuna.reference.page import Page, code, table

MARK = "<!-- Written by `kizuna reference` from the code; edit the code instead. -->"
INDEX = "README.md"
BESIDE = (
    ("HTTP API", "`/api/openapi.json` of a running Kizuna (OpenAPI 3.1)"),
    ("Decisions", "[why it is as it is](../decisions/README.md)"),
    (
        "Guides",
        "how to do things: [getting started](../guides/getting-started.md), [operating](../guides/operating.md)",
    ),
    ("Database", "the numbered files in [`runtime/migrations`](../../src/kizuna/runtime/migrations)"),
)


def files(parser: ArgumentParser) -> dict[str, str]:
    """Each file's text by its name; the same code gives the same texts."""
    found = {name: _page(name, parser) for name in sorted(each.name for each in pkgutil.iter_modules(pages.__path__))}
    index = table(
        ("page", "what stands there"),
        [(f"[{page.title}]({name}.md)", page.about) for name, page in found.items()],
    )
    beside = table(("beside it", "where"), BESIDE)
    intro = (
        "What Kizuna takes, answers and says, by name. Every page is written from the code by "
        f"{code('kizuna reference --to docs/reference')}, and a test fails where they differ."
    )
    texts = {f"{name}.md": page.text(MARK) for name, page in found.items()}
    return {INDEX: f"# Reference\n\n{MARK}\n\n{intro}\n\n{index}\n\n{beside}\n", **texts}


def write(folder: Path, parser: ArgumentParser) -> int:
    """Writes them all, and takes away pages that are no more; how many stand there now."""
    texts = files(parser)
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        if path.name not in texts and MARK in path.read_text("utf-8"):
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    return len(texts)


def _page(name: str, parser: ArgumentParser) -> Page:
    """`commands` alone is told of by the command line, which knows us and not the other way round."""
    made = importlib.import_module(f"{pages.__name__}.{name}").page
    return made(parser) if name == "commands" else made()
