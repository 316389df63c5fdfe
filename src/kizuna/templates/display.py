"""How a message in a page is shown: the member `display` of its template, by channel, with what goes without saying."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kizuna.core.errors import FieldError, Invalid
from kizuna.segments.parse import parse_props

NOW = "now"
LAYOUTS = ("modal", "slide_up", "full")
POSITIONS = ("top", "bottom", "top_left", "top_right", "bottom_left", "bottom_right")
LONGEST_DELAY = 3_600  # seconds
MOST_PRIORITY = 100
LONGEST_TEXT = 200
# what the browser's half of a rule knows: dates need the customer's zone, `matches` and `fold` another engine
OPERATORS = (
    "is", "is_not", "in", "not_in", "gt", "gte", "lt", "lte", "between", "contains", "not_contains", "starts_with",
    "ends_with", "exists",
)  # fmt: skip
_PLACE = re.compile(r"[A-Za-z0-9_.:-]{1,100}\Z")

Check = Callable[[Any, str], Iterator[FieldError]]  # of a value at a JSON pointer: what is wrong with it


def read_display(said: Any, channel: str, pointer: str, errors: list[FieldError]) -> dict[str, Any]:
    """With its defaults; what is wrong is added to `errors`."""
    fields = _FIELDS[channel]
    given = {} if said is None else said
    found = list(_object(given, pointer, fields))
    if not found:
        given = {**{name: default for name, (default, _) in fields.items() if default is not None}, **given}
        found = [error for name, (_, check) in fields.items() for error in check(given.get(name), f"{pointer}/{name}")]
    errors += found
    return {} if found else given


def _object(said: Any, pointer: str, known: Mapping[str, Any] | tuple[str, ...]) -> Iterator[FieldError]:
    if not isinstance(said, Mapping):
        yield FieldError(pointer, "invalid", f"an object of {', '.join(known) or 'nothing'}")
        return
    for name in sorted(said.keys() - set(known)):
        yield FieldError(f"{pointer}/{name}", "unknown", f"known here are {', '.join(known) or 'none'}")


def _trigger(said: Any, pointer: str) -> Iterator[FieldError]:
    if said == NOW:
        return
    forms = said.keys() & {"event", "page"} if isinstance(said, Mapping) else set[str]()
    if forms == {"event"}:
        yield from _object(said, pointer, ("event", "where"))
        yield from _text(said["event"], f"{pointer}/event")
        yield from _where(said.get("where", []), f"{pointer}/where")
    elif forms == {"page"}:
        yield from _object(said, pointer, ("page",))
        yield from _object(said["page"], f"{pointer}/page", ("path",))
        if isinstance(said["page"], Mapping):
            yield from _text(said["page"].get("path", "*"), f"{pointer}/page/path")
    else:
        yield FieldError(pointer, "invalid", 'write "now", {event: name, where?} or {page: {path?: glob}}')


def _where(said: Any, pointer: str) -> Iterator[FieldError]:
    try:
        conditions = parse_props(said, pointer)
    except Invalid as error:
        yield from error.errors
        return
    for index, condition in enumerate(conditions):
        place = f"{pointer}/{index}"
        for test in condition.tests:
            if test.op not in OPERATORS:
                yield FieldError(f"{place}/{test.op}", "unsupported", f"a browser knows {', '.join(OPERATORS)}")
        if condition.fold:
            yield FieldError(f"{place}/fold", "unsupported", "a browser compares text as it is written")


def _text(said: Any, pointer: str) -> Iterator[FieldError]:
    if not isinstance(said, str) or not 0 < len(said) <= LONGEST_TEXT:
        yield FieldError(pointer, "invalid", f"a text of at most {LONGEST_TEXT} characters")


def _place(said: Any, pointer: str) -> Iterator[FieldError]:
    if not isinstance(said, str) or not _PLACE.match(said):
        yield FieldError(pointer, "required", "the name of a place in the page: letters, digits, _ . : and -")


def _flag(said: Any, pointer: str) -> Iterator[FieldError]:
    if not isinstance(said, bool):
        yield FieldError(pointer, "invalid", "true or false")


def _number(least: int, most: int) -> Check:
    def check(said: Any, pointer: str) -> Iterator[FieldError]:
        if isinstance(said, bool) or not isinstance(said, int) or not least <= said <= most:
            yield FieldError(pointer, "invalid", f"a whole number from {least} to {most}")

    return check


def _one_of(words: tuple[str, ...]) -> Check:
    def check(said: Any, pointer: str) -> Iterator[FieldError]:
        if said not in words:
            yield FieldError(pointer, "unsupported", f"one of {', '.join(words)}")

    return check


# by channel: each field, what it is where it is not said (None: it has to be), and its check
_FIELDS: dict[str, dict[str, tuple[Any, Check]]] = {
    "in_app": {
        "trigger": (NOW, _trigger),
        "delay_s": (0, _number(0, LONGEST_DELAY)),
        "layout": ("modal", _one_of(LAYOUTS)),
        "position": ("bottom", _one_of(POSITIONS)),
        "close": (True, _flag),
        "priority": (0, _number(-MOST_PRIORITY, MOST_PRIORITY)),
        "once": (True, _flag),
    },
    "banner": {"place": (None, _place)},
    "card": {"pinned": (False, _flag)},
    "inbox": {},
}
