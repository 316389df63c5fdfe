"""The demo's records as of any instant are what the shop's file says of it, read here by SQL and by hand."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib.resources import as_file, files
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from msgspec import Struct

from kizuna.demo.replay import Shop as DemoShop
from kizuna.demo.replay import replay
from kizuna.testing.shop import Shop
from kizuna.testing.small_shop import small_year

LONDON = ZoneInfo("Europe/London")
ORDER, REFUND = "Order Completed", "Order Refunded"
MOMENT = timedelta(microseconds=1)
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
DAYS = [date(2010, 12, 24), date(2011, 3, 27), date(2011, 4, 2)]
EDGES = (0 * DAY, 2 * HOUR, 30 * DAY, 90 * DAY, 104 * DAY, 180 * DAY, 365 * DAY, 21 * DAY + 2 * HOUR)  # after an order

INVOICES = """
    WITH lines AS (SELECT row_number() OVER () AS line, * FROM read_csv(?, header = true, all_varchar = true)),
    kept AS (
        SELECT *, InvoiceNo LIKE 'C%' AS is_refund, abs(Quantity::DOUBLE)::BIGINT AS pieces,
               UnitPrice::DECIMAL(18, 4) AS price
        FROM lines
        WHERE CustomerID <> '' AND UnitPrice::DOUBLE > 0 AND (Quantity::DOUBLE > 0) <> (InvoiceNo LIKE 'C%')
          AND Quantity::DOUBLE <> 0
    )
    SELECT replace(CustomerID, '.0', ''), is_refund, arg_min(InvoiceDate, line)::TIMESTAMP, sum(pieces * price),
           arg_min(Country, line)
    FROM kept GROUP BY CustomerID, InvoiceNo, is_refund ORDER BY 3, InvoiceNo
"""


class Invoice(Struct, frozen=True):
    is_refund: bool
    at: datetime  # in UTC
    value: Decimal
    country: str

    @property
    def sent_at(self) -> datetime:
        """The demo sends a day's invoices when the day begins; each is heard at its own time."""
        return datetime.combine(self.at.astimezone(LONDON).date(), time(), LONDON).astimezone(UTC)


def read_file() -> dict[str, list[Invoice]]:
    """What each customer did, in order."""
    found: dict[str, list[Invoice]] = {}
    with as_file(files("kizuna.demo") / "online_retail.csv.gz") as path, duckdb.connect() as connection:
        for customer, is_refund, at, value, country in connection.execute(INVOICES, [str(path)]).fetchall():
            at = at.replace(tzinfo=LONDON).astimezone(UTC)
            found.setdefault(customer, []).append(Invoice(is_refund, at, value, country))
    return found


# what the record must say -------------------------------------------------------------------------------------------


def expected(
    customer: str, invoices: Sequence[Invoice], now: datetime, probes: dict[str, Any]
) -> dict[str, Any] | None:
    """The record of a customer at an instant; None before anything was said."""
    said = [each for each in invoices if each.sent_at <= now]
    if not said:
        return None
    heard = [each for each in invoices if each.at <= now]
    orders = [each for each in heard if not each.is_refund]
    first = next((each for each in said if not each.is_refund), None)
    mail = f"customer-{customer}@shop.example"
    return {
        "names": [customer, *([mail] if first else [])],
        "traits": {"name": f"Customer {customer}", "email": mail, "country": first.country} if first else {},
        "segments": sorted([*segments(orders, now), *probed(heard, probes)]),
        "journeys": sorted([*welcome(orders, now), *win_back(orders, now)]),
        "created_at": said[0].sent_at,
        "last_seen_at": max([said[-1].sent_at, *(each.at for each in heard[-1:])]),
    }


def segments(orders: Sequence[Invoice], now: datetime) -> Iterator[str]:
    def within(days: int) -> list[Invoice]:
        return [each for each in orders if each.at > now - days * DAY]

    if within(30) and len(orders) == 1:
        yield "new"
    if within(90):
        yield "active"
    if within(180) and not within(90):
        yield "lapsing"
    if orders and not within(180):
        yield "lost"
    if len(within(365)) >= 5 and sum(each.value for each in within(365)) >= 2000:
        yield "champions"


def welcome(orders: Sequence[Invoice], now: datetime) -> Iterator[tuple[Any, ...]]:
    """(journey, step, state, entered, left): two hours, then up to three weeks for another order, else a nudge."""
    if not orders:
        return
    began = orders[0].at
    waits_at, last = began + 2 * HOUR, began + 2 * HOUR + 21 * DAY
    again = next((each.at for each in orders if waits_at < each.at <= last), None)
    if again is not None:
        yield "welcome", "second", "completed", began, again
    elif now >= last:
        yield "welcome", "nudge", "completed", began, last
    else:
        yield "welcome", "second" if now >= waits_at else "pause", "active", began, None


def win_back(orders: Sequence[Invoice], now: datetime) -> Iterator[tuple[Any, ...]]:
    """Entered when 90 days went by, left by an order, else after a fortnight. Of those that are over, the last."""
    ended: list[tuple[Any, ...]] = []
    for number, order in enumerate(orders, 1):
        lapsed = order.at + 90 * DAY
        after = orders[number].at if number < len(orders) else None
        if lapsed > now or (after is not None and after <= lapsed):
            continue
        over = lapsed + 14 * DAY
        if after is not None and after <= over:
            ended.append(("win_back", "wait", "exited", lapsed, after))
        elif now >= over:
            ended.append(("win_back", "call" if number >= 3 else "worth", "completed", lapsed, over))
        else:
            yield "win_back", "wait", "active", lapsed, None
    yield from ended[-1:]


# how many orders, for how much: asked by segments, as a record tells no numbers ------------------------------------


def probes_for(
    file: dict[str, list[Invoice]], chance: random.Random, count: int
) -> tuple[dict[str, Any], list[tuple[str, datetime]]]:
    """Rules on numbers: of orders, and of money exactly as much as somebody had spent; and when that was, just so."""
    probes: dict[str, Any] = {
        f"orders_{least}": {"did": ORDER, "count": {"gte": least}} for least in (1, 2, 3, 4, 5, 7, 10, 20, 50)
    }
    asked: list[tuple[str, datetime]] = []
    every = [(who, *each) for who, invoices in sorted(file.items()) for each in sums(invoices)]
    for number, (who, at, total) in enumerate(chance.sample(every, count)):
        spent = {"sum": {"event": ORDER, "property": "revenue"}}
        probes[f"spent_{number}"] = {**spent, "gte": float(total)}
        probes[f"over_{number}"] = {**spent, "gt": float(total)}
        asked += [(who, at - MOMENT), (who, at)]
    probes["refunded"] = {"sum": {"event": REFUND, "property": "total"}, "gte": 50}
    return probes, asked


def sums(invoices: Iterable[Invoice]) -> Iterator[tuple[datetime, Decimal]]:
    """What a customer had spent after each order."""
    total = Decimal(0)
    for each in invoices:
        if not each.is_refund:
            total += each.value
            yield each.at, total


def probed(heard: Sequence[Invoice], probes: dict[str, Any]) -> Iterator[str]:
    orders = [each for each in heard if not each.is_refund]
    spent = sum((each.value for each in orders), Decimal(0))
    refunded = sum((each.value for each in heard if each.is_refund), Decimal(0))
    for name, rule in probes.items():
        match name.partition("_")[0]:
            case "orders":
                holds = len(orders) >= rule["count"]["gte"]
            case "spent":
                holds = spent >= Decimal(str(rule["gte"]))
            case "over":
                holds = spent > Decimal(str(rule["gt"]))
            case _:
                holds = refunded >= rule["gte"]
        if holds:
            yield name


# what it says -------------------------------------------------------------------------------------------------------


def read(shop: DemoShop, customer: str, now: datetime) -> dict[str, Any] | None:
    found = shop.api.get(f"/api/v1/profiles/user:{customer}", params={"as_of": now.isoformat()})
    if found.status_code == 404:
        return None
    record = found.raise_for_status().json()
    return {
        "names": [each["id"] for each in record["identities"]],
        "traits": record["traits"],
        "segments": record["segments"],
        "journeys": sorted(
            (run["journey"], run["step"], run["state"], instant(run["entered_at"]), instant(run["left_at"]))
            for run in record["journeys"]
        ),
        "created_at": instant(record["created_at"]),
        "last_seen_at": instant(record["last_seen_at"]),
    }


def instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def differences(
    shop: DemoShop, file: dict[str, list[Invoice]], asked: Iterable[tuple[str, datetime]], probes: dict[str, Any]
) -> list[Any]:
    found = ((who, now, read(shop, who, now), expected(who, file[who], now, probes)) for who, now in asked)
    return [each for each in found if each[2] != each[3]]


def midnights(customers: Iterable[str], days: Iterable[date]) -> list[tuple[str, datetime]]:
    begins = [datetime.combine(day, time(), LONDON).astimezone(UTC) for day in days]
    return [(customer, begin) for customer in customers for begin in begins]


def edges(file: dict[str, list[Invoice]], chance: random.Random, count: int) -> list[tuple[str, datetime]]:
    """Instants at which something changes by what was ordered before, and those just before them."""
    last = max(invoices[-1].at for invoices in file.values())
    every = [
        (customer, each.at + length)
        for customer, invoices in sorted(file.items())
        for each in invoices
        for length in EDGES
        if not each.is_refund and each.at + length <= last
    ]
    chosen = chance.sample(every, count)
    return [(customer, at - early) for customer, at in chosen for early in (MOMENT, timedelta())]


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Iterator[DemoShop]:
    opened = open_shop(start="2010-12-01T00:00:00Z", zone="Europe/London", currency="GBP")
    shop = DemoShop(str(opened.http.base_url), opened.made["write_key"], opened.made["api_key"])
    yield shop
    shop.close()


def test_a_record_of_the_demo_as_of_any_instant_is_what_the_file_says(shop: DemoShop) -> None:
    chance = random.Random(1941)
    year = small_year()
    last = max(invoice.at for invoice in year.invoices).replace(tzinfo=LONDON)
    whole, chosen = read_file(), {invoice.customer for invoice in year.invoices}
    file = {who: [each for each in whole[who] if each.at <= last] for who in sorted(chosen)}
    probes, asked = probes_for(file, chance, 6)
    shop.publish()
    for name, rule in probes.items():
        shop.call("PUT", f"/api/v1/segments/{name}", {"where": rule})
    replay(shop, year, lambda *_: None)
    asked += [*midnights(file, DAYS), *edges(file, chance, 30)]
    wanted = [expected(who, file[who], now, probes) for who, now in asked]
    assert {name for record in wanted if record for name in record["segments"]} > {"new", "active", "lapsing"}
    assert {run[:3] for record in wanted if record for run in record["journeys"]} > {
        ("welcome", "second", "completed"), ("win_back", "wait", "active"), ("win_back", "wait", "exited"),
    }  # fmt: skip
    assert differences(shop, file, asked, probes) == []
