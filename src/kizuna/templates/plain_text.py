"""The text part of a mail, from its HTML: links keep their address, blocks their lines. Linear in any input.

Most of a mail stands in every mail of its template: what its runs of tags do to the text is found out once.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from kizuna.templates.markup import piece_at, whole_tag
from kizuna.templates.text_writer import State, Writer, words
from kizuna.templates.typeset import tidied, typeset

# where a run of tags ends: before something shown, and before what names an address, which differs from mail to mail
_END = re.compile(r">[ \t\r\n\f]*+(?=[^ \t\r\n\f<]|<(?:a|img)\s)")
_LONGEST_KNOWN, _MOST_KNOWN = 2_000, 2_000  # characters, runs of tags


def text_of(source: str) -> str:
    """The text of an HTML mail."""
    state, script, addresses = State(), list[str](), list[str]()
    at = 0
    while at < len(source):
        if source[at] != "<":
            end = source.find("<", at)
            text = source[at:end] if end >= 0 else source[at:]
            if not state.silent:
                script.append(words(text))
            at += len(text)
            continue
        found = _END.search(source, at)
        tags = source[at : found.start() + 1] if found else source[at:]
        run = _known.get((state, tags)) or _run(state, tags)
        if run is None:
            piece, end = piece_at(source, at)
            writer = Writer(state)
            if piece is not None:
                writer.take(piece)
            run = _Run("".join(writer.script), writer.addresses, writer.state)
            at = end - len(tags)
        script.append(run.script)
        addresses += run.addresses
        state = run.then
        at += len(tags)
    return typeset("".join(script), addresses)


class _Run(NamedTuple):
    """What tags do with nothing but blanks between them."""

    script: str
    addresses: list[str]
    then: State


_known: dict[tuple[State, str], _Run] = {}


def _run(state: State, source: str) -> _Run | None:
    """None: where its tags end cannot be told from these characters alone."""
    writer = Writer(state)
    for part in source[1:].split("<"):
        inner, end, blank = part.partition(">")
        tag = whole_tag(inner) if end else None
        if tag is None:
            return None
        writer.take(tag)
        writer.write(blank)
    run = _Run(tidied("".join(writer.script)), writer.addresses, writer.state)
    if len(source) <= _LONGEST_KNOWN:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[state, source] = run
    return run
