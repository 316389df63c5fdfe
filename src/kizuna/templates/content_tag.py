"""`connected_content`: the answer of another server, kept in a variable or written out."""

from __future__ import annotations

import re
from typing import Any, TextIO
from urllib.parse import quote, urlsplit

import msgspec
from liquid import Environment, Markup
from liquid.ast import Node
from liquid.context import RenderContext
from liquid.exceptions import LiquidSyntaxError
from liquid.stream import TokenStream
from liquid.stringify import to_liquid_string
from liquid.tag import Tag
from liquid.token import Token

from kizuna.core.errors import Invalid
from kizuna.core.iri import ascii_domain
from kizuna.fetches.request import (
    CACHED_SECONDS,
    MOST_CACHED_SECONDS,
    MOST_RETRIES,
    MOST_SECONDS,
    Answer,
    Request,
)  # fmt: skip
from kizuna.templates.extra_tags import Aborted
from kizuna.templates.phrase import Phrase, in_json, in_url, kept_as, options, raw

OPTIONS = (
    "save", "method", "body", "headers", "content_type", "cache_max_age", "no_cache", "basic_auth", "credential",
    "retry", "timeout", "on_failure",
)  # fmt: skip
METHODS = ("get", "post", "put", "patch", "delete")
FAILURES = ("abort", "empty")
STATUS = "__http_status_code__"
REASON = "content_failed"
FORM = "application/x-www-form-urlencoded"
LONGEST_URL = 4_000
LONGEST_BODY = 64 * 1024
_RESERVED = "%/?#[]@!$&'()*+,;=:-._~"
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}\Z")
_OURS = frozenset(("host", "content-length", "transfer-encoding", "connection", "te", "upgrade", "accept-encoding"))
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class _ContentNode(Node):
    def __init__(self, env: Environment, token: Token, url: str, said: dict[str, str]) -> None:
        super().__init__(token)
        self.url = Phrase(env, token, url)
        self.kept = kept_as(token, said)
        self.method = said.get("method", "get").lower()
        self.kind = said.get("content_type", FORM)
        self.body = Phrase(env, token, said.get("body", ""))
        self.headers = Phrase(env, token, said.get("headers", ""))
        self.credential = Phrase(env, token, said.get("basic_auth") or said.get("credential") or "")
        self.on_failure = said.get("on_failure", "abort")
        by_default = CACHED_SECONDS if self.method == "get" else 0
        most = 0 if "no_cache" in said else MOST_CACHED_SECONDS
        self.cached = int(min(most, _number(token, said, "cache_max_age", by_default)))
        self.retries = int(min(MOST_RETRIES, _number(token, said, "retry", 0, MOST_RETRIES)))
        self.seconds = max(0.1, min(MOST_SECONDS, _number(token, said, "timeout", MOST_SECONDS)))
        if not self.url.parts or self.method not in METHODS or self.on_failure not in FAILURES:
            wanted = f"an address, a :method of {', '.join(METHODS)}, :on_failure {' or '.join(FAILURES)}"
            raise LiquidSyntaxError(f"connected_content takes {wanted}", token=token)

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        answer = context.budget.lookups.get(self.request(context))
        if not answer.is_ok and self.on_failure == "abort":
            raise Aborted(f"connected content: {answer.status or answer.kind}", REASON)
        if self.kept:
            context.assign(self.kept, _value(answer))
            return 0
        if not answer.is_ok:
            return 0
        context.budget.charge_value(answer.text)
        is_written = context.autoescape and answer.is_html  # a piece of HTML is wanted as it is
        return buffer.write(Markup(answer.text) if is_written else to_liquid_string(answer.text, context.autoescape))

    def request(self, context: RenderContext) -> Request:
        """Raises `Invalid` for what is no address or no header."""
        url = self.url.said(context, in_url, first=str)
        escape = in_json if "json" in self.kind else in_url
        body = self.body.said(context, escape).encode("utf-8", "replace")
        if len(body) > LONGEST_BODY:
            raise Invalid(f"the body of connected_content is longer than {LONGEST_BODY // 1024} kB")
        headers = _headers(self.headers.said(context, in_json))
        if body:
            headers.setdefault("content-type", self.kind)
        return Request(
            url=_checked(url),
            method=self.method.upper(),
            body=body,
            headers=tuple(sorted(headers.items())),
            credential=self.credential.said(context),
            cached_seconds=self.cached,
            retries=self.retries,
            seconds=self.seconds,
        )


def _number(token: Token, said: dict[str, str], name: str, missing: float, empty: float | None = None) -> float:
    text = said.get(name)
    if text is None:
        return missing
    if text == "" and empty is not None:
        return empty
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", text):
        raise LiquidSyntaxError(f":{name} takes a number", token=token)
    return float(text)


def _checked(url: str) -> str:
    """As it goes over the wire. Where it may lead is looked at when it is resolved."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        host = ascii_domain(parts.hostname or "")
        has_port = parts.port is not None
    except ValueError:
        parts, host, has_port = urlsplit(""), "", False
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or _CONTROL.search(url):
        raise Invalid("connected_content takes an address with http:// or https://, and credentials by :basic_auth")
    place = f"[{host}]" if ":" in host else host
    if has_port:
        place += f":{parts.port}"
    path, query = (quote(each, safe=_RESERVED) for each in (parts.path, parts.query))
    made = f"{parts.scheme}://{place}{path or '/'}{'?' + query if query else ''}"
    if len(made) > LONGEST_URL:
        raise Invalid(f"the address of connected_content is longer than {LONGEST_URL} characters")
    return made


def _headers(text: str) -> dict[str, str]:
    """Names in lower case."""
    if not text:
        return {}
    try:
        said = msgspec.json.decode(text, type=dict[str, str])
    except (msgspec.DecodeError, RecursionError):
        raise Invalid(':headers takes an object of texts such as {"X-Key": "1"}') from None
    made = {name.lower(): value for name, value in said.items()}
    wrong = [n for n, v in made.items() if not _HEADER.match(n) or n in _OURS or _CONTROL.search(v) or not v.isascii()]
    if wrong:
        raise Invalid(f":headers may not hold {wrong[0][:50]!r}, and values are ASCII")
    return made


def _value(answer: Answer) -> Any:
    """An object knows the status; where there is none, nothing but the status is there."""
    value = answer.value() if answer.is_ok else {}
    return {**value, STATUS: answer.status} if isinstance(value, dict) else value


class ConnectedContent(Tag):
    """`{% connected_content https://api.example.com/{{ x }} :save found :on_failure empty %}`."""

    name = "connected_content"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        token, text = raw(stream)
        url, said = options(token, text, OPTIONS)
        return _ContentNode(self.env, token, url, said)


TAGS = (ConnectedContent,)
