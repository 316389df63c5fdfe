"""`render`: the reference mail, an order confirmation of 13 kB, by our renderer and by python-liquid's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from liquid import Environment, Mode
from liquid.builtin import DictLoader
from rich.console import Console

from kizuna.templates.budget import OUTPUT_BYTES, TURNS
from kizuna.templates.definition import Template, Wording
from kizuna.templates.render import render

MAIL = Path(__file__).with_name("order_confirmation.liquid").read_text()
ROUNDS = 7
EACH = 200  # renderings a round and side


def run(screen: Console) -> Iterator[str]:
    """Both parse once; both have limits on loops, output and variables; the HTML is the same byte for byte."""
    screen.print("render ...")
    ours, theirs = our_renderer(), their_renderer()
    mails = [data(number) for number in range(EACH)]
    for each in mails:
        assert ours(each) == theirs(each), "the two differ"  # noqa: S101  # what the row says must hold
    spent: dict[str, list[float]] = {"ours": [], "theirs": []}
    for number in range(ROUNDS):
        sides = [("ours", ours), ("theirs", theirs)]
        for name, renderer in sides if number % 2 else reversed(sides):
            spent[name].append(_microseconds(renderer, mails))
    ratio = median(other / own for own, other in zip(spent["ours"], spent["theirs"], strict=True))
    yield (
        f"{len(MAIL):,} bytes of template: {median(spent['ours']):.0f} µs a mail, python-liquid"
        f" {median(spent['theirs']):.0f} µs, ratio {ratio:.2f}; the same bytes"
    )


def _microseconds(renderer: Callable[[dict[str, Any]], str], mails: list[dict[str, Any]]) -> float:
    began = time.process_time()
    for each in mails:
        renderer(each)
    return (time.process_time() - began) / len(mails) * 1e6


def our_renderer() -> Callable[[dict[str, Any]], str]:
    template = Template("email", "liquid+html", Wording(None, MAIL), {})
    return lambda variables: render(template, variables).body


def their_renderer() -> Callable[[dict[str, Any]], str]:
    class Limited(Environment):
        loop_iteration_limit = TURNS
        output_stream_limit = OUTPUT_BYTES
        local_namespace_limit = 16_000_000

    environment = Limited(autoescape=True, tolerance=Mode.STRICT, strict_filters=True, loader=DictLoader({}))
    parsed = environment.from_string(MAIL)
    return lambda variables: parsed.render(**variables)


def data(number: int) -> dict[str, Any]:
    """What a mail is written from; every customer orders something else."""
    products = [
        {
            "name": f"Linen <towel> & napkin set no. {number * 7 + index}, washed", "url": f"https://shop.example/p/{index}",
            "image_url": f"https://cdn.example/{index}.jpg" if index % 4 else None, "price": 1_200 + 35 * index,
            "quantity": 1 + (number + index) % 3, "discount": 100 if index % 3 == 0 else 0,
            "variant": "natural / 40 x 60 cm" if index % 2 else None, "brand": "Ori & Co", "backorder": index == 3,
            "ships_on": "2026-04-05", "in_stock": index != 2, "old_price": 1_500 if index % 2 else None,
        }
        for index in range(6)
    ]  # fmt: skip
    address = {
        "name": "Ada Lovelace", "company": "", "street": "1-2-3 Ginza", "postal_code": "104-0061", "city": "東京",
        "country": "Japan", "phone": "+81 3 0000 0000",
    }  # fmt: skip
    return {
        "profile": {"traits": {
            "first_name": "Ada", "honorific": "様", "locale": "en-JP",
            "tier": ("gold", "silver", "platinum")[number % 3],
            "points": 4_200 + number,
        }},
        "event": {"timestamp": "2026-03-08T20:30:00Z", "properties": {
            "order_id": f"A-{10_000 + number}", "symbol": "¥", "points": 120, "gift": number % 5 == 0, "express": True,
            "products": products, "subtotal": 12_345, "shipping": 0 if number % 2 else 550, "total": 12_895,
            "coupons": [{"code": "spring", "amount": 500}], "recommended": products[:5],
            "addresses": [{**address, "kind": "shipping"}, {**address, "kind": "billing", "phone": None}],
        }},
        "shop": {
            "name": "Ginza Linen", "url": "https://shop.example", "placeholder": "https://cdn.example/none.png",
            "email": "hello@shop.example", "phone": "+81 3 1111 1111", "company": "Ginza Linen KK",
            "address": "1-2-3 Ginza, Chuo, Tokyo",
            "notes": ["Change the address until noon.", "Parcels are insured.", "Boxes are recycled."],
        },
        "message": {
            "campaign": None, "preferences_url": "https://shop.example/p/x", "view_url": "https://shop.example/v/x",
        },
    }  # fmt: skip
