"""A real Chromium, and a real Kizuna with the demo's definitions and the shop's first weeks."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import pytest
from playwright.sync_api import Browser, sync_playwright

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
