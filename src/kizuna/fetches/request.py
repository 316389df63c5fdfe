"""A request that a template makes of another server, and what came back. Pure."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.core import ids

MOST_SECONDS = 2.0  # of one try
MOST_BYTES = 1 << 20  # of an answer
MOST_RETRIES = 5
CACHED_SECONDS = 300  # an answer to a GET stands for as long, unless the template says otherwise
MOST_CACHED_SECONDS = 4 * 3600
MOST_REQUESTS = 10  # of one message; what comes later has no answer, too
TOTAL_SECONDS = 10.0  # of all requests of one message; what comes later has no answer
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")  # which no database keeps


class Request(Struct, frozen=True, kw_only=True, dict=True):
    """`headers` are (name, value) in lower-case order; `credential` names one of the workspace's."""

    url: str
    method: str = "GET"
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    credential: str = ""
    cached_seconds: int = 0
    retries: int = 0
    seconds: float = MOST_SECONDS

    @cached_property
    def key(self) -> bytes:
        """The same for requests that ask the same, however long their answers may stand."""
        said = [part for header in self.headers for part in header]
        return ids.derive("fetch", self.method, self.url, self.credential, self.body, *said)


class Answer(Struct, frozen=True):
    """Status 0: there was none, and `kind` says why."""

    status: int
    kind: str = ""  # its Content-Type
    body: bytes = b""

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace").replace("\x00", "")

    @property
    def is_html(self) -> bool:
        return self.kind.partition(";")[0].strip().lower() == "text/html"

    def value(self) -> Any:
        """What a JSON answer says, without NULs; any other is its text."""
        try:
            return msgspec.json.decode(_NUL.sub(rb"\1", self.body))
        except (msgspec.DecodeError, RecursionError):
            return self.text


def failed(reason: str) -> Answer:
    return Answer(0, reason)
