"""Commands of the command line."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser
from collections.abc import Iterator

from kizuna.reference.page import Page, code, table


def page(parser: ArgumentParser) -> Page:
    sections = [_section(name, each) for name, each in _commands(parser, "kizuna") if each.description]
    about = "What a person types. Every command takes `--data DIR`, the data folder (`KIZUNA_DATA`, `./kizuna-data`)."
    return Page("Commands", about, "\n\n".join(sections))


def _commands(parser: ArgumentParser, name: str) -> Iterator[tuple[str, ArgumentParser]]:
    groups = [each for each in parser._actions if isinstance(each.choices, dict)]
    if not groups:
        yield name, parser
    for group in groups:
        for word, inner in dict(group.choices or {}).items():
            yield from _commands(inner, f"{name} {word}")


def _section(name: str, parser: ArgumentParser) -> str:
    rows = [
        (code(_written(each)), "yes" if each.required else "", each.help or ", ".join(map(code, each.choices or ())))
        for each in parser._actions
        if each.dest not in ("help", "data") and each.help != argparse.SUPPRESS
    ]
    said = parser.description or ""
    about = f"{said[:1].upper()}{said[1:]}."
    return f"## {code(name)}\n\n{about}\n\n{table(('argument', 'required', 'meaning'), rows)}".strip()


def _written(action: argparse.Action) -> str:
    shown = action.metavar or action.dest.upper()
    if not action.option_strings:
        return str(action.metavar or action.dest)
    return action.option_strings[-1] if action.nargs == 0 else f"{action.option_strings[-1]} {shown}"
