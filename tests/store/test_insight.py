"""Metrics over a real lake: Shop T of the definitions, published retention tables, and a real shop's year."""

from __future__ import annotations

import asyncio
import csv
import gzip
import json as plain_json
import random
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import convert, json

from kizuna.accounts.caller import Caller
from kizuna.core import clock, ids
from kizuna.core.errors import Invalid
from kizuna.engine.moment import Item
from kizuna.engine.slice import Workspace
from kizuna.insight import period, routes
from kizuna.insight.ask import Asker, Filter
from kizuna.insight.clv import Clv, clv
from kizuna.insight.figure import Question, figure
from kizuna.insight.funnel import Funnel, funnel
from kizuna.insight.messages import message_funnel
from kizuna.insight.metrics import all_metrics
from kizuna.insight.overview import Overviews
from kizuna.insight.retention import Retention, retention
from kizuna.runtime.archiver import Archiver
from kizuna.runtime.database import Database, connect
from kizuna.runtime.lake.query import Lake

from .lake_builder import History, Place

SHARED = Path(__file__).parents[3] / "shared" / "data"
SHOP = Path(__file__).parents[2] / "src" / "kizuna" / "demo" / "online_retail.csv.gz"

Ask = Callable[[Callable[[Asker], Coroutine[Any, Any, Any]]], Any]


class Shop:
    """A history, its lake, and a way to ask."""

    def __init__(self, history: History, place: Place, url: str) -> None:
        self.history, self.lake, self.url = history, Lake(place), url
        self.archiver = Archiver(place, history.connection)
        self.now = clock.read_time("2030-01-01") or 0

    def ask(self, question: Callable[[Asker], Coroutine[Any, Any, Any]]) -> Any:
        async def run() -> Any:
            database = Database(self.url)
            await database.open()
            try:
                of = self.history
                workspace = Workspace(of.workspace, "shop", "test", of.zone, of.currency, "opt_out")
                return await question(Asker(self.lake, database, workspace, self.now))
            finally:
                await database.close()

        return asyncio.run(run())

    def figure(self, name: str, since: str | None = None, until: str | None = None, **more: Any) -> dict[str, Any]:
        span = period.read(since, until, self.history.zone, self.now)
        return self.ask(lambda asker: figure(all_metrics()[name], Question(span, **more), asker))

    def said(self, who: str, event: str, at: str, **properties: Any) -> None:
        timestamp = clock.read_time(at, self.history.zone)
        assert timestamp is not None
        number = f"{event} {who} {at} {properties.get('order_id')}"
        item = Item(person(who), number, "track", event, timestamp, json.encode(properties))
        self.history.say([item])


def person(name: str) -> bytes:
    return ids.profile_id(1, "user", name)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "data")


@pytest.fixture
def connection_of(database_url: str) -> Iterator[Any]:
    with connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def shop(connection_of: Any, place: Place, database_url: str) -> Shop:
    return Shop(History(connection_of), place, database_url)


SHOP_T = [
    ("o1", "A", "2026-01-05", 10_000, 2),
    ("o2", "B", "2026-01-10", 4_000, 1),
    ("o3", "A", "2026-01-20", 6_000, 3),
    ("o4", "C", "2026-02-03", 8_000, 2),
    ("o5", "A", "2026-02-14", 5_000, 1),
    ("o6", "B", "2026-02-20", 3_000, 1),
    ("o7", "D", "2026-03-01", 12_000, 4),
    ("o8", "E", "2026-03-15", 2_000, 1),
]


@pytest.fixture
def shop_t(shop: Shop) -> Shop:
    """The example of the definitions; half of it archived."""
    for order, who, day, value, units in SHOP_T:
        products = [{"price": value, "quantity": units}]
        shop.said(who, "Order Completed", day, order_id=order, revenue=value, currency="JPY", products=products)
        if order == "o4":
            shop.archiver.turn()
    shop.said("B", "Order Refunded", "2026-04-02", order_id="o6", total=1_000)
    shop.said("E", "Order Cancelled", "2026-03-16", order_id="o8")
    return shop


def test_the_figures_of_shop_t(shop_t: Shop) -> None:
    def value(name: str, **more: Any) -> Any:
        return shop_t.figure(name, "2026-01-01", "2026-04-01", **more)["value"]

    assert value("orders") == 7
    assert value("revenue") == {"amount": "47000", "currency": "JPY"}
    assert value("revenue", basis="gross") == {"amount": "48000", "currency": "JPY"}
    assert value("aov")["amount"] == "6714.29"
    assert value("aov", basis="gross")["amount"] == "6857.14"
    assert value("aoq") == 2.0
    assert value("repeat_rate") == 0.5
    assert value("purchase_frequency") == 1.75
    assert value("new_customers") == 4
    assert value("active_customers") == 4


def test_an_answer_says_what_it_is(shop_t: Shop) -> None:
    told = shop_t.figure("repeat_rate", "2026-01-01", "2026-04-01")
    assert (told["n"], told["unit"], told["small"]) == (4, "share", True)
    assert told["interval"] == pytest.approx([0.15, 0.85], abs=0.005)
    assert (told["from"], told["to"]) == ("2025-12-31T15:00:00Z", "2026-03-31T15:00:00Z")
    assert told["definition"]


def test_months_are_cut_in_the_zone(shop_t: Shop) -> None:
    shop_t.said("F", "Order Completed", "2026-01-31T15:30:00Z", order_id="o9", revenue=1)  # February in Tokyo
    told = shop_t.figure("revenue", "2026-01-01", "2026-05-01", every="1mo")["series"]
    assert [(part["start"], part["value"]["amount"], part["n"]) for part in told] == [
        ("2026-01-01", "20000", 3),
        ("2026-02-01", "15001", 4),
        ("2026-03-01", "12000", 1),
        ("2026-04-01", "0", 0),
    ]


def test_new_customers_are_new_once(shop_t: Shop) -> None:
    told = shop_t.figure("new_customers", "2026-01-01", "2026-04-01", every="1mo")["series"]
    assert [part["value"] for part in told] == [2, 1, 1]
    assert shop_t.figure("new_customers", "2026-02-10", "2026-04-01")["value"] == 1


def test_nothing_to_divide_by_is_null(shop_t: Shop) -> None:
    for name in ("aov", "aoq", "repeat_rate", "purchase_frequency"):
        told = shop_t.figure(name, "2020-01-01", "2020-02-01")
        assert (told["value"], told["n"]) == (None, 0)
    assert shop_t.figure("revenue", "2020-01-01", "2020-02-01")["value"]["amount"] == "0"


def test_other_currencies_are_left_out_and_counted(shop_t: Shop) -> None:
    shop_t.said("A", "Order Completed", "2026-02-01", order_id="usd", revenue=50, currency="usd")
    told = shop_t.figure("revenue", "2026-01-01", "2026-04-01")
    assert (told["value"]["amount"], told["unconverted"], told["n"]) == ("47000", 1, 7)
    assert shop_t.figure("orders", "2026-01-01", "2026-04-01")["value"] == 8


def test_by_a_trait_and_of_a_segment(shop_t: Shop) -> None:
    for who, country in (("A", "JP"), ("B", "JP"), ("C", "FR")):
        shop_t.history.fact(person(who), "profile_updated", 0, traits={"address": {"country": country}})
    shop_t.history.fact(person("A"), "segment_entered", 0, segment="vip", version=1)
    told = shop_t.figure("orders", "2026-01-01", "2026-04-01", by="address.country")["groups"]
    assert [(group["by"], group["value"]) for group in told] == [(None, 1), ("FR", 1), ("JP", 5)]
    assert shop_t.figure("orders", segment="vip")["value"] == 3
    with pytest.raises(Invalid):
        shop_t.figure("orders", by='a"."b')


def test_figures_agree_with_plain_python(shop: Shop) -> None:
    chance, shop.history.currency = random.Random(11), "EUR"
    orders: dict[str, list[Any]] = {}
    for number in range(120):
        who, day = f"p{chance.randrange(25)}", date(2026, 1, 1) + timedelta(days=chance.randrange(180))
        value = Decimal(chance.randrange(1, 100_000)) / 100
        orders[f"o{number}"] = [who, day, value, Decimal(0), True]
        shop.said(who, "Order Completed", f"{day}T00:30:00", order_id=f"o{number}", revenue=str(value))
        if number == 60:
            shop.archiver.turn()
    for number in chance.sample(range(120), 30):
        order = orders[f"o{number}"]
        amount = Decimal(chance.randrange(1, 100_000)) / 100
        order[3] = min(order[2], order[3] + amount)
        shop.said("x", "Order Refunded", "2026-07-01", order_id=f"o{number}", total=str(amount))
    for number in chance.sample(range(120), 10):
        orders[f"o{number}"][4] = False
        shop.said("x", "Order Cancelled", "2026-07-01", order_id=f"o{number}")
    counted = [order for order in orders.values() if order[4]]
    by_week: dict[str, Decimal] = defaultdict(Decimal)
    for _, day, value, refund, _ in counted:
        by_week[(day - timedelta(days=day.weekday())).isoformat()] += value - refund
    told = shop.figure("revenue", "2026-01-01", "2026-07-01", every="1w")["series"]
    assert {part["start"]: Decimal(part["value"]["amount"]) for part in told if part["n"]} == by_week
    buyers: dict[str, int] = defaultdict(int)
    for order in counted:
        buyers[order[0]] += 1
    share = sum(n >= 2 for n in buyers.values()) / len(buyers)
    assert shop.figure("repeat_rate")["value"] == pytest.approx(share)


def published_retention() -> list[dict[str, Any]]:
    return plain_json.loads((SHARED / "analytics-expected" / "retention.json").read_text())["cases"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published tables lie beside the repository")
def test_the_published_triangle_of_recurring_retention(shop: Shop) -> None:
    case = published_retention()[0]
    shop.history.zone = "UTC"
    for number, (who, at) in enumerate(case["events"]):
        shop.said(who, "pageview", at, order_id=number)
    for alias, who in case["aliases"].items():
        shop.history.fact(person(who), "profile_merged", 0, **{"from": ids.show("prf", person(alias))})
    shop.now = clock.read_time("2020-06-20T12:00:00Z") or 0
    seen = Filter("pageview")
    asked = Retention(
        start=seen, returned=seen, unit="day", periods=11, first_time=False, since="2020-06-10", until="2020-06-21"
    )
    cohorts = shop.ask(lambda asker: retention(asked, asker))["cohorts"]
    assert [cohort["returned"] for cohort in cohorts] == case["expected_triangle"]
    assert [cohort["start"] for cohort in cohorts][:2] == ["2020-06-10", "2020-06-11"]


def test_retention_on_or_after(shop: Shop) -> None:
    """The cohort of the definitions: A active on days 1 and 7, B on 3, C on 1, 2 and 8."""
    for who, days in {"A": (1, 7), "B": (3,), "C": (1, 2, 8)}.items():
        shop.said(who, "Signed Up", "2026-03-01T10:00:00")
        for day in days:
            shop.said(who, "Opened", f"2026-03-{1 + day:02}T09:00:00", plan="pro" if who == "A" else "free")
    body = {"start": {"event": "Signed Up"}, "return": {"event": "Opened"}, "unit": "day", "periods": 9}
    body |= {"from": "2026-03-01", "to": "2026-03-02"}

    def returned(**more: Any) -> list[int]:
        asked = convert(body | more, Retention)
        (cohort,) = shop.ask(lambda asker: retention(asked, asker))["cohorts"]
        assert cohort["size"] == 3
        return cohort["returned"]

    assert returned() == [3, 2, 1, 1, 0, 0, 0, 1, 1]
    assert returned(mode="on_or_after") == [3, 3, 3, 3, 2, 2, 2, 2, 1]
    pro = {"event": "Opened", "where": [{"property": "plan", "is": "pro"}]}
    assert returned(**{"return": pro}) == [3, 1, 0, 0, 0, 0, 0, 1, 0]


def test_the_funnel_of_the_definitions(shop: Shop) -> None:
    journeys = {
        "p1": [("view", 0), ("cart", 1), ("order", 8)],
        "p2": [("view", 0), ("cart", 2), ("order", 7)],
        "p3": [("cart", 0), ("view", 1), ("cart", 2)],
        "p4": [("view", 0)],
        "p5": [("order", 0)],
    }
    for who, events in journeys.items():
        for event, day in events:
            shop.said(who, event, f"2026-03-{1 + day:02}", plan=who)
    asked = Funnel([Filter("view"), Filter("cart"), Filter("order")], window="7d", by="properties.plan")
    told = shop.ask(lambda asker: funnel(asked, asker))
    assert [step["profiles"] for step in told["steps"]] == [4, 3, 1]
    assert [step["from_previous"] for step in told["steps"]] == [None, 0.75, pytest.approx(1 / 3)]
    assert [step["rate"] for step in told["steps"]] == [1, 0.75, 0.25]
    assert told["steps"][1]["median_seconds"] == 86_400
    assert [(group["by"], group["steps"][2]["profiles"]) for group in told["groups"]][1] == ("p2", 1)


def test_messages_are_counted_by_state_and_journey(shop: Shop) -> None:
    for number in range(5):
        common = {"message": f"m{number}", "channel": "email", "journey": "welcome" if number < 4 else "back"}
        shop.history.fact(person(f"p{number}"), "message_planned", number, **common)
        states = ("sent", "delivered", "opened", "clicked")[:number]
        for at, state in enumerate(states, start=1):
            raw = json.encode({**common, "url": "https://x"})
            shop.history.say([Item(person(f"p{number}"), f"{number}{state}", "report", f"message_{state}", at, raw)])
    shop.history.fact(person("p9"), "message_skipped", 9, message="m9", journey="back", reason="no_consent")
    span = period.read(None, None, "UTC", shop.now)
    told = shop.ask(lambda asker: message_funnel(span, "journey", {}, asker))
    assert told["states"] | {} == told["states"]
    assert [told["states"][state] for state in ("planned", "sent", "delivered", "opened", "clicked", "skipped")] == [
        *(5, 4, 3, 2, 1, 1)
    ]
    assert told["rates"]["open_rate"] == pytest.approx(2 / 3)
    assert told["skipped_by_reason"] == {"no_consent": 1}
    assert {group["by"]: group["states"]["planned"] for group in told["groups"]} == {"welcome": 4, "back": 1}


def test_too_little_for_a_lifetime_value_is_said(shop_t: Shop) -> None:
    told = shop_t.ask(lambda asker: clv(Clv(until="2026-04-01", horizon="39w"), asker))
    assert (told["params"], told["n"], told["repeaters"], told["weeks"]) == (None, 4, 2, 39.0)


def test_the_overview_of_an_empty_and_a_small_shop(shop_t: Shop, connection_of: Any) -> None:
    told = shop_t.ask(lambda asker: Overviews().overview(asker))
    assert (told["orders"], told["customers"], told["repeat_rate"]) == (7, 4, 0.5)
    assert (told["revenue"]["amount"], told["net_revenue"]["amount"], told["refunds"]["amount"]) == (
        "48000",
        "47000",
        "1000",
    )
    empty = Shop(History(connection_of, name="empty"), Place(shop_t.lake.place.data), shop_t.url)
    told = empty.ask(lambda asker: Overviews().overview(asker))
    assert (told["orders"], told["aov"], told["events_total"], told["months"]) == (0, None, 0, [])


@pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")  # as the server does
def test_the_http_of_insight(shop_t: Shop) -> None:
    from litestar import Litestar
    from litestar.di import Provide
    from litestar.testing import TestClient

    database, of = Database(shop_t.url), shop_t.history
    caller = Caller(Workspace(of.workspace, "shop", "test", of.zone, of.currency, "opt_out"), "analyst")
    parts = {"caller": caller, "database": database, "lake": shop_t.lake, "overviews": Overviews()}
    of.connection.execute("UPDATE workspace SET now = %s", [clock.read_time("2026-04-01", of.zone)])
    app = Litestar(
        routes.ROUTES,
        dependencies={name: Provide(_give(part), sync_to_thread=False) for name, part in parts.items()},
        on_startup=[database.open],
        on_shutdown=[database.close],
    )
    with TestClient(app) as client:
        told = client.get("/api/v1/insight/aov", params={"from": "2026-02-01", "to": "2026-03-01"}).json()
        assert (told["value"], told["n"]) == ({"amount": "5000.00", "currency": "JPY"}, 3)
        series = client.get("/api/v1/insight/orders?from=2026-01-01&every=1mo").json()["series"]
        assert [part["value"] for part in series] == [3, 3, 1]
        assert client.get("/api/v1/insight/messages").json()["n"] == 0
        assert client.get("/api/v1/overview").json()["orders"] == 7
        body = {"start": {"event": "Order Completed"}, "return": {"event": "Order Completed"}, "unit": "month"}
        body |= {"periods": 3, "from": "2026-01-01", "to": "2026-04-01"}
        cohorts = client.post("/api/v1/insight/retention", json=body).json()["cohorts"]
        assert [cohort["returned"] for cohort in cohorts] == [[2, 2, 0], [1, 0, 0], [2, 0]]
        rows = client.post("/api/v1/insight/sql", json={"sql": "SELECT count(*) AS n, sum(net) AS net FROM orders"})
        assert (rows.json()["columns"], rows.json()["rows"]) == (["n", "net"], [[7, 47000.0]])
        assert client.post("/api/v1/insight/funnel", json={"steps": [{"event": "Order Completed"}]}).json()["n"] == 5


def _give(part: Any) -> Callable[[], Any]:
    return lambda: part


def invoices() -> Iterator[tuple[str, str, str, Decimal]]:
    """(invoice, customer, time, value) by the rule of the data's description."""
    values: dict[str, Decimal] = defaultdict(Decimal)
    heads: dict[str, tuple[str, str]] = {}
    with gzip.open(SHOP, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            number, quantity, price = row["InvoiceNo"], Decimal(row["Quantity"]), Decimal(row["UnitPrice"])
            if number.startswith("C") or not row["CustomerID"] or quantity <= 0 or price <= 0:
                continue
            values[number] += quantity * price
            heads.setdefault(number, (row["CustomerID"], row["InvoiceDate"]))
    for number, (customer, at) in heads.items():
        yield number, customer, at, values[number]


@pytest.mark.skipif(not SHOP.is_file(), reason="the shop's data is not there")
def test_a_real_shops_year(connection_of: Any, place: Place, database_url: str) -> None:
    shop = Shop(History(connection_of, zone="Europe/London", currency="GBP"), place, database_url)
    batch: list[Item] = []
    for number, customer, at, value in invoices():
        timestamp = clock.read_time(at, "Europe/London")
        assert timestamp is not None
        properties = json.encode({"order_id": number, "revenue": str(value), "currency": "GBP"})
        batch.append(Item(person(customer), number, "track", "Order Completed", timestamp, properties))
        if len(batch) == 4_000:
            shop.history.say(batch)
            batch = []
            if timestamp < (clock.read_time("2011-10-01") or 0):
                shop.archiver.turn()  # the rest is read from the log's tail
    shop.history.say(batch)
    shop.now = clock.read_time("2011-12-10") or 0
    connection_of.execute("UPDATE workspace SET now = %s", [shop.now])

    told = shop.figure("revenue", basis="gross")
    assert told["value"] == {"amount": "8911407.90", "currency": "GBP"}
    assert shop.figure("active_customers")["value"] == 4338
    completed = Filter("Order Completed")
    asked = Retention(start=completed, returned=completed, periods=13, since="2010-12-01", until="2012-01-01")
    cohorts = shop.ask(lambda asker: retention(asked, asker))["cohorts"]
    expected = {
        "2010-12-01": [885, 324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445, 235],
        "2011-01-01": [417, 92, 111, 96, 134, 120, 103, 101, 125, 136, 152, 49],
        "2011-02-01": [380, 71, 71, 108, 103, 94, 96, 106, 94, 116, 26],
    }
    assert {cohort["start"]: cohort["returned"] for cohort in cohorts[:3]} == expected
    told = shop.ask(lambda asker: Overviews().overview(asker))
    assert told["revenue"]["amount"] == "8911407.90"
    assert {cohort["start"]: cohort["returned"] for cohort in told["retention"]["cohorts"][:3]} == expected
    told = shop.ask(lambda asker: clv(Clv(until="2011-12-10", horizon="12mo"), asker))
    assert told["n"] == 4338
    assert 0 < told["alive"] < 4338
    assert told["params"]
