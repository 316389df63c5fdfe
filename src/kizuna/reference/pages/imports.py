"""Formats of imports."""

from __future__ import annotations

import importlib
import pkgutil

from kizuna.imports import formats
from kizuna.reference.page import Page, code, said, table


def page() -> Page:
    modules = [
        importlib.import_module(f"{formats.__name__}.{each.name}") for each in pkgutil.iter_modules(formats.__path__)
    ]
    rows = [(code(module.__name__.rpartition(".")[2]), said(module)) for module in modules]
    about = f"Files that `kizuna import` and `POST /api/v1/imports` read; a record is at most {formats.LONGEST} bytes."
    return Page("Formats of imports", about, table(("format", "what is read"), rows))
