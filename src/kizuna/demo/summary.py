"""What became of the year, asked of the product itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from kizuna.demo import definitions
from kizuna.demo.replay import Shop
from kizuna.demo.shop import CURRENCY, ZONE, Year

FROM, TO = "2010-12-01", "2012-01-01"
ORDER = {"event": "Order Completed"}


def summary(shop: Shop, year: Year, seconds: float) -> dict[str, Any]:
    overview = shop.call("GET", "/api/v1/overview")
    gross = _metric(shop, "revenue", basis="gross")["value"]
    refunds = Decimal(overview["refunds"]["amount"])  # cancellations of this shop do not name the order
    retention = shop.call(
        "POST",
        "/api/v1/insight/retention",
        {
            "start": ORDER, "return": ORDER, "unit": "month", "periods": 13, "first_time": True, "mode": "on",
            "from": FROM, "to": TO, "zone": ZONE,
        },
    )  # fmt: skip
    horizon = shop.call(
        "POST", "/api/v1/insight/clv", {"event": "Order Completed", "until": "2011-12-10", "horizon": "1y"}
    )
    return {
        "rows_read": year.rows_read,
        "rows_rejected": year.rows_rejected,
        "events": overview["events_total"],
        "customers": _metric(shop, "active_customers")["value"],
        "orders": _metric(shop, "orders")["value"],
        "revenue": float(gross["amount"]),
        "refunds": float(refunds),
        "net_revenue": float(Decimal(gross["amount"]) - refunds),
        "currency": CURRENCY,
        "aov": float(_metric(shop, "aov", basis="gross")["value"]["amount"]),
        "repeat_rate": _metric(shop, "repeat_rate")["value"],
        "retention": retention["cohorts"],
        "clv": {key: horizon[key] for key in ("params", "expected_purchases", "expected_value") if key in horizon},
        "segments": {name: shop.call("GET", f"/api/v1/segments/{name}")["size"] for name in definitions.SEGMENTS},
        "messages": {"by_state": overview["messages"]},
        "journeys": {name: shop.call("GET", f"/api/v1/journeys/{name}")["counts"] for name in definitions.JOURNEYS},
        "campaigns": {name: shop.call("GET", f"/api/v1/campaigns/{name}") for name in definitions.CAMPAIGNS},
        "seconds": round(seconds, 1),
    }


def _metric(shop: Shop, name: str, **options: str) -> dict[str, Any]:
    query = "&".join(f"{key}={value}" for key, value in {"from": FROM, "to": TO, **options}.items())
    return shop.call("GET", f"/api/v1/insight/{name}?{query}")
