"""Codes of errors."""

from __future__ import annotations

from kizuna.core import errors
from kizuna.core.errors import KizunaError
from kizuna.reference.page import Page, code, codes, said, table
from kizuna.reference.source import Code
from kizuna.reference.source import codes as all_codes

NO_WORDS = "the answer's `detail` says what to do"


def page() -> Page:
    found = all_codes()
    refusals = _merged([each for each in found if each.status])
    fields = _merged([each for each in found if not each.status])
    parts = [
        "## Kinds",
        table(("kind", "usual code", "what to do"), [(name, code(kind.code), said(kind)) for name, kind in _kinds()]),
        "## Codes of answers",
        "`code` of the problem document, with its status. `…` is where a value stands. The tracking API writes the "
        'same codes as `{"success": false, "code", "message"}`, and always with 400, 401, 408, 429 or 503.',
        table(("code", "status", "said by", "meaning"), refusals),
        "## Codes of fields",
        "`code` within `errors`, each with the JSON pointer of the place.",
        table(("code", "said by", "meaning"), [(name, by, meaning) for name, _, by, meaning in fields]),
    ]
    about = (
        "Errors are problem documents (RFC 9457) with `type`, `title`, `status`, `detail`, `code` and, for fields, "
        "`errors: [{pointer, code, message}]`. A code is stable; a message may change."
    )
    return Page("Errors", about, "\n\n".join(parts))


def _kinds() -> list[tuple[str, type[KizunaError]]]:
    found = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, KizunaError)]
    return [(each.__name__, each) for each in found if each is not KizunaError]


def _merged(found: list[Code]) -> list[tuple[str, str, str, str]]:
    """A row a code: its statuses, who says it, and the first words that any of them has."""
    rows = []
    for name in dict.fromkeys(each.code for each in found):
        same = [each for each in found if each.code == name]
        statuses = dict.fromkeys(str(each.status) for each in same if each.status)
        words = next((each.message for each in same if each.message.strip("… ")), NO_WORDS)
        rows.append((code(name), ", ".join(statuses), codes(dict.fromkeys(each.part for each in same)), words))
    return rows
