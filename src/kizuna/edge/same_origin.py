"""A session cookie alone changes nothing: the page that asks must be ours."""

from __future__ import annotations

from urllib.parse import urlsplit

from kizuna.core.errors import NotAllowed


def check(headers: dict[str, str], public_url: str | None, *, is_browser_known: bool) -> None:
    """Raises for a request from a page of another origin. Browsers name the origin of every POST; a request that
    names none passes only where no session vouches for it (`is_browser_known` False)."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        ours = site == "same-origin"
    elif origin is not None:
        ours = origin.partition("://")[2] in {headers.get("host"), urlsplit(public_url or "").netloc} - {"", None}
    else:
        ours = not is_browser_known
    if not ours:
        raise NotAllowed("this request came from a page of another origin", code="cross_origin")
