from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar, Request, Response
from litestar.exceptions import NotFoundException
from litestar.testing import TestClient

from kizuna.edge.sdk import Sdk


@pytest.fixture
def client(tmp_path: Path) -> Any:
    """The browser client alone, over a built folder."""
    folder = tmp_path / "sdk"
    folder.mkdir()
    (folder / "kizuna.js").write_text("go()")
    (folder / ".built-from").write_text("1a2b")
    sdk = Sdk(folder)

    def not_found(request: Request[Any, Any, Any], _: NotFoundException) -> Response[bytes]:
        return sdk.answer(request) or Response(b"none", status_code=404)

    app = Litestar([], exception_handlers={NotFoundException: not_found}, openapi_config=None, logging_config=None)
    with TestClient(app) as client:
        yield client


def test_a_page_of_any_origin_may_load_it(client: Any) -> None:
    answer = client.get("/sdk/kizuna.js", headers={"Accept-Encoding": "gzip"})
    assert answer.text == "go()"
    assert answer.headers["content-encoding"] == "gzip"
    assert "javascript" in answer.headers["content-type"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert client.get("/sdk/kizuna.js", headers={"Accept-Encoding": "identity"}).content == b"go()"


def test_a_browser_that_has_it_is_told_so(client: Any) -> None:
    tag = client.get("/sdk/kizuna.js").headers["etag"]
    answer = client.get("/sdk/kizuna.js", headers={"If-None-Match": f"W/{tag}"})  # weak, as a proxy makes it
    assert (answer.status_code, answer.content) == (304, b"")


def test_nothing_else_is_served(client: Any) -> None:
    for path in ("/sdk/.built-from", "/sdk/", "/sdk/other.js"):
        assert client.get(path).status_code == 404, path
    assert client.post("/sdk/kizuna.js").status_code == 404
