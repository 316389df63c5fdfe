"""Letters the whole way: planned, gathered, printed in a batch, posted; and what comes back of them."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from PIL import Image
from pypdf import PdfReader

from kizuna.testing.shop import Shop

HOME = {"street": "Musterstr. 1", "city": "München", "postalCode": "80331", "country": "DE"}
BODY = "Dear {{ profile.traits.name }},\n\ncome and see us: https://shop.example/autumn"
SETTINGS = {"country": "DE", "sender": "Bean Shop, Weg 1, 80331 München", "imprint": "Bean Shop GmbH"}


@pytest.fixture
def post(shop: Shop) -> Shop:
    """A shop that writes letters, with a journey from order to letter to coffee."""
    shop.ask("PUT", "/api/v1/providers/print", {"kind": "letters", "settings": SETTINGS})
    shop.ask("PUT", "/api/v1/templates/autumn", {"channel": "letter", "subject": "Autumn", "body": BODY})
    steps = [
        {"id": "write", "send": {"channel": "letter", "template": "autumn"}},
        {"id": "wait", "wait_for": [{"event": "Letter Code Redeemed"}], "timeout": "30d", "else": "end"},
        {"id": "thank", "update": {"traits": {"came": True}}},
    ]
    shop.journey("autumn", {"entry": {"on": {"event": "Order Completed"}}, "steps": steps})
    return shop


def order(shop: Shop, *who: str, **home: str) -> None:
    for name in who:
        shop.identify(name, name=name.title(), address=HOME | home)
        shop.track(name, "Order Completed")


def states(shop: Shop) -> dict[str, str]:
    found = shop.all("/api/v1/messages", limit=500)
    return {each["address"].partition("\n")[0].lower(): each["state"] for each in found}


def handed(shop: Shop, count: int) -> None:
    """Wait until so many letters are gathered."""
    for _ in range(600):
        if shop.get("/api/v1/letters/batches")["open"]["letters"] == count:
            return
    raise AssertionError(shop.get("/api/v1/letters/batches"))


def rows(shop: Shop, number: int) -> list[dict[str, str]]:
    raw = raw_of(shop, f"/api/v1/letters/batches/{number}/letters.csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(raw)))


def raw_of(shop: Shop, path: str) -> bytes:
    answer = shop.http.get(path, headers={"Authorization": f"Bearer {shop.made['api_key']}"})
    assert answer.status_code == 200, answer.text
    return answer.content


def close(shop: Shop) -> list[Any]:
    return shop.ask("POST", "/api/v1/letters/batches", expect=201)["items"]


def test_a_letter_bears_the_logo_of_its_template_and_bold_words(post: Shop) -> None:
    file = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(file, "PNG")
    logo = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    body = {"channel": "letter", "body": "Dear **{{ profile.traits.name }}**"}
    refused = post.ask("PUT", "/api/v1/templates/autumn", {**body, "logo": logo[:60]}, expect=400)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("invalid_logo", "/logo")
    wrong = post.ask("PUT", "/api/v1/templates/mail", {"channel": "email", "body": "x", "logo": logo}, expect=400)
    assert wrong["errors"][0]["pointer"] == "/logo"
    post.ask("PUT", "/api/v1/templates/autumn", {**body, "logo": logo})
    order(post, "ada")
    handed(post, 1)
    close(post)
    raw = raw_of(post, "/api/v1/letters/batches/1/letters.pdf")
    assert raw.count(b"/Subtype /Image") == 1
    assert "Dear Ada" in PdfReader(io.BytesIO(raw)).pages[0].extract_text()


def test_a_letter_goes_out_and_its_code_comes_back(post: Shop) -> None:
    order(post, "ada", "bob")
    handed(post, 2)
    assert states(post) == {"ada": "handed", "bob": "handed"}
    (batch,) = close(post)
    assert (batch["number"], batch["letters"], batch["state"]) == (1, 2, "closed")
    table = {row["name"]: row for row in rows(post, 1)}
    assert table["Ada"]["text"] == "Dear Ada,\n\ncome and see us: https://shop.example/autumn"
    assert (table["Ada"]["postal_code"], table["Ada"]["line1"]) == ("80331", "Musterstr. 1")
    pages = PdfReader(io.BytesIO(raw_of(post, "/api/v1/letters/batches/1/letters.pdf"))).pages
    assert len(pages) == 2
    code = table["Ada"]["code"]
    post.ask("POST", f"/api/v1/letters/codes/{code}/redeem", expect=409)  # it lies on our desk yet
    assert post.ask("POST", "/api/v1/letters/batches/1/posted")["state"] == "posted"
    assert states(post) == {"ada": "sent", "bob": "sent"}
    typed = f" {code[:4].lower()}-{code[4:8]} {code[8:]}"
    said = post.ask("POST", f"/api/v1/letters/codes/{typed}/redeem", {"properties": {"till": 3}})
    assert said["journey"] == "autumn"
    assert post.ask("POST", f"/api/v1/letters/codes/{code}/redeem", expect=409)["code"] == "already_redeemed"
    assert post.profile("ada")["traits"]["came"] is True
    (redeemed,) = [each for each in post.timeline("ada") if each["event"] == "Letter Code Redeemed"]
    assert redeemed["properties"]["till"] == 3
    assert post.counts("autumn")["completed"] == 1
    assert post.counts("autumn")["active"] == 1
    (shown,) = post.get("/api/v1/letters/batches")["items"]
    assert (shown["redeemed"], shown["returned"]) == (1, 0)
    wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
    assert post.ask("POST", f"/api/v1/letters/codes/{wrong}/redeem", expect=404)["code"] == "unknown_code"


def test_the_qr_code_leads_to_the_letters_own_link(post: Shop) -> None:
    order(post, "ada")
    handed(post, 1)
    close(post)
    (row,) = rows(post, 1)
    path = httpx.URL(row["url"]).path
    before = post.http.get(path, headers={"User-Agent": "Mozilla/5.0"})
    assert (before.status_code, before.headers["location"]) == (302, "https://shop.example/autumn")
    post.ask("POST", "/api/v1/letters/batches/1/posted")
    post.position = post.http.get(path, headers={"User-Agent": "Mozilla/5.0"}).headers["kizuna-position"]
    assert states(post) == {"ada": "clicked"}
    assert post.http.get("/q/AAAAAAAAAAA").status_code == 404


def test_a_qr_code_leads_to_addresses_of_any_letters(post: Shop) -> None:
    body = "Look: https://例え.jp/秋?q=茶 now"
    post.ask("PUT", "/api/v1/templates/autumn", {"channel": "letter", "subject": "Autumn", "body": body})
    order(post, "ada")
    handed(post, 1)
    close(post)
    (row,) = rows(post, 1)
    led = post.http.get(httpx.URL(row["url"]).path)
    assert (led.status_code, led.headers["location"]) == (302, "https://xn--r8jz45g.jp/%E7%A7%8B?q=%E8%8C%B6")


def test_who_opts_out_before_it_closes_is_not_printed(post: Shop) -> None:
    order(post, "ada", "bob")
    handed(post, 2)
    post.ask("PUT", "/api/v1/profiles/user:ada/consent", {"channel": "letter", "state": "opted_out"})
    (batch,) = close(post)
    assert batch["letters"] == 1
    assert states(post) == {"ada": "skipped", "bob": "handed"}
    assert [row["name"] for row in rows(post, 1)] == ["Bob"]


def test_returned_mail_ends_the_address_and_nothing_else(post: Shop) -> None:
    order(post, "ada", "bob")
    handed(post, 2)
    close(post)
    codes = {row["name"]: row["code"] for row in rows(post, 1)}
    report = {"codes": [codes["Ada"], "nonsense"], "reason": "moved away"}
    assert post.ask("POST", "/api/v1/letters/returned", report)["taken"] == 0  # not posted
    post.ask("POST", "/api/v1/letters/batches/1/posted")
    assert post.ask("POST", "/api/v1/letters/returned", report) == {"taken": 1, "unknown": ["nonsense"]}
    assert post.ask("POST", "/api/v1/letters/returned", report)["taken"] == 0
    assert states(post) == {"ada": "bounced", "bob": "sent"}
    write = {"channel": "letter", "template": "autumn"}
    again = post.ask("POST", "/api/v1/messages", {"profile": "user:ada", **write}, expect=202)["id"]
    assert post.get(f"/api/v1/messages/{again}")["reason"] == "suppressed"
    post.identify("ada", address=HOME | {"street": "Neue Str. 2"})
    moved = post.ask("POST", "/api/v1/messages", {"profile": "user:ada", **write}, expect=202)["id"]
    assert post.get(f"/api/v1/messages/{moved}")["reason"] is None


def test_batches_close_at_their_local_time_and_count(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(zone="Asia/Tokyo")
    settings = SETTINGS | {"close_at": "17:00", "close_count": 2}
    shop.ask("PUT", "/api/v1/providers/print", {"kind": "letters", "settings": settings})
    shop.ask("PUT", "/api/v1/templates/autumn", {"channel": "letter", "body": BODY})
    shop.journey(
        "autumn",
        {
            "entry": {"on": {"event": "Order Completed"}},
            "steps": [{"id": "write", "send": {"channel": "letter", "template": "autumn"}}],
        },
    )
    shop.to("2026-03-03T16:00:00+09:00")
    order(shop, "ada", "bob", "eve")
    handed(shop, 1)
    assert [each["letters"] for each in shop.get("/api/v1/letters/batches")["items"]] == [2]
    shop.to("2026-03-03T17:00:00+09:00")
    found = shop.get("/api/v1/letters/batches")
    assert (found["items"][0]["letters"], found["items"][0]["closed_at"]) == (1, "2026-03-03T08:00:00Z")


def test_formulas_are_text_and_a_neighbour_sees_nothing(post: Shop, open_shop: Callable[..., Shop]) -> None:
    order(post, "ada", street="=cmd|' /C calc'!A0")
    handed(post, 1)
    close(post)
    (row,) = rows(post, 1)
    assert row["line1"] == "'=cmd|' /C calc'!A0"
    post.ask("POST", "/api/v1/letters/batches/1/posted")
    other = open_shop()
    other.ask("POST", f"/api/v1/letters/codes/{row['code']}/redeem", expect=404)
    assert other.ask("POST", "/api/v1/letters/returned", {"codes": [row["code"]]})["taken"] == 0
    other.ask("GET", "/api/v1/letters/batches/1/letters.pdf", expect=404)
    other.ask("GET", "/api/v1/letters/batches/1/letters.csv", expect=404)
    assert other.get("/api/v1/letters/batches")["items"] == []
