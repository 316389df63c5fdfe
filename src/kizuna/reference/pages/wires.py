"""Wire formats that bring events in."""

from __future__ import annotations

from kizuna.core import exact_json
from kizuna.events.wires import segment
from kizuna.reference.page import Page, code, said, table


def page() -> Page:
    words = [(code(f"/v1/{word}"), code(f"/{word}"), f"one request of type {code(kind)}") for word, kind in _words()]
    parts = [
        said(segment),
        table(("path", "the same", "takes"), words),
        f"JSON with any content type, gzip or deflate; nested at most {exact_json.MAX_DEPTH} levels. Single bad events "
        "within a good body are kept at `GET /api/v1/rejected` with their reason.",
    ]
    about = (
        "Protocols in which events come in. A write key is sent as Basic user, as Bearer or as `writeKey` in the body."
    )
    return Page("Wires", about, "\n\n".join(parts))


def _words() -> list[tuple[str, str]]:
    return [(word, str(kind)) for word, kind in segment.PATHS.items()]
