"""Fonts to embed: TrueType files of the machine, and the one that comes with the PDF library for Latin text.

Nothing is printed with a font that is not embedded: a printing house would print it with another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from msgspec import Struct
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

FOLDERS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "~/.fonts", "~/.local/share/fonts",
)  # fmt: skip
LATIN = ("LiberationSans-Regular.ttf", "DejaVuSans.ttf")
JAPANESE = (
    "NotoSansJP-Regular.ttf", "BIZUDGothic-Regular.ttf", "ipaexg.ttf", "ipag.ttf", "TakaoGothic.ttf",
    "VL-Gothic-Regular.ttf", "DroidSansFallbackFull.ttf",
)  # fmt: skip
BUNDLED = "Vera.ttf"
ADVICE = "install a TrueType font that has them (Debian: apt install fonts-ipaexfont-gothic) and restart"


class Face(Struct, frozen=True):
    """A font that documents may embed, by the name under which it is registered."""

    name: str
    glyphs: frozenset[int]


class Run(Struct, frozen=True):
    """Signs that follow each other in one font."""

    text: str
    font: str


@cache
def faces() -> tuple[Face, ...]:
    """Latin before Japanese: the first that has a sign writes it. Looked for once."""
    there = {path.name: path for folder in FOLDERS for path in _files(Path(folder).expanduser())}
    found = [next((face for name in names if (face := _load(there.get(name)))), None) for names in (LATIN, JAPANESE)]
    return (*(face for face in found if face), _register(BUNDLED, BUNDLED))


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.rglob("*.ttf")) if folder.is_dir() else ()


def _load(path: Path | None) -> Face | None:
    try:
        return _register(path.name, str(path)) if path else None
    except (TTFError, OSError):  # a file of that name that is no such font, or may not be embedded
        return None


def _register(name: str, file: str) -> Face:
    font: Any = TTFont(name, file)
    pdfmetrics.registerFont(font)
    return Face(name, frozenset(font.face.charToGlyph))


def missing(text: str, among: Sequence[Face] | None = None) -> str:
    """The signs that no font has, each once."""
    known = faces() if among is None else among
    return "".join(
        dict.fromkeys(
            each for each in text if not each.isspace() and not any(ord(each) in face.glyphs for face in known)
        )
    )


def runs(text: str) -> list[Run]:
    """The text in pieces of one font each; a sign that no font has is written by the first, as an empty box."""
    return [Run("".join(signs), font) for font, signs in groupby(text, _font_of)]


@cache
def _font_of(sign: str) -> str:
    return next((face.name for face in faces() if ord(sign) in face.glyphs), faces()[0].name)


@cache
def _advance(sign: str) -> float:
    """At the size 1."""
    return pdfmetrics.stringWidth(sign, _font_of(sign), 1)


def width(text: str, size: float) -> float:
    """In points."""
    return size * sum(map(_advance, text))
