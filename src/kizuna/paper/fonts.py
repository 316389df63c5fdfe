"""Fonts to embed: TrueType files of the machine, and the one that comes with the PDF library for Latin text.

Nothing is printed with a font that is not embedded: a printing house would print it with another.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from msgspec import Struct
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from kizuna.paper.wrap import BOLD, PLAIN

FOLDERS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "~/.fonts", "~/.local/share/fonts",
)  # fmt: skip
LATIN = ("LiberationSans-Regular.ttf", "DejaVuSans.ttf")
JAPANESE = (
    "NotoSansJP-Regular.ttf", "BIZUDGothic-Regular.ttf", "ipaexg.ttf", "ipag.ttf", "TakaoGothic.ttf",
    "VL-Gothic-Regular.ttf", "DroidSansFallbackFull.ttf",
)  # fmt: skip
BOLD_LATIN = ("LiberationSans-Bold.ttf", "DejaVuSans-Bold.ttf")
BOLD_JAPANESE = ("NotoSansJP-Bold.ttf", "BIZUDGothic-Bold.ttf")
BUNDLED, BUNDLED_BOLD = "Vera.ttf", "VeraBd.ttf"
VARIABLE = "KIZUNA_FONTS"  # a file or folder that is looked at first; the setting `fonts` comes to us by it
MOST_OWN = 20  # files of it that are loaded
ADVICE = (
    f"name a TrueType font that has them with {VARIABLE}, such as Noto Sans JP, or install one"
    " (Debian: apt install fonts-ipaexfont-gothic), and restart"
)

_MARK = re.compile(f"([{BOLD}{PLAIN}])")


class Face(Struct, frozen=True):
    """A font that documents may embed, by the name under which it is registered."""

    name: str
    glyphs: frozenset[int]


class Run(Struct, frozen=True):
    """Signs that follow each other in one font; where there is no bold one, they are drawn thick."""

    text: str
    font: str
    is_thick: bool = False


@cache
def faces(is_bold: bool = False) -> tuple[Face, ...]:
    """Looked for once."""
    return found(own_files(os.environ.get(VARIABLE, "")), is_bold)


def found(own: Sequence[Path], is_bold: bool) -> tuple[Face, ...]:
    """One's own first, bold ones by their names, then Latin before Japanese: the first that has a sign writes it."""
    there = _there()
    kinds = (BOLD_LATIN, BOLD_JAPANESE) if is_bold else (LATIN, JAPANESE)
    made = [_load(path) for path in own if ("bold" in path.name.lower()) == is_bold]
    made += [next((face for name in names if (face := _load(there.get(name)))), None) for names in kinds]
    bundled = BUNDLED_BOLD if is_bold else BUNDLED
    return (*(face for face in made if face), _register(bundled, bundled))


@cache
def _there() -> dict[str, Path]:
    return {path.name: path for folder in FOLDERS for path in _files(Path(folder).expanduser())}


def own_files(place: str) -> list[Path]:
    """The fonts of a folder, or the one that is named."""
    return list(islice(_files(Path(place).expanduser()), MOST_OWN)) if place else []


def _files(place: Path) -> Iterator[Path]:
    yield from sorted(place.rglob("*.ttf")) if place.is_dir() else [place] if place.is_file() else ()


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
    """A line in pieces of one font each; a sign that no font has is written by the first, as an empty box."""
    made: list[Run] = []
    for is_bold, piece in pieces(text):
        for (font, is_thick), signs in groupby(piece, lambda sign, bold=is_bold: _font_of(sign, bold)):
            made.append(Run("".join(signs), font, is_thick))
    return made


def pieces(text: str) -> Iterator[tuple[bool, str]]:
    """(is_bold, text) of a line, without its marks."""
    is_bold = False
    for piece in _MARK.split(text):
        if piece in (BOLD, PLAIN):
            is_bold = piece == BOLD
        elif piece:
            yield is_bold, piece


@cache
def _font_of(sign: str, is_bold: bool) -> tuple[str, bool]:
    """The font, and whether it is to be drawn thick because it is not bold itself."""
    if is_bold and (found := _has(sign, faces(is_bold=True))):
        return found.name, False
    return (_has(sign, faces()) or faces()[0]).name, is_bold


def _has(sign: str, among: Sequence[Face]) -> Face | None:
    return next((face for face in among if ord(sign) in face.glyphs), None)


@cache
def _advance(sign: str, is_bold: bool) -> float:
    """At the size 1."""
    return pdfmetrics.stringWidth(sign, _font_of(sign, is_bold)[0], 1)


def width(text: str, size: float) -> float:
    """Of a line, in points."""
    return size * sum(_advance(sign, is_bold) for is_bold, piece in pieces(text) for sign in piece)
