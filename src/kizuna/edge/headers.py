"""Headers on every answer: nothing framed, sniffed or loaded from elsewhere."""

from __future__ import annotations

from litestar.types import Message, Send

CONSOLE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; frame-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_POLICY = (
    b"content-security-policy",
    b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
)
_FRAME = (b"x-frame-options", b"DENY")
_ALWAYS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"))
_PRIVATE = ((b"cache-control", b"no-store"), (b"cross-origin-resource-policy", b"same-origin"))
ALWAYS = (*_ALWAYS, *_PRIVATE, _POLICY, _FRAME)  # what an answer has that knows no path and no policy of its own
_TLS = ((b"strict-transport-security", b"max-age=31536000"),)


def with_security(send: Send, path: str, *, is_tls: bool) -> Send:
    """`send` that adds what the route did not set itself; answers of the API are never cached or embedded."""
    defaults = _ALWAYS + (_PRIVATE if path.startswith("/api/") else ()) + (_TLS if is_tls else ())

    async def send_secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            present = {name.lower() for name, _ in headers}
            headers += [pair for pair in defaults if pair[0] not in present]
            if _POLICY[0] not in present:  # a route with a policy of its own says itself who may frame it
                headers += [_POLICY, _FRAME]
            message["headers"] = headers
        await send(message)

    return send_secured
