"""A whole server in process, over a fresh database."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from kizuna import server
from kizuna.accounts import installation, workspaces
from kizuna.config import Config, load
from kizuna.runtime.database import Database
from kizuna.runtime.folder import Running
from kizuna.supervisor import started
from kizuna.testing.pages import open_pages
from kizuna.testing.shop import START, Shop

HERE = ("127.0.0.0/8",)  # where push services of tests stand
PASSWORD = "correct horse battery staple"


@dataclass
class House:
    """A running server with what a test needs to speak to it."""

    client: TestClient[Litestar]
    database: Database
    password: str = PASSWORD

    def workspace(self, name: str = "shop", **options: Any) -> dict[str, str]:
        """A new workspace: `id, name, write_key, api_key`."""
        return self.client.blocking_portal.call(lambda: workspaces.create(self.database, name, **options))

    def bearer(self, workspace: dict[str, str]) -> dict[str, str]:
        """The header of the workspace's first key."""
        return {"Authorization": f"Bearer {workspace['api_key']}"}

    def key(self, workspace: dict[str, str], role: str) -> dict[str, str]:
        """A header with a new key of a role."""
        answer = self.client.post("/api/v1/keys", json={"role": role}, headers=self.bearer(workspace))
        assert answer.status_code == 201, answer.text
        return {"Authorization": f"Bearer {answer.json()['key']}"}

    def sql(self, statement: str, *parameters: Any) -> list[Any]:
        """Looks into, or changes, the database behind the server's back."""

        async def run() -> list[Any]:
            async with self.database.connection() as conn:
                cursor = await conn.execute(statement, parameters)  # type: ignore[arg-type]
                return await cursor.fetchall() if cursor.description else []

        return self.client.blocking_portal.call(run)

    def setup_token(self) -> str | None:
        return self.client.blocking_portal.call(lambda: installation.issue_setup_token(self.database))

    def own(self, email: str = "ada@example.com") -> None:
        """Set up the owner; the client is signed in afterwards."""
        owner = {"token": self.setup_token(), "name": "Ada", "email": email, "password": PASSWORD}
        answer = self.client.post("/api/console/setup", json=owner)
        assert answer.status_code == 200, answer.text


@pytest.fixture
def open_house(database_url: str, tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Starts a server, with a data folder of its own; settings and routes may be given."""
    clients: list[TestClient[Litestar]] = []

    def start(routes: list[Any] | None = None, **settings: Any) -> House:
        database = Database(database_url, name="test serve")
        own = {"data": tmp_path / "house", "lake_url": str(tmp_path / "house" / "lake"), **settings}
        app = server.create(Config(database_url=database_url, **own), database, routes=routes)
        client = TestClient(app, raise_server_exceptions=False, base_url="http://testserver.local")
        client.__enter__()
        clients.append(client)
        return House(client=client, database=database)

    yield start
    for client in clients:
        client.__exit__()


@pytest.fixture
def house(open_house: Callable[..., House]) -> House:
    return open_house()


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `running` runs on, for commands."""
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="session")
def running(data_folder: Path) -> Iterator[Running]:
    """The whole product, as `kizuna up` starts it, with two workers; shared by the tests, each in its own workspace."""
    with started(load(data=data_folder, port=0, workers=2, allow_private_targets=HERE)) as found:
        yield found


_shops = itertools.count(1)


@pytest.fixture
def open_shop(running: Running) -> Iterator[Callable[..., Shop]]:
    """Opens shops on the running product; the clock is a test clock unless told otherwise."""
    opened: list[Shop] = []

    def open_one(**options: Any) -> Shop:
        async def make() -> dict[str, str]:
            database = Database(running.database_url, name="test")
            await database.open()
            try:
                return await workspaces.create(database, f"shop {next(_shops)}", **options)
            finally:
                await database.close()

        options = {"clock": "test", "start": START, **options} if options.get("clock") != "live" else options
        opened.append(Shop(running.url, asyncio.run(make())))
        return opened[-1]

    yield open_one
    for shop in opened:
        shop.http.close()


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    return open_shop()


@pytest.fixture
def site(shop: Shop) -> Shop:
    """A shop whose pages show messages."""
    open_pages(shop)
    return shop
