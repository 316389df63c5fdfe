"""Walking through the console as a member does, and watching what no page may do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

OWNER = {"name": "Ada Lovelace", "email": "ada@example.com", "password": "a sentence nobody else says"}
LANGUAGES = {"en": "en-GB", "ja": "ja-JP"}
QUIET = """() => ![...document.querySelectorAll('[aria-busy=true]')].some((one) => one.offsetParent)"""


class Watch:
    """Collects everything a page must not do."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.origin = urlsplit(url).netloc
        self.faults: list[str] = []
        context.on("console", self._said)
        context.on("weberror", lambda error: self.faults.append(f"page error: {error.error}"))
        context.on("request", self._asked)

    def check(self) -> None:
        assert not self.faults, self.faults

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console {message.type}: {message.text} ({message.location.get('url')})")

    def _asked(self, request: Request) -> None:
        where = urlsplit(request.url)
        if where.scheme in ("http", "https") and where.netloc != self.origin:
            self.faults.append(f"asked another origin: {request.url}")


def settle(page: Page) -> None:
    """Until nothing is loading and the page has said what it is."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_function(QUIET)


def no_sideways_scroll(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide"


def no_alert(page: Page) -> None:
    assert page.get_by_role("alert").all_inner_texts() == [], page.url


def opened(browser: Browser, url: str, signed_in: Any, language: str, width: int) -> Iterator[tuple[Page, str]]:
    context = browser.new_context(
        locale=LANGUAGES[language], viewport={"width": width, "height": 844}, storage_state=signed_in
    )
    watch = Watch(context, url)
    page = context.new_page()
    page.goto(url)
    settle(page)
    yield page, language
    watch.check()
    context.close()
