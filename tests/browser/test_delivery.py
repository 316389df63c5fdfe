"""People call, post and look after what is sent, in a real browser, against a real Kizuna, mail server and gateway."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.by_hand import PEOPLE, troubled_shop, until
from tests.browser.conftest import Seeded
from tests.browser.walk import no_alert, no_sideways_scroll, opened, settle

from kizuna.config import Config
from kizuna.demo.run import demo_keys
from kizuna.supervisor import started
from kizuna.testing.dns_server import DnsServer
from kizuna.testing.mail_server import MailServer
from kizuna.testing.receiver import Receiver, Told
from kizuna.testing.shop import Shop

HEADINGS = {
    "/calls": ("Calls", "電話"), "/letters": ("Letters", "手紙"), "/catalogs": ("Catalogs & codes", "カタログとコード"),
    "/delivery": ("Delivery", "送信と到達"), "/delivery?show=messages": ("Delivery", "送信と到達"),
    "/delivery?show=suppressions": ("Delivery", "送信と到達"), "/delivery?show=feeds": ("Delivery", "送信と到達"),
    "/delivery/mail": ("mail", "mail"), "/delivery/new_one?new=twilio": ("new_one", "new_one"),
}  # fmt: skip
NO_WORDS = re.compile(r"\b(calls?|letters|delivery|channels|provider|setting|outcome|kind|trouble|stuck)\.[a-z_]+\b")


class Stage(Seeded):
    """A running Kizuna with the shop in it and what stands around it."""

    shop: Shop
    mails: MailServer


@pytest.fixture(scope="module")
def kizuna_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    data = tmp_path_factory.mktemp("delivery") / "data"
    with DnsServer({("shop.example", "MX"): ["10 mx.shop.example."]}) as dns:
        config = Config(
            data=data, lake_url=str(data / "lake"), port=0, dns_servers=dns.address,
            allow_private_targets=("127.0.0.0/8",),
        )  # fmt: skip
        with started(config) as found:
            with ThreadPoolExecutor(1) as pool:  # the browser's driver has a loop of its own in this thread
                write_key, api_key = pool.submit(lambda: asyncio.run(demo_keys(found.database_url))).result()
            stage = Stage(found.url, found.setup)
            stage.shop = Shop(found.url, {"write_key": write_key, "api_key": api_key})
            with stage.shop.http, troubled_shop(stage.shop) as stage.mails:
                yield stage


@pytest.fixture
def desk(browser: Browser, kizuna_server: Stage, signed_in: Any) -> Iterator[Page]:
    for page, _ in opened(browser, kizuna_server.url, signed_in, "en", 1280):
        yield page


@pytest.fixture
def phone(browser: Browser, kizuna_server: Stage, signed_in: Any) -> Iterator[Page]:
    for page, _ in opened(browser, kizuna_server.url, signed_in, "en", 375):
        yield page


@pytest.fixture
def shop(kizuna_server: Stage) -> Shop:
    return kizuna_server.shop


def go(page: Page, path: str) -> None:
    """As a link would, without loading the console anew."""
    page.evaluate("path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }", path)
    page.wait_for_function("path => location.pathname + location.search === path", arg=path)
    settle(page)


def test_every_page_is_whole_in_both_languages_and_widths(visit: tuple[Page, str]) -> None:
    page, language = visit
    for path, headings in HEADINGS.items():
        go(page, path)
        expect(page.get_by_role("heading", level=1)).to_have_text(headings[language == "ja"])
        no_alert(page)
        no_sideways_scroll(page)
        assert not NO_WORDS.search(page.locator("main").inner_text()), path


def test_calls_and_letters_are_one_place_in_the_navigation(phone: Page) -> None:
    phone.get_by_role("navigation").get_by_role("link", name="Calls & letters").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Calls")
    phone.get_by_role("link", name="Letters", exact=True).click()
    expect(phone.get_by_role("heading", level=1)).to_be_focused()
    expect(phone.get_by_role("navigation").locator("[aria-current]")).to_have_text("Calls & letters")
    for name in ("Catalogs & codes", "Delivery"):
        phone.get_by_role("navigation").get_by_role("link", name=name).click()
        expect(phone.get_by_role("heading", level=1)).to_have_text(name)


def test_calls_are_worked_by_keyboard_and_nobody_else_gets_ours(desk: Page, shop: Shop) -> None:
    go(desk, "/calls")
    expect(desk.locator(".call-row")).to_have_count(len(PEOPLE))
    assert "+49" not in desk.locator("main").inner_text()  # numbers are shown to whoever takes one
    desk.get_by_role("button", name="Take the next call").focus()
    desk.keyboard.press("Enter")
    first = desk.locator(".call h2")
    expect(first).to_be_focused()
    name = first.inner_text()
    expect(desk.locator(".call-script")).to_contain_text(f"Ask {name} how the beans were")
    assert re.fullmatch(r"tel:\+49\d+", desk.locator(".call-number").get_attribute("href") or "")
    expect(desk.locator(".call-history")).to_contain_text("Completed an order")
    other = shop.ask("POST", "/api/v1/calls/next", {})["call"]
    assert other["name"] != name
    desk.reload()
    expect(first).to_have_text(name)  # it is still ours
    desk.get_by_role("radio", name="Reached").focus()
    desk.keyboard.press("Space")
    desk.get_by_label("Note").focus()
    desk.keyboard.type("likes the grinder")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("status")).to_have_text(f"{name}: Reached. Saved.")
    expect(first).not_to_have_text(name)
    expect(first).to_be_focused()
    assert first.inner_text() != other["name"]
    no_alert(desk)
    desk.locator(".outcome-callback_at").click()
    desk.get_by_label("Call again at").fill("2010-12-24T10:00")
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(desk.locator(".call-row")).to_have_count(1)
    expect(desk.locator(".call-lists")).to_contain_text("1 to call · 1 later · 1 being called")
    (done,) = shop.get("/api/v1/calls", state="done")["items"]
    assert (done["name"], done["outcome"], done["note"]) == (name, "reached", "likes the grinder")


def test_a_call_on_the_phone_ends_in_an_opt_out_and_then_nobody_waits(phone: Page, shop: Shop) -> None:
    go(phone, "/calls")
    phone.get_by_role("button", name=re.compile("^Take: ")).click()
    who = phone.locator(".call h2").inner_text()
    no_sideways_scroll(phone)
    phone.locator(".outcome-do_not_call").click()
    phone.get_by_role("button", name="Save and take the next").click()
    expect(phone.get_by_role("status")).to_contain_text("Nobody is to be called right now.")
    expect(phone.locator(".empty")).to_contain_text("Nobody is waiting")
    name = next(name for name, whole in PEOPLE if whole == who)
    assert shop.profile(name)["consent"]["call"]["state"] == "opted_out"


def test_letters_are_printed_posted_and_taken_back(desk: Page, shop: Shop) -> None:
    go(desk, "/letters")
    expect(desk.locator(".gathered .big")).to_have_text(str(len(PEOPLE)))
    desk.get_by_role("button", name="Close the batch now").click()
    batch = desk.locator(".batch")
    expect(batch).to_contain_text("to print and post")
    with desk.expect_download() as pages:
        batch.get_by_role("button", name="PDF to print").click()
    assert pages.value.path().read_bytes().startswith(b"%PDF-")
    with desk.expect_download() as table:
        batch.get_by_role("button", name="Table (CSV)").click()
    assert table.value.suggested_filename == "letters-1.csv"
    rows = list(csv.DictReader(io.StringIO(table.value.path().read_text("utf-8-sig"))))
    batch.get_by_role("button", name="Mark as posted").click()
    expect(batch).to_contain_text("posted")
    expect(batch.get_by_role("button", name="Mark as posted")).to_have_count(0)
    desk.get_by_label("Codes").fill(f"{rows[0]['code'].lower()}\nNONSENSE")
    desk.get_by_role("button", name="Take back (2)").click()
    expect(desk.get_by_text("1 taken. Not known, or not posted: NONSENSE")).to_be_visible()
    expect(desk.get_by_label("Codes")).to_have_value("NONSENSE")
    expect(batch.locator("dd").nth(2)).to_have_text("1")
    no_alert(desk)


def test_stuck_messages_say_why_and_are_sent_again_when_somebody_says_so(desk: Page, kizuna_server: Stage) -> None:
    go(desk, "/delivery")
    desk.get_by_role("link", name="Stuck messages 2").click()
    row = desk.locator(".stuck .person")
    expect(row).to_contain_text("The connection broke before the server confirmed.")
    desk.once("dialog", lambda dialog: dialog.dismiss())
    row.get_by_role("button", name="Send again").click()
    expect(row).to_have_count(1)
    desk.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name="Send again").click()
    expect(row).to_contain_text("message refused by policy")  # none is unknown any more: the others are shown
    expect(row).to_contain_text("The receiving server refuses what we send.")
    until(lambda: [each.recipient for each in kizuna_server.mails.taken].count("ada@customer.example") == 1)


def test_blocked_addresses_are_found(phone: Page) -> None:
    go(phone, "/delivery?show=suppressions")
    expect(phone.locator(".people")).to_contain_text("grace@customer.example")
    phone.get_by_role("searchbox").fill("GRACE")
    expect(phone.locator(".people li")).to_have_count(1)
    expect(phone.locator(".people li")).to_have_text(re.compile("grace@customer.example.*nobody is there"))
    phone.get_by_role("searchbox").fill("nobody@")
    expect(phone.locator(".empty")).to_contain_text("No such address is blocked")
    no_sideways_scroll(phone)


def test_a_provider_is_set_up_by_its_form_and_its_secrets_stay_hidden(desk: Page, shop: Shop) -> None:
    with Receiver(Told(503, {"Retry-After": "600"})) as gateway:
        shop.ask("PUT", "/api/v1/templates/code", {"channel": "sms", "body": "Your code is 1234"})
        go(desk, "/delivery")
        desk.get_by_label("Name").fill("texts")
        desk.get_by_label("Who carries it").select_option("sms_gateway")
        desk.get_by_role("button", name="Set up").click()
        expect(desk.get_by_role("heading", level=1)).to_have_text("texts")
        desk.get_by_role("button", name="Set up").click()
        expect(desk.get_by_text("This is needed.")).to_be_visible()
        desk.get_by_label("Address (URL)").fill(f"{gateway.url}/send?to={{to}}&text={{text}}")
        desk.get_by_label("Token of reports").first.fill("hush")
        desk.get_by_role("button", name="Set up").click()
        expect(desk.get_by_text("Saved. From now on it carries its channel.")).to_be_visible()
        assert "new=" not in desk.url
        desk.reload()
        expect(desk.get_by_text("Set. Leave empty to keep it.")).to_be_visible()
        expect(desk.get_by_label("Token of reports").first).to_have_value("")
        expect(desk.get_by_label("Address for reports", exact=True)).to_contain_text("/reports/texts/")
        desk.get_by_label("To", exact=True).fill("+4989123456")
        desk.get_by_role("button", name="Send the test").click()
        assert gateway.arrived.acquire(timeout=30)
        expect(desk.get_by_text("The provider has trouble of its own.").first).to_be_visible()
        go(desk, "/delivery")
        card = desk.locator(".provider", has_text="texts")
        # where the clock stands still it rests but a second: the card may have been drawn within it
        expect(card).to_contain_text(re.compile("resting until|about to try again"))
        expect(card).to_contain_text("1 in a row")
        card.get_by_role("button", name="Pause: texts").click()
        expect(card).to_contain_text("Paused by ada@example.com.")
        card.get_by_role("button", name="Go on: texts").click()
        expect(card.get_by_role("button", name="Pause: texts")).to_be_visible()
    no_alert(desk)


def test_a_refused_setting_is_said_at_its_field(browser: Browser, kizuna_server: Stage, signed_in: Any) -> None:
    context = browser.new_context(locale="en-GB", storage_state=signed_in)  # nobody watches: a refusal is logged
    page = context.new_page()
    page.goto(f"{kizuna_server.url}/delivery/other?new=smtp")
    page.get_by_label("Server").fill("mail.example.com")
    page.get_by_label("Sender").fill("nobody")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_label("Sender")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("write an address, or a name and <address>").first).to_be_visible()
    context.close()


def test_a_mail_provider_shows_its_day_its_domain_and_sends_a_test(desk: Page) -> None:
    go(desk, "/delivery/mail")
    expect(desk.locator(".panel", has_text="Warm-up since 2010-11-30")).to_contain_text("of 300")
    desk.get_by_role("button", name="Look now").click()
    expect(desk.get_by_text("Something is missing at shop.example")).to_be_visible()
    records = desk.locator(".records > li")
    expect(records).to_have_text([re.compile("to do.*SPF"), re.compile("to do.*DMARC"), re.compile("good.*MX")])
    desk.get_by_role("button", name="Send the test").click()
    expect(desk.get_by_text("The test is: sent.")).to_be_visible()
    no_alert(desk)


def test_feeds_catalogs_and_codes_are_counted(desk: Page, shop: Shop) -> None:
    shop.ask("PUT", "/api/v1/feeds/archive", {"to": {"kind": "files"}, "events": ["Order Completed"]})
    shop.ask("PUT", "/api/v1/catalogs/beans", {"items": [{"id": "a"}, {"id": "b"}]})
    shop.ask("PUT", "/api/v1/promotions/spring", {"per_profile": 2})
    shop.ask("POST", "/api/v1/promotions/spring/codes", {"codes": ["A-1", "A-2", "A-3"]}, expect=201)
    go(desk, "/delivery?show=feeds")
    card = desk.locator(".provider", has_text="archive")
    expect(card).to_contain_text("running")
    card.get_by_role("button", name="Pause").click()
    expect(card).to_contain_text("paused")
    go(desk, "/catalogs")
    expect(desk.locator(".person", has_text="Beans")).to_contain_text("2")
    expect(desk.locator(".person", has_text="Spring").locator("dd").first).to_have_text("3")
    no_alert(desk)
