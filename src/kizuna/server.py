"""The HTTP server: builds the app from its parts, and runs it."""

from __future__ import annotations

import gc
import logging
import warnings
from typing import Any

import uvicorn
from litestar import Litestar, Request, Response, Router
from litestar.di import Provide
from litestar.exceptions import LitestarDeprecationWarning, NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, Message, Receive, Scope, Send

from kizuna import __version__, app
from kizuna.accounts.caller import Caller, Member
from kizuna.config import Config
from kizuna.edge import health, path, problem
from kizuna.edge.console import Console
from kizuna.edge.head import note_head
from kizuna.edge.headers import with_security
from kizuna.edge.idempotency import Idempotency
from kizuna.edge.identify import Door
from kizuna.edge.protocol import BoundedProtocol
from kizuna.edge.request import BODY_LIMIT, StrictRequest
from kizuna.edge.sdk import Sdk
from kizuna.events import settled
from kizuna.events.routes import ShortWay
from kizuna.runtime.database import Database

DESCRIPTION = "/api/openapi.json"
GRACE_SECONDS = 5
UVICORN: dict[str, Any] = {
    "loop": "uvloop",
    "http": BoundedProtocol,
    "ws": "none",
    "lifespan": "on",
    "access_log": False,
    "server_header": False,
    "timeout_keep_alive": 75,
    "timeout_graceful_shutdown": GRACE_SECONDS,
}


class Server(Litestar):
    """Litestar, and what must happen before it routes and whatever it answers."""

    is_tls = False
    short_way: ShortWay | None = None

    async def __call__(
        self,
        scope: Scope | LifeSpanScope,
        receive: Receive | LifeSpanReceive,
        send: Send | LifeSpanSend,
    ) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        send = with_security(send, scope["path"], is_tls=self.is_tls)  # type: ignore[arg-type]
        if scope["method"] == "HEAD":  # the answer of GET without its body
            scope["method"], send = "GET", _without_body(send)
            note_head(scope)  # type: ignore[arg-type]
        if self.short_way and self.short_way.leads_from(scope):
            try:
                await self.short_way(scope, receive, send)  # type: ignore[arg-type]
            except Exception as error:  # the edge of the process, as the framework is for its routes
                request = Request[Any, Any, Any](scope, receive, send)  # type: ignore[arg-type]
                await problem.answer(request, error)
            return
        path.hide_encoded_slashes(scope)
        await super().__call__(scope, receive, send)


def create(config: Config, database: Database, *, routes: list[Any] | None = None) -> Litestar:
    """The app over an open database; `routes` are those of app.py unless a test brings its own."""
    parts, console, sdk = app.parts(config, database), Console(), Sdk()
    door = Door(database, parts["keys"], parts["cookie"], config.public_url, settled.wait)

    async def provide_caller(request: Request[Any, Any, Any]) -> Caller:
        return await door.caller(request)

    async def provide_member(request: Request[Any, Any, Any]) -> Member:
        return await door.member(request)

    async def before(request: Request[Any, Any, Any]) -> None:
        if request.route_handler.opt.get("browser"):  # no session vouches for it yet
            door.check_origin(request, is_browser_known=False)

    def not_found(request: Request[Any, Any, Any], error: NotFoundException) -> Response[bytes]:
        return sdk.answer(request) or console.answer(request) or problem.from_http(request, error)

    with warnings.catch_warnings():
        # Handlers name parts, bodies and parameters plainly; the markers Litestar 3 wants are not in the oldest 2.
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        server = Server(
            route_handlers=[*health.ROUTES, *(app.ROUTES if routes is None else routes)],
            dependencies={name: Provide(_give(part), sync_to_thread=False) for name, part in parts.items()}
            | {"caller": Provide(provide_caller), "member": Provide(provide_member)},
            middleware=[path.CleanPath(), Idempotency(door)],
            before_request=before,
            exception_handlers={**problem.HANDLERS, NotFoundException: not_found},
            request_class=StrictRequest,
            request_max_body_size=BODY_LIMIT,
            openapi_config=_described(),
            logging_config=None,
            on_startup=[database.open, parts["imports"].resume],
            on_shutdown=[parts["imports"].stop, database.close],
        )
    server.is_tls = door.cookie.is_tls
    server.short_way = ShortWay(parts["ingest"]) if routes is None else None
    return server


def _described() -> OpenAPIConfig:
    """OpenAPI 3.1 as JSON only: the framework's documentation pages load from other origins."""
    key = SecurityScheme(type="http", scheme="bearer", description="A key of one workspace")
    return OpenAPIConfig(
        title="Kizuna",
        version=__version__,
        path=DESCRIPTION,
        components=Components(security_schemes={"key": key}),
        security=[{"key": []}],
        render_plugins=[JsonRenderPlugin(path="/")],
        openapi_router=Router(DESCRIPTION, route_handlers=[], include_in_schema=False, after_request=_no_pages),
        use_handler_docstrings=True,
    )


def _no_pages(answer: Response[Any]) -> Response[Any]:
    """The framework's own page for what it does not know, under the description, as every other refusal."""
    return problem.problem(404, "not_found", "no such path") if answer.status_code == 404 else answer


def _give(part: Any) -> Any:
    return lambda: part


def _without_body(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message["body"] = b""
        await send(message)

    return send_head


def main(config: Config, fd: int) -> None:
    """Serve on a listening socket until told to stop; requests under way get `GRACE_SECONDS`."""
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    server = create(config, Database(config.database_url, name="kizuna serve"))
    server.on_startup.append(_settle_memory)
    uvicorn.run(server, fd=fd, log_config=None, **UVICORN)


def _settle_memory() -> None:
    """What is loaded now stays: the collector need not look at it again, and decoding is not interrupted by it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
