"""The text part of a mail, from its HTML: links keep their address, blocks their lines. Linear in any input.

Most of a mail stands in every mail of its template: what its runs of tags do to the text is found out once.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from kizuna.templates.markup import OPEN, TEXT, piece_at, whole_tag
from kizuna.templates.text_writer import Deed, Writer, closing, hides, opening

# where a run of tags ends: before something shown, and before what names an address, which differs from mail to mail
_END = re.compile(r">[ \t\r\n\f]*+(?=[^ \t\r\n\f<]|<(?:a|img)\s)")
_LONGEST_KNOWN, _MOST_KNOWN = 2_000, 2_000  # characters, runs of tags


def text_of(source: str) -> str:
    """The text of an HTML mail."""
    writer = Writer()
    place = 0
    while place < len(source):
        if source[place] == "<":
            found = _END.search(source, place)
            end = found.start() + 1 if found else len(source)
            tags = source[place:end]
            run = _known.get(tags) or _run(tags)
            if run is None or writer.silent or run.hides:
                place = _piece_by_piece(writer, source, place, end)
                continue
            for deed in run.deeds:
                deed(writer)
            place = end
        end = source.find("<", place)
        writer.write(source[place:end] if end >= 0 else source[place:])
        place = end if end >= 0 else len(source)
    return writer.whole()


def _piece_by_piece(writer: Writer, source: str, place: int, end: int) -> int:
    """From one place to another, or to the end of the piece that lies over it."""
    while place < end:
        if source[place] != "<":
            begin, place = place, source.find("<", place, end)
            place = place if place >= 0 else end
            writer.write(source[begin:place])
            continue
        piece, place = piece_at(source, place)
        if piece is not None and piece.kind == TEXT:
            writer.write(piece.rest)
        elif piece is not None:
            writer.tag(piece)
    return place


class _Run(NamedTuple):
    """Tags with nothing but blanks between them."""

    deeds: list[Deed]  # where text is shown
    hides: bool  # text is not shown somewhere within it


_known: dict[str, _Run] = {}


def _run(source: str) -> _Run | None:
    """None: where its tags end cannot be told from these characters alone."""
    deeds: list[Deed] = []
    is_hiding = False
    for part in source[1:].split("<"):
        inner, end, blank = part.partition(">")
        tag = whole_tag(inner) if end else None
        if tag is None:
            return None
        is_open = tag.kind == OPEN
        is_hiding = is_hiding or (is_open and hides(tag.name, tag.rest))
        for deed in (opening(tag.name, tag.rest) if is_open else closing(tag.name), Writer.blank if blank else None):
            if deed is not None:
                _add(deeds, deed)
    run = _Run(deeds, is_hiding)
    if len(source) <= _LONGEST_KNOWN:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[source] = run
    return run


_NOTHING_AT_BEGIN = (Writer.blank, Writer.begin_cell)
_NOTHING_BEFORE_END = (*_NOTHING_AT_BEGIN, Writer.end_cell, Writer.end_line)


def _add(deeds: list[Deed], deed: Deed) -> None:
    """What leaves no trace beside its neighbour is left out."""
    if deeds and deeds[-1] in (Writer.end_line, Writer.end_paragraph) and deed in (*_NOTHING_AT_BEGIN, Writer.end_line):
        return
    if deed in (Writer.end_line, Writer.end_paragraph):
        while deeds and deeds[-1] in _NOTHING_BEFORE_END:
            deeds.pop()
        if deeds and deeds[-1] == Writer.end_paragraph:
            return
    deeds.append(deed)
