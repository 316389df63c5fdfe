"""The shop's year as events: an `Order Completed` for each invoice, an `Order Refunded` for each cancellation."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.core import clock

ZONE = "Europe/London"  # of the shop; times are read as written, in the workspace's zone
CURRENCY = "GBP"
FIRST_DAY = "2010-12-01"

encode = msgspec.json.Encoder(decimal_format="number").encode


class Invoice(Struct):
    """Kept lines of one invoice of a known customer; `products` are their JSON, as half a million objects are many."""

    number: str
    customer: str
    country: str
    at: datetime
    products: bytearray
    value: Decimal = Decimal(0)

    @property
    def is_refund(self) -> bool:
        return self.number.startswith("C")

    def add(self, code: str, name: str, quantity: int, price: Decimal) -> None:
        self.products += b"," if self.products else b""
        self.products += encode({"sku": code, "name": name, "quantity": quantity, "price": price})
        self.value += quantity * price

    def event(self) -> dict[str, Any]:
        """As a shop would send it; the id is the invoice's, so that a second sending changes nothing."""
        money = {"total": self.value} if self.is_refund else {"revenue": self.value, "total": self.value}
        products = msgspec.Raw(b"[%b]" % self.products)
        return {
            "type": "track",
            "event": "Order Refunded" if self.is_refund else "Order Completed",
            "messageId": f"invoice-{self.number}",
            "userId": self.customer,
            "timestamp": clock.show(clock.from_local(self.at, ZONE)),
            "properties": {"order_id": self.number, **money, "currency": CURRENCY, "products": products},
        }


class Year(Struct):
    """All invoices in order of time, and what the file held."""

    invoices: list[Invoice]
    rows_read: int
    rows_rejected: int


def read_year() -> Year:
    """Read the bundled file by the cleaning rule of its source (see SOURCE.md)."""
    invoices: dict[str, Invoice] = {}
    rows_read = rows_rejected = 0
    for number, code, name, quantity_text, at_text, price_text, customer, country in _rows():
        rows_read += 1
        quantity, price = int(float(quantity_text)), Decimal(price_text)
        if number.startswith("C"):
            quantity = -quantity
        if not customer or quantity <= 0 or price <= 0:
            rows_rejected += 1
            continue
        invoice = invoices.get(number)
        if invoice is None:
            at = datetime.fromisoformat(at_text)
            invoice = invoices[number] = Invoice(number, customer.removesuffix(".0"), country, at, bytearray())
        invoice.add(code, name, quantity, price)
    ordered = sorted(invoices.values(), key=lambda invoice: (invoice.at, invoice.number))
    return Year(ordered, rows_read, rows_rejected)


def _rows() -> Iterator[list[str]]:
    raw = files("kizuna.demo").joinpath("online_retail.csv.gz").read_bytes()
    with gzip.open(io.BytesIO(raw), "rt", encoding="utf-8", newline="") as text:
        lines = csv.reader(text)
        next(lines)
        yield from lines


def identify(invoice: Invoice) -> dict[str, Any]:
    """Who a customer is, as said with the first order; the names are made up, the numbers are the shop's."""
    return {
        "type": "identify",
        "messageId": f"customer-{invoice.customer}",
        "userId": invoice.customer,
        "timestamp": clock.show(clock.from_local(invoice.at, ZONE)),
        "traits": {
            "name": f"Customer {invoice.customer}",
            "email": f"customer-{invoice.customer}@shop.example",
            "country": invoice.country,
        },
    }
