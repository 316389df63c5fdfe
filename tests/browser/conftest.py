"""A real Chromium, and a real Kizuna with the demo's definitions and the shop's first weeks."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.browser.walk import LANGUAGES, OWNER, Watch, opened, settle

from kizuna.config import Config
from kizuna.demo.replay import Shop, replay
from kizuna.demo.run import demo_keys
from kizuna.demo.shop import read_year
from kizuna.supervisor import started

UNTIL = datetime(2010, 12, 4)
INVOICES = 60
SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip


@dataclass
class Seeded:
    url: str
    setup_url: str


@pytest.fixture(scope="module")
def kizuna_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    data = tmp_path_factory.mktemp("browser") / "data"
    with started(Config(data=data, lake_url=str(data / "lake"), port=0)) as found:
        with ThreadPoolExecutor(1) as pool:  # the browser's driver has a loop of its own in this thread
            keys = pool.submit(lambda: asyncio.run(demo_keys(found.database_url))).result()
        shop = Shop(found.url, *keys)
        year = read_year()
        year.invoices = [invoice for invoice in year.invoices if invoice.at < UNTIL][:INVOICES]
        shop.publish()
        replay(shop, year, lambda *_: None)
        shop.call("POST", "/api/v1/campaigns/monthly/launch", {})
        shop.close()
        yield Seeded(found.url, found.setup)


def browser_path() -> str:
    names = [os.environ.get("KIZUNA_TEST_BROWSER"), "chromium", "chromium-browser", "google-chrome"]
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    assert found, "no browser: install chromium, or name one in KIZUNA_TEST_BROWSER"
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=browser_path(), args=SWITCHES)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def signed_in(browser: Browser, kizuna_server: Any) -> dict[str, Any]:
    """The owner made by the one-time link; later contexts bring their cookies."""
    context = browser.new_context(locale="en-GB")
    watch = Watch(context, kizuna_server.url)
    page = context.new_page()
    page.goto(kizuna_server.setup_url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome to Kizuna")
    page.get_by_role("button", name="Create owner").click()
    expect(page.get_by_text("Enter your name.")).to_be_visible()
    for label, value in zip(["Your name", "Mail address"], [OWNER["name"], OWNER["email"]], strict=True):
        page.get_by_label(label).fill(value)
    page.locator("input[name=password]").fill(OWNER["password"])
    page.get_by_role("button", name="Create owner").click()
    expect(page.get_by_role("navigation")).to_be_visible()
    page.get_by_label("Workspace").select_option(label="demo")
    settle(page)
    watch.check()
    state = dict(context.storage_state())
    context.close()
    return state


@pytest.fixture(
    params=[(language, width) for language in LANGUAGES for width in (1280, 375)],
    ids=lambda param: f"{param[0]}-{param[1]}",
)
def visit(
    request: pytest.FixtureRequest, browser: Browser, kizuna_server: Any, signed_in: Any
) -> Iterator[tuple[Page, str]]:
    """Both languages, on a desk and on a phone; a fault anywhere on the way fails the test."""
    yield from opened(browser, kizuna_server.url, signed_in, *request.param)
