"""Whether this process lives, whether it can serve, and what it measures."""

from __future__ import annotations

import asyncio

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from kizuna.accounts import store
from kizuna.core.errors import Unavailable
from kizuna.runtime.database import Database

READY_SECONDS = 2.0


@get("/health/live")
async def live() -> dict[str, str]:
    """The process runs."""
    return {"status": "ok"}


@get("/health/ready")
async def ready(database: Database) -> dict[str, str]:
    """The process runs and reaches its database, so it may be given requests."""
    try:
        async with asyncio.timeout(READY_SECONDS), database.connection() as conn:
            is_locked = await store.is_sending_locked(conn)
    except TimeoutError:
        raise Unavailable("the database does not answer", code="database_unavailable") from None
    return {"status": "ok", **({"sending": "locked"} if is_locked else {})}


@get("/metrics")
async def metrics(database: Database) -> Response[bytes]:
    """Ids, not names, of workspaces: whoever may scrape need not know the tenants."""
    async with database.connection() as conn:
        lag, messages = await store.log_lag(conn), await store.open_messages(conn)
    gauges = CollectorRegistry(auto_describe=False)
    gauges.register(_Gauge("kizuna_log_lag_rows", "Log rows not yet folded", lag))
    gauges.register(_Gauge("kizuna_messages_open", "Messages planned and not yet final", messages))
    kind = CONTENT_TYPE_LATEST.partition("; charset")[0]  # the framework adds it
    return Response(generate_latest(REGISTRY) + generate_latest(gauges), media_type=kind)


class _Gauge(Collector):
    def __init__(self, name: str, documentation: str, values: list[tuple[int, int]]) -> None:
        self._family = GaugeMetricFamily(name, documentation, labels=["workspace"])
        for workspace, value in values:
            self._family.add_metric([f"wsp_{workspace}"], value)

    def collect(self) -> list[GaugeMetricFamily]:
        return [self._family]


ROUTES = [live, ready, metrics]
