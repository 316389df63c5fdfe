"""Every error leaves as an RFC 9457 problem document with a stable `code`."""

from __future__ import annotations

import re
import traceback
from http import HTTPStatus
from typing import Any

import msgspec
import psycopg
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, ValidationException
from litestar.types import ExceptionHandlersMap

from kizuna.core import errors
from kizuna.core.errors import FieldError, KizunaError
from kizuna.core.shape import hint

_STATUS: dict[type[KizunaError], int] = {
    errors.Unprocessable: 422,
    errors.Invalid: 400,
    errors.NotSignedIn: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.TooMany: 429,
    errors.Unavailable: 503,
    errors.NotSettled: 504,
}
_UNPROCESSABLE = {"template_error", "template_limit"}
_CODES = {
    400: "invalid", 401: "not_signed_in", 403: "not_allowed", 404: "not_found", 405: "method_not_allowed",
    408: "slow_body", 413: "too_large", 415: "unsupported_media_type", 429: "too_many", 503: "unavailable",
}  # fmt: skip

_NAMED = re.compile(r"(?:missing required|unknown) field `([^`]+)`")

log = structlog.get_logger()


def problem(
    status: int,
    code: str,
    detail: str,
    fields: list[FieldError] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[bytes]:
    """The document itself; `type` names the code's page in the reference."""
    body: dict[str, Any] = {
        "type": f"urn:kizuna:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if fields:
        body["errors"] = fields
    return Response(msgspec.json.encode(body), status_code=status, media_type=MEDIA_TYPE, headers=headers or {})


MEDIA_TYPE = "application/problem+json"


def status_of(error: KizunaError) -> int:
    if error.code in _UNPROCESSABLE:
        return 422
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 400)


def from_kizuna(_: Request[Any, Any, Any], error: KizunaError) -> Response[bytes]:
    headers: dict[str, str] = {}
    if isinstance(error, errors.TooMany | errors.Unavailable):
        headers["Retry-After"] = str(
            min(max(error.retry_after, 1), 300 if isinstance(error, errors.Unavailable) else 3600)
        )
    if isinstance(error, errors.NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="kizuna"'
    return problem(status_of(error), error.code, str(error), error.errors, headers)


def from_validation(request: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    """Litestar's own checks of typed bodies and parameters."""
    found = error.extra if isinstance(error.extra, list) else []
    body = getattr(request.scope.get("route_handler"), "parsed_data_field", None)
    shape = body.annotation if body is not None else None
    fields = [_field(one, shape) for one in found if isinstance(one, dict)]
    detail = "; ".join(f"{field.pointer or 'the body'}: {field.message}" for field in fields)
    return problem(400, "invalid", detail or "the request is not valid", fields)


def _field(found: dict[str, Any], shape: Any) -> FieldError:
    """msgspec names the field in its words, not in its path, when it is missing or unknown. `shape` is the body's."""
    path = [part for part in re.split(r"[.\[\]]+", str(found.get("key", ""))) if part]
    message = str(found.get("message", "not valid"))
    if path[:1] == ["data"]:
        path = path[1:]
        if message == "'data'":
            return FieldError("", "missing", "send a JSON body")
    if found.get("source") == "body":
        message += hint(message, shape, path)
    named = _NAMED.search(message)
    code = ("missing" if "missing" in message else "unknown") if named else "invalid"
    if named:
        path.append(named[1])
    return FieldError("".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path), code, message)


def from_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework itself refuses: unknown paths, wrong methods, bodies over the limit."""
    status = error.status_code
    if status >= 500:
        return from_unexpected(request, error)
    headers = {"Allow": _allowed(error)} if isinstance(error, MethodNotAllowedException) else {}
    if status == 408:
        headers["Connection"] = "close"  # the rest of the body is not waited for
    details = {
        404: "no such path",
        405: f"this path does not take {request.method}",
        413: "the body is larger than the limit; send less at once",
    }
    return problem(status, _CODES.get(status, "invalid"), details.get(status, error.detail), headers=headers)


def _allowed(error: HTTPException) -> str:
    return next((value for name, value in (error.headers or {}).items() if name.lower() == "allow"), "")


def from_database(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A database that is away heals by itself, so clients are told to come again; a value too long for it does not."""
    if isinstance(error, psycopg.errors.ProgramLimitExceeded):
        return problem(400, "too_long", "a name or value in the request is longer than can be kept; shorten it")
    log.warning("database unavailable", path=request.scope["path"], error=str(error))
    return problem(503, "unavailable", "the database cannot be reached; try again", headers={"Retry-After": "2"})


def from_depth(_: Request[Any, Any, Any], __: Exception) -> Response[bytes]:
    return problem(400, "too_deep", "the request is nested too deeply; flatten it")


def from_timeout(_: Request[Any, Any, Any], __: Exception) -> Response[bytes]:
    return problem(503, "unavailable", "this took too long; try again", headers={"Retry-After": "2"})


def from_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Ours to mend: the log has the trace, the caller learns only that it happened."""
    trace = "".join(traceback.format_exception(error))  # without the values of variables: they hold keys and customers
    log.error("unexpected error", method=request.method, path=request.scope["path"], trace=trace)
    return problem(500, "internal_error", "something went wrong on our side; it is in the server's log")


async def answer(request: Request[Any, Any, Any], error: Exception) -> None:
    """Send the document of an error that no route of the framework met."""
    handler: Any = next(HANDLERS[kind] for kind in type(error).__mro__ if kind in HANDLERS)
    response: Response[bytes] = handler(request, error)
    await response.to_asgi_response(app=None, request=request)(request.scope, request.receive, request.send)


HANDLERS: ExceptionHandlersMap = {
    KizunaError: from_kizuna,
    ValidationException: from_validation,
    HTTPException: from_http,
    RecursionError: from_depth,
    psycopg.OperationalError: from_database,
    TimeoutError: from_timeout,
    Exception: from_unexpected,
}
