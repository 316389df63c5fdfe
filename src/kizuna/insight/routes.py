"""HTTP of insight."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, get, post
from litestar.params import QueryParameter
from litestar.response import Stream
from msgspec import Struct, field, structs

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.config import Config
from kizuna.core.errors import Invalid, NotFound
from kizuna.feeds.entry import Choice
from kizuna.insight import export, figure, period
from kizuna.insight.ask import Asker
from kizuna.insight.backtest.ask import MOST_SHOWN, Question, ask_apart
from kizuna.insight.backtest.run import SAMPLE
from kizuna.insight.backtest.tested import Kind
from kizuna.insight.clv import Clv, clv
from kizuna.insight.funnel import Funnel, funnel
from kizuna.insight.messages import DIMENSIONS, message_funnel
from kizuna.insight.metrics import all_metrics
from kizuna.insight.overview import Overviews
from kizuna.insight.retention import Retention, retention
from kizuna.insight.why.chain import why
from kizuna.profiles.find import find
from kizuna.profiles.past import PastProfiles
from kizuna.runtime.database import Database
from kizuna.runtime.lake import locked
from kizuna.runtime.lake.query import Lake

LINES = "application/x-ndjson"
Since = Annotated[str | None, QueryParameter(name="from")]
Until = Annotated[str | None, QueryParameter(name="to")]

_sql_gate = asyncio.Semaphore(2)  # statements of others that run side by side


@get("/api/v1/overview")
async def get_overview(caller: Caller, database: Database, lake: Lake, overviews: Overviews) -> dict[str, Any]:
    """The figures of the console's first page."""
    return await overviews.overview(Asker(lake, database, caller.workspace, now=0))


@get("/api/v1/insight/messages")
async def get_messages(
    caller: Caller,
    database: Database,
    lake: Lake,
    since: Since = None,
    until: Until = None,
    zone: str | None = None,
    by: str | None = None,
    journey: str | None = None,
    campaign: str | None = None,
    template: str | None = None,
    channel: str | None = None,
) -> dict[str, Any]:
    """How many messages were planned, sent, delivered, opened, clicked, bounced and skipped in a period."""
    asker = await _asker(caller, database, lake)
    given = {"journey": journey, "campaign": campaign, "template": template, "channel": channel}
    only = {name: value for name, value in given.items() if value is not None and name in DIMENSIONS}
    return await message_funnel(period.read(since, until, zone or caller.workspace.zone, asker.now), by, only, asker)


@get("/api/v1/export/events", media_type=LINES)
async def export_events(
    caller: Caller,
    database: Database,
    lake: Lake,
    since: Since = None,
    until: Until = None,
    event: list[str] | None = None,
) -> Stream:
    """All events and facts of a period, of the types named (`event=message_*` may be said several times)."""
    asked = await _period(caller, database, since, until)
    lines = export.events(lake, database, caller.workspace.id, asked, Choice.of(event or ["*"]))
    return await _streamed(lines)


@get("/api/v1/export/messages", media_type=LINES)
async def export_messages(
    caller: Caller, database: Database, lake: Lake, since: Since = None, until: Until = None
) -> Stream:
    """All messages planned or skipped in a period, with the first instant of each state."""
    return await _streamed(
        export.messages(lake, database, caller.workspace.id, await _period(caller, database, since, until))
    )


async def _period(caller: Caller, database: Database, since: str | None, until: str | None) -> period.Period:
    async with database.connection() as conn:
        now = await accounts.now(conn, caller.workspace.id)
    return period.read(since, until, caller.workspace.zone, now + 1)


async def _streamed(lines: AsyncIterator[bytes]) -> Stream:
    """The first piece is made before anything is answered, so that what cannot be is a problem and no torn body."""
    first = await anext(lines, b"")

    async def all_of_it() -> AsyncIterator[bytes]:
        yield first
        async for piece in lines:
            yield piece

    return Stream(all_of_it(), media_type=LINES)


@get("/api/v1/insight/{metric:str}")
async def get_metric(
    metric: str,
    caller: Caller,
    database: Database,
    lake: Lake,
    since: Since = None,
    until: Until = None,
    zone: str | None = None,
    every: str | None = None,
    by: str | None = None,
    segment: str | None = None,
    basis: Literal["net", "gross"] = "net",
) -> dict[str, Any]:
    """One metric of a period, whole or as a series."""
    found = all_metrics().get(metric)
    if found is None:
        raise NotFound(f"no metric {metric!r}; there are {', '.join(sorted(all_metrics()))}")
    asker = await _asker(caller, database, lake)
    span = period.read(since, until, zone or caller.workspace.zone, asker.now)
    return await figure.figure(found, figure.Question(span, every, by, segment, basis), asker)


@post("/api/v1/insight/retention", status_code=200)
async def post_retention(data: Retention, caller: Caller, database: Database, lake: Lake) -> dict[str, Any]:
    """Cohorts by the unit in which they started, and how many of each returned in the units after."""
    return await retention(data, await _asker(caller, database, lake))


@post("/api/v1/insight/funnel", status_code=200)
async def post_funnel(data: Funnel, caller: Caller, database: Database, lake: Lake) -> dict[str, Any]:
    """How many customers did the steps one after the other, and how long they took."""
    return await funnel(data, await _asker(caller, database, lake))


@post("/api/v1/insight/clv", status_code=200)
async def post_clv(data: Clv, caller: Caller, database: Database, lake: Lake) -> dict[str, Any]:
    """Fit BG/NBD and Gamma-Gamma to the orders before `until`, and predict purchases and value over `horizon`."""
    return await clv(data, await _asker(caller, database, lake))


class Sql(Struct, frozen=True, forbid_unknown_fields=True):
    """One SELECT or EXPLAIN."""

    sql: str


@post("/api/v1/insight/sql", status_code=200)
async def post_sql(data: Sql, caller: Caller, database: Database, lake: Lake) -> dict[str, Any]:
    """Read-only SQL on this workspace's lake, bounded in time and memory."""
    async with _sql_gate:
        answer = await locked.ask(await lake.snapshot(database, caller.workspace.id), data.sql)
    told = structs.asdict(answer)
    return {name: told[name] for name in ("columns", "types", "rows", "is_cut")} | {"n": len(answer.rows)}


async def _asker(caller: Caller, database: Database, lake: Lake) -> Asker:
    async with database.connection() as conn:
        return Asker(lake, database, caller.workspace, await accounts.now(conn, caller.workspace.id))


@get("/api/v1/profiles/{ref:str}/why")
async def get_why(
    ref: str,
    caller: Caller,
    database: Database,
    lake: Lake,
    past: PastProfiles,
    message: str | None = None,
    journey: str | None = None,
    segment: str | None = None,
) -> dict[str, Any]:
    """The chain of reasons for one of a message, a journey or a segment."""
    asked = [(k, n) for k, n in (("message", message), ("journey", journey), ("segment", segment)) if n is not None]
    if len(asked) != 1:
        raise Invalid("ask about one of `message`, `journey` or `segment`", code="invalid_question")
    async with database.connection() as conn:
        profile = await find(conn, caller.workspace.id, ref)
    return await why(await _asker(caller, database, lake), past, profile, *asked[0])


class Backtest(Struct, frozen=True, forbid_unknown_fields=True):
    """Which history, and what is tried on it; without `definition`, what is published, else the draft."""

    since: str = field(name="from")
    until: str | None = field(name="to", default=None)
    definition: dict[str, Any] | None = None
    sample: Annotated[int, msgspec.Meta(ge=0, le=MOST_SHOWN)] = SAMPLE


@post("/api/v1/journeys/{name:str}/backtest", status_code=200)
async def backtest_journey(
    name: str, data: Backtest, request: Request[Any, Any, Any], caller: Caller, config: Config
) -> Any:
    """Who would have got what, when: recorded history folded again. Changes nothing."""
    return await _backtest("journey", name, data, request, caller, config)


@post("/api/v1/campaigns/{name:str}/backtest", status_code=200)
async def backtest_campaign(
    name: str, data: Backtest, request: Request[Any, Any, Any], caller: Caller, config: Config
) -> Any:
    """As for a journey; launched when it was launched then, else once at the beginning."""
    return await _backtest("campaign", name, data, request, caller, config)


@post("/api/v1/segments/{name:str}/backtest", status_code=200)
async def backtest_segment(
    name: str, data: Backtest, request: Request[Any, Any, Any], caller: Caller, config: Config
) -> Any:
    """As for a journey: who would have entered and left."""
    return await _backtest("segment", name, data, request, caller, config)


async def _backtest(
    kind: Kind, name: str, data: Backtest, request: Request[Any, Any, Any], caller: Caller, config: Config
) -> Any:
    asked = Question(
        kind=kind, name=name, since=data.since, until=data.until, definition=data.definition, sample=data.sample
    )

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    return await ask_apart(config, caller.workspace.id, asked, gone)


ROUTES = [
    backtest_journey, backtest_campaign, backtest_segment,
    get_why, get_overview, get_messages, get_metric, post_retention, post_funnel, post_clv, post_sql, export_events,
    export_messages,
]  # fmt: skip
