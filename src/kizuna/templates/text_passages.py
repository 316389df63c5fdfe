"""The text part of a mail from the passages of its template: what each does to the text is found out once.

A passage is what a template writes in one go: literals, the same in every mail, and values. What it does depends on the
place where it stands: what is open there, and the beginning of a tag that is not whole yet. A value changes words and
addresses, never what is open; where one might, the whole mail is read (`text_of`), which finds the same text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import count
from operator import itemgetter
from typing import Any, NamedTuple

from kizuna.templates.markup import OPEN, TEXT, Piece, attribute, whole_tag
from kizuna.templates.text_writer import State, Writer, words
from kizuna.templates.typeset import tidied, typeset

MOST_WAYS = 500  # of one template: a mail of 13 kB has fifty
LONGEST_TAG = 4_000  # characters
HOLE = "\ufdd0"  # stands around the number of a value; no character of any text
_HOLES = re.compile(f"{HOLE}([0-9]+){HOLE}")
_OPEN_ENTITY = re.compile(r"&#?[a-zA-Z0-9]*\Z")  # what follows might be part of it
_HOLE_IN_ENTITY = re.compile(rf"&#?[a-zA-Z0-9]*{HOLE}")
_QUOTED = re.compile(r"=\s*(?:\"[^\"]*\"|'[^']*')")
_BEFORE_EQUALS = re.compile(rf"{HOLE}\s*=")
_COMMENT_END = re.compile(r"--!?>")


class Tangled(Exception):
    """What a value does cannot be told apart from what stands around it."""


class Passage:
    """Equal only to itself."""

    def __init__(self, parts: Sequence[str | None]) -> None:
        self.parts = parts  # None: a value


Passages = list[tuple[Passage, tuple[str, ...]]]  # each with its values


class Place:
    def __init__(self, state: State, unfinished: str) -> None:
        self.state, self.unfinished = state, unfinished
        self.ways: dict[Passage, Way] = {}


Pick = Callable[[Sequence[str]], Any]
Form = tuple[str, Pick | None]  # a text with %s for values, and which they are; None: the text alone


class Way(NamedTuple):
    """What one passage does at one place. Its values are numbered behind those of a tag that began before."""

    then: Place
    script: str
    pick: Pick | None
    addresses: list[Form]
    quoted: frozenset[int]  # values that stand in tags
    bare: tuple[int, ...]  # those of them that are shown: blanks at their ends would not be
    kept: tuple[int, ...]  # those of them in a tag that is not whole yet


class Steps:
    """All that is known of one template. Safe for several threads: they may find out the same twice."""

    def __init__(self) -> None:
        self._places: dict[tuple[State, str], Place] = {}
        self._left = MOST_WAYS
        self.start = self._place(State(), "")

    def text(self, passages: Passages) -> str | None:
        """The text of what these make together; None: it is to be read as a whole."""
        place, kept = self.start, tuple[str, ...]()
        script, addresses = list[str](), list[str]()
        try:
            for passage, values in passages:
                way = place.ways.get(passage) or self._learn(place, passage)
                place, said, pick, links, quoted, bare, keep = way
                if kept:
                    values = *kept, *values
                if values:
                    shown = _shown(values, quoted)
                    for each in bare:
                        if shown[each][:1] == " " or shown[each][-1:] == " ":
                            raise Tangled
                    if pick is not None:
                        said = said % pick(shown)
                    for address, of in links:
                        addresses.append(address if of is None else (address % of(shown)).strip())
                    kept = tuple([values[each] for each in keep]) if keep else ()
                else:
                    addresses += [address for address, _ in links]
                script.append(said)
        except Tangled:
            return None
        return None if place.unfinished else typeset("".join(script), addresses)

    def _learn(self, place: Place, passage: Passage) -> Way:
        numbers = count(place.unfinished.count(HOLE) // 2)
        if any(HOLE in part for part in passage.parts if part):
            raise Tangled
        source = place.unfinished + "".join([hole(next(numbers)) if part is None else part for part in passage.parts])
        if _HOLE_IN_ENTITY.search(source) or (passage.parts[-1] is not None and _OPEN_ENTITY.search(source)):
            raise Tangled
        writer, quoted, at = Writer(place.state), set[int](), 0
        while at < len(source):
            found, end = _whole(source, at)
            if not end:
                break
            if found is not None:
                quoted |= _holes_in_quotes(found)
                writer.take(found)
            at = end
        unfinished = source[at:]
        kept = tuple([int(each) for each in _HOLES.findall(unfinished)])
        again = count()
        then = self._place(writer.state, _HOLES.sub(lambda _: hole(next(again)), unfinished))
        script = tidied("".join(writer.script))
        bare = tuple([int(each) for each in _HOLES.findall(script) if int(each) in quoted])
        addresses = [_form(each) for each in writer.addresses]
        self._count()
        way = Way(then, *_form(script), addresses, frozenset(quoted | {*kept}), bare, kept)
        place.ways[passage] = way
        return way

    def _place(self, state: State, unfinished: str) -> Place:
        key = state, unfinished
        if key not in self._places:
            self._count()
            self._places[key] = Place(state, unfinished)
        return self._places[key]

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Tangled


def hole(number: int) -> str:
    return f"{HOLE}{number}{HOLE}"


def _form(text: str) -> Form:
    if HOLE not in text:
        return text, None
    parts = _HOLES.split(text.replace("%", "%%"))
    return "%s".join(parts[::2]), itemgetter(*map(int, parts[1::2]))


# values --------------------------------------------------------------------------------------------------------------

_SPECIAL = re.compile(r"[<>\"'&=]")
_ENDS_QUOTES = re.compile(r"[<>\"']|\A[a-z]+\s*=|\s[a-z]+\s*=", re.IGNORECASE)  # or is read as another attribute


def _shown(values: Sequence[str], quoted: frozenset[int]) -> Sequence[str]:
    """Their words. Raises `Tangled` where one might be more than that."""
    together = "".join(values)
    if together.isprintable() and not _SPECIAL.search(together):
        return values
    if "<" in together:
        raise Tangled
    shown: list[str] = []
    for number, value in enumerate(values):
        if value.isprintable() and not _SPECIAL.search(value):
            shown.append(value)
        elif value.rfind("&") > value.rfind(";") or (number in quoted and _leaves_quotes(value)):
            raise Tangled
        else:
            shown.append(words(value))
    return shown


def _leaves_quotes(value: str) -> bool:
    return not value.isprintable() or bool(_ENDS_QUOTES.search(value))


# literals ------------------------------------------------------------------------------------------------------------


def _holes_in_quotes(piece: Piece) -> set[int]:
    """Numbers of the values in a tag; raises `Tangled` where one decides what the tag is, or whether it hides."""
    if piece.kind == TEXT or HOLE not in piece.name + piece.rest:
        return set()
    if piece.kind != OPEN or HOLE in piece.name + _QUOTED.sub("", piece.rest) + attribute(piece.rest, "style"):
        raise Tangled
    if _BEFORE_EQUALS.search(piece.rest):
        raise Tangled
    return {int(each) for each in _HOLES.findall(piece.rest)}


def _whole(source: str, at: int) -> tuple[Piece | None, int]:
    """What begins here, and its end, as far as these characters alone tell; None: it is left out. An end of 0: more may
    belong to it."""
    following = source.find("<", at + 1)
    text_end = following if following >= 0 else len(source)
    if source[at] != "<":
        return Piece(TEXT, "", source[at:text_end]), text_end
    if source.startswith("<!--", at):
        found = _COMMENT_END.search(source, at + 2)
        return None, _without_holes(source, at, found.end() if found else 0)
    begin = source[at + 1 : at + 3]
    if begin in ("", "/", "!", "!-"):
        return None, 0
    if HOLE in begin:
        raise Tangled
    end = source.find(">", at) + 1
    if begin[0] in "!?" or (begin[0] == "/" and not begin[1].isalpha()):
        return None, _without_holes(source, at, end)
    if not (begin[0] == "/" or begin[0].isalpha()):
        return Piece(TEXT, "", source[at:text_end]), text_end
    while 0 < end <= at + LONGEST_TAG:
        if tag := whole_tag(source[at + 1 : end - 1]):
            return tag, end
        end = source.find(">", end) + 1
    return None, 0


def _without_holes(source: str, begin: int, end: int) -> int:
    if HOLE in source[begin:end]:
        raise Tangled
    return end
