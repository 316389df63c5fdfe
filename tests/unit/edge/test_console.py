from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar, Request, Response
from litestar.exceptions import NotFoundException
from litestar.testing import TestClient

from kizuna.edge.console import NONCE, Console


@pytest.fixture
def client(tmp_path: Path) -> Any:
    """The console alone, over a built folder."""
    folder = tmp_path / "console"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(f'<meta property="csp-nonce" nonce="{NONCE}">')
    (folder / "assets" / "app-1a2b.js").write_text("go()")
    (folder / "assets" / "app-1a2b.js.map").write_text("{}")
    (folder / "favicon.ico").write_bytes(b"\x00")
    (tmp_path / "secret.txt").write_text("secret")
    console = Console(folder)

    def not_found(request: Request[Any, Any, Any], _: NotFoundException) -> Response[bytes]:
        return console.answer(request) or Response(b"none", status_code=404)

    app = Litestar([], exception_handlers={NotFoundException: not_found}, openapi_config=None, logging_config=None)
    with TestClient(app) as client:
        yield client


def test_the_page_carries_a_fresh_nonce(client: Any) -> None:
    first, second = client.get("/"), client.get("/profiles/x", headers={"Accept": "text/html"})
    nonce = first.text.partition('nonce="')[2].partition('"')[0]
    assert f"'nonce-{nonce}'" in first.headers["content-security-policy"]
    assert "unsafe-inline" not in first.headers["content-security-policy"]
    assert first.text != second.text
    assert first.headers["cache-control"] == "no-store"


def test_hashed_files_are_kept_for_a_year_and_packed(client: Any) -> None:
    answer = client.get("/assets/app-1a2b.js", headers={"Accept-Encoding": "gzip"})
    assert answer.text == "go()"
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert "javascript" in answer.headers["content-type"]
    assert client.get("/assets/app-1a2b.js", headers={"Accept-Encoding": "identity"}).text == "go()"
    assert client.get("/favicon.ico").headers["cache-control"] == "no-cache"


def test_nothing_else_is_served(client: Any) -> None:
    for path in ("/assets/app-1a2b.js.map", "/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt"):
        answer = client.get(path, headers={"Accept": "*/*"})
        assert answer.status_code == 404, path
    assert client.get("/api/v1/x", headers={"Accept": "text/html"}).status_code == 404
    assert client.post("/profiles", headers={"Accept": "text/html"}).status_code == 404
