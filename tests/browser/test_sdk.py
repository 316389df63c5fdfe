"""The browser client on a shop's site: another origin than Kizuna's, under a strict policy, in a real browser."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from kizuna.accounts import workspaces
from kizuna.config import load
from kizuna.runtime.database import Database
from kizuna.runtime.folder import Running
from kizuna.supervisor import started
from kizuna.testing.pages import PROVIDER, token_of
from kizuna.testing.push_service import Browser as PushBrowser
from kizuna.testing.push_service import Posted
from kizuna.testing.shop import Shop, ref
from kizuna.testing.site import Site
from kizuna.testing.tea_shop import TEMPLATES

SDK = Path(__file__).parents[2] / "sdk"
ANALYTICS = SDK / "node_modules" / "@segment" / "analytics-next" / "dist" / "umd"
LANGUAGES = {"en": "en-GB", "ja": "ja-JP"}
POLICY = (
    "default-src 'none'; script-src 'self' {kizuna}; style-src 'self'; img-src 'self'; connect-src 'self' {kizuna}; "
    "worker-src 'self'; base-uri 'none'; form-action 'none'"
)
TRUSTED = "; require-trusted-types-for 'script'; trusted-types kizuna"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("sdk") / "data"
    with started(load(data=data, port=0, workers=1, allow_private_targets=("127.0.0.0/8",))) as found:
        yield found


@pytest.fixture
def shop(running: Running) -> Iterator[Shop]:
    """A workspace of its own, whose clock runs, with a template of each kind."""

    async def make() -> dict[str, str]:
        database = Database(running.database_url, name="test")
        await database.open()
        try:
            return await workspaces.create(database, f"shop {next(_numbers)}")
        finally:
            await database.close()

    with ThreadPoolExecutor(1) as pool:  # the browser's driver has a loop of its own in this thread
        found = Shop(running.url, pool.submit(lambda: asyncio.run(make())).result())
    found.ask("PUT", "/api/v1/providers/site", PROVIDER)
    for name, template in TEMPLATES.items():
        found.ask("PUT", f"/api/v1/templates/{name}", template)
    yield found
    found.http.close()


class Visit:
    """A visitor's browser on the shop's site; anything that a page must not do is a fault."""

    def __init__(self, context: BrowserContext, shop: Shop, site: Site) -> None:
        self.context, self.shop, self.site = context, shop, site
        self.faults: list[str] = []
        context.on("console", self._said)
        context.on("weberror", lambda error: self.faults.append(f"page error: {error.error}"))
        self.page = context.new_page()

    def open(self, path: str = "/") -> Page:
        self.page.goto(self.site.url + path)
        return self.page

    def sign_in(self) -> None:
        with self.page.expect_response(lambda answer: answer.url.endswith("/in-page/pull")):
            self.page.locator("#sign-in").click()

    def anonymous(self) -> str:
        return self.page.evaluate("JSON.parse(localStorage['kizuna.anonymous'])")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console {message.type}: {message.text} ({message.location.get('url')})")


@pytest.fixture
def visit(browser: Browser, shop: Shop, running: Running) -> Iterator[Callable[..., Visit]]:
    """Opens browsers on the example site; `ada` is who signs in there."""
    session = {"userId": "ada", "userToken": token_of("ada")}
    opened: list[tuple[Visit, Site]] = []

    def open_one(language: str = "en", width: int = 1000, *, is_trusted: bool = True, **options: Any) -> Visit:
        changes = {
            "https://kizuna.example": running.url,
            "YOUR_WRITE_KEY": shop.made["write_key"],
            'lang="en"': f'lang="{language}"',
        }
        policy = POLICY.format(kizuna=running.url) + (TRUSTED if is_trusted else "")
        folders = {"/": SDK / "example", "/analytics/": ANALYTICS}
        site = Site(folders, changes, policy, {"/session": lambda: json.dumps(session).encode()})
        site.__enter__()
        context = browser.new_context(locale=LANGUAGES[language], viewport={"width": width, "height": 700}, **options)
        opened.append((Visit(context, shop, site), site))
        return opened[-1][0]

    yield open_one
    faults = [fault for one, _ in opened for fault in one.faults]
    for one, site in opened:
        one.context.close()
        site.__exit__()
    assert faults == []


def say(shop: Shop, who: str, *templates: str) -> None:
    """Lays messages on a shelf; the profile is there."""
    for template in templates:
        body = {"profile": who, "channel": TEMPLATES[template]["channel"], "template": template}
        shop.ask("POST", "/api/v1/messages", body, expect=202)
    shop.get("/api/v1/clock")  # what was said is laid ready


def heard(shop: Shop, who: str, event: str, count: int = 1) -> list[Any]:
    """The events of this name, latest first, once there are so many; the browser tells in its own time."""
    last, found = time.monotonic() + 20, [{"event": "nothing"}]
    while time.monotonic() < last:
        answer = shop.call("GET", f"/api/v1/profiles/{ref(who)}/timeline?limit=500")
        found = answer.body["items"] if answer.status == 200 else found  # 404: not seen yet
        named = [each for each in found if each["event"] == event]
        if len(named) >= count:
            return named
    raise AssertionError(f"no {event} among {[each['event'] for each in found]}")


def in_focus(page: Page) -> str:
    """What the focused element says, in whatever shadow it stands."""
    return page.evaluate(
        """() => {
          let on = document.activeElement;
          while (on.shadowRoot?.activeElement) on = on.shadowRoot.activeElement;
          return on.ariaLabel || on.innerText || on.tagName;
        }"""
    )


def no_sideways_scroll(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


@pytest.mark.parametrize(("language", "width"), [("en", 1000), ("ja", 320)])
def test_all_kinds_are_shown_and_used_by_keyboard(
    visit: Callable[..., Visit], shop: Shop, language: str, width: int
) -> None:
    one = visit(language, width)
    page = one.open()
    who = f"~{one.anonymous()}"
    heard(shop, who, "Page Viewed")
    say(shop, f"anon:{who[1:]}", "offer", "harvest", "points", "holiday", "parcel")
    page.evaluate("kizuna.refresh()")
    words = {
        name: {**each, **each["locales"].get(language, {})} for name, each in TEMPLATES.items() if "locales" in each
    }

    expect(page.get_by_role("region", name=words["holiday"]["subject"])).to_be_visible()
    cards = page.locator("#cards").get_by_role("article")
    expect(cards).to_have_count(2)
    assert words["harvest"]["subject"] in cards.first.inner_text()  # pinned, although the other is newer
    expect(page).to_have_title("(1) The tea shop")  # both cards were looked at for a second, the inbox was not
    assert len(heard(shop, who, "message_opened", 2)) >= 2
    no_sideways_scroll(page)
    cards.first.focus()
    page.keyboard.press("PageDown")
    assert words["points"]["subject"] in in_focus(page)

    page.locator("#cart").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name=words["offer"]["subject"])
    expect(dialog).to_be_visible()
    assert dialog.locator("p").evaluate("p => getComputedStyle(p).color") == "rgb(68, 68, 102)"
    no_sideways_scroll(page)
    buttons = [each["label"] for each in words["offer"]["buttons"]]
    close = {"en": "Close", "ja": "閉じる"}[language]
    round_trip = [dialog.locator(".html a").inner_text(), *buttons, close]
    for expected in [*round_trip, round_trip[0]]:
        page.keyboard.press("Tab")
        assert in_focus(page) == expected
    page.keyboard.press("Shift+Tab")
    assert in_focus(page) == close
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert in_focus(page) == "Put tea into the cart"
    heard(shop, who, "message_dismissed")

    bell = page.get_by_role("button", name={"en": "Messages 1 unread", "ja": "お知らせ 未読1件"}[language])
    bell.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#inbox").get_by_role("article")).to_be_visible()
    expect(page).to_have_title("The tea shop")
    no_sideways_scroll(page)
    page.keyboard.press("Escape")
    expect(page.locator("#inbox").get_by_role("article")).to_be_hidden()
    assert in_focus(page).startswith({"en": "Messages", "ja": "お知らせ"}[language])


def test_a_button_leads_on_tells_kizuna_and_the_message_does_not_come_again(
    visit: Callable[..., Visit], shop: Shop
) -> None:
    one = visit()
    page = one.open()
    who = f"~{one.anonymous()}"
    heard(shop, who, "Page Viewed")
    say(shop, f"anon:{who[1:]}", "offer")
    page.evaluate("kizuna.refresh()")
    page.evaluate("new Promise(done => kizuna.on('items', done))")
    page.evaluate("kizuna.track('Product Added', {price: '11.9'})")  # too cheap
    heard(shop, who, "Product Added")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("#cart").click()
    page.get_by_role("link", name="See the offers").click()
    expect(page).to_have_url(one.site.url + "/#offers")
    assert heard(shop, who, "message_clicked")[0]["properties"]["button"] == "b1"
    assert heard(shop, who, "Offer Taken")[0]["properties"]["button"] == "b1"
    page.reload()
    page.locator("#cart").click()
    heard(shop, who, "Product Added", 3)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_users_shelf_opens_with_a_token_and_is_the_same_in_every_browser(
    visit: Callable[..., Visit], shop: Shop
) -> None:
    shop.identify("ada", name="Ada")
    shop.profile("ada")
    say(shop, "user:ada", "parcel", "shipping")
    first, second = visit(), visit()
    page = first.open()
    page.evaluate("void kizuna.on('error', told => document.body.dataset.error = told.code)")
    page.evaluate("kizuna.identify('ada', {}, {userToken: '0'.repeat(64)})")
    expect(page.locator("body")).to_have_attribute("data-error", "invalid_user_token")
    first.faults.clear()  # the browser reports the refusal
    expect(page.get_by_role("dialog")).to_have_count(0)
    first.sign_in()
    expect(page.get_by_role("dialog", name="Free shipping from 30 €")).to_be_visible()
    assert in_focus(page) == "Sign in"  # what slides in takes nothing away
    page.get_by_role("button", name="Messages 1 unread").click()
    expect(page.get_by_role("button", name="Messages", exact=True)).to_be_visible()  # read
    heard(shop, "ada", "message_opened")

    other = second.open()
    second.sign_in()
    other.get_by_role("button", name="Messages", exact=True).click()
    other.get_by_role("button", name="Delete: Your parcel is on its way").click()
    expect(other.locator("#inbox").get_by_text("There are no messages.")).to_be_visible()
    heard(shop, "ada", "message_deleted")
    page.evaluate("kizuna.refresh()")
    expect(page.locator("#inbox").get_by_role("article")).to_have_count(0)
    page.keyboard.press("Escape")
    page.locator("#sign-out").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_could_not_be_sent_is_sent_by_the_next_page_and_once(visit: Callable[..., Visit], shop: Shop) -> None:
    one = visit()
    page = one.open()
    who = f"~{one.anonymous()}"
    heard(shop, who, "Page Viewed")
    one.context.route("**/v1/batch", lambda route: route.abort())
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/v1/batch")):
        page.locator("#cart").click()
    page.close()
    one.faults.clear()  # the browser reports what it could not send
    one.context.unroute("**/v1/batch")
    one.page = one.context.new_page()
    one.open()
    heard(shop, who, "Page Viewed", 2)
    assert len(heard(shop, who, "Product Added")) == 1


def test_who_wants_to_be_let_alone_is(visit: Callable[..., Visit], shop: Shop) -> None:
    one = visit()
    one.context.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {get: () => true})")
    page = one.open()
    page.locator("#cart").click()
    page.evaluate("kizuna.identify('ada')")
    heard(shop, "ada", "identify")
    assert not [each for each in shop.timeline("ada") if each["type"] in ("track", "page")]
    asked: list[str] = []
    page.evaluate("kizuna.optOut()")
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("kizuna.identify('ada'); kizuna.refresh()")
    page.reload()
    page.evaluate("kizuna.identify('ada'); kizuna.refresh()")
    assert not [url for url in asked if "/v1/" in url or "/in-page/" in url]
    assert page.evaluate("Object.keys(localStorage)") == ["kizuna.out"]  # nothing waits to be sent, nobody is known


SUBSCRIBED = """subscription => {
  let held = null;
  const bytes = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), one => one.charCodeAt(0));
  PushManager.prototype.getSubscription = async () => held;
  PushManager.prototype.subscribe = async ({applicationServerKey}) => held = {
    options: {applicationServerKey: bytes(applicationServerKey).buffer},
    toJSON: () => subscription,
    unsubscribe: async () => { held = null; return true },
  };
}"""


def test_push_is_asked_for_in_our_words_first_then_reaches_the_worker(visit: Callable[..., Visit], shop: Shop) -> None:
    """Headless Chromium reaches no push service: the subscription is one of `testing.push_service`, whose endpoint is
    ours, and what Kizuna sends there is handed to the worker by the browser's debugger. All else is real."""
    shop.ask(
        "PUT", "/api/v1/providers/browsers",
        {"kind": "webpush", "channel": "push", "settings": {"subject": "mailto:ops@shop.example"}},
    )  # fmt: skip
    one = visit("ja", 320)
    with Posted() as service:
        browser = PushBrowser(f"{service.url}/wpush/1")
        one.context.add_init_script(f"({SUBSCRIBED})({browser.subscription})")
        page = one.open()
        who = f"~{one.anonymous()}"
        debugger = one.context.new_cdp_session(page)
        debugger.send(
            "Browser.setPermission",
            {"permission": {"name": "notifications"}, "setting": "prompt", "origin": one.site.url},
        )
        heard(shop, who, "Page Viewed")
        assert page.evaluate("Notification.permission") == "default"
        page.locator("#push").click()
        question = page.get_by_role("dialog", name="通知を受け取りますか?")
        expect(question).to_be_visible()
        page.evaluate("void kizuna.on('push', state => document.body.dataset.push = state)")
        one.context.grant_permissions(["notifications"], origin=one.site.url)  # what the visitor will tell the browser
        question.get_by_role("button", name="受け取る").click()
        expect(page.locator("body")).to_have_attribute("data-push", "granted")
        heard(shop, who, "identify")
        (device,) = shop.profile(who)["devices"]
        assert (device["type"], json.loads(device["token"])) == ("web", json.loads(browser.subscription))

        say(shop, f"anon:{who[1:]}", "back")
        assert service.arrived.acquire(timeout=30)
        said = browser.open(service.taken[0].body).decode()

        registrations: list[Any] = []
        debugger.on("ServiceWorker.workerRegistrationUpdated", lambda told: registrations.extend(told["registrations"]))
        debugger.send("ServiceWorker.enable")
        while not registrations:
            page.evaluate("navigator.serviceWorker.getRegistrations()")  # lets the driver tell what it heard
        registration = registrations[-1]
        assert registration["scopeURL"] == f"{one.site.url}/kizuna-push/"
        debugger.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": one.site.url, "registrationId": registration["registrationId"], "data": said},
        )
        shown = page.wait_for_function(
            """async () => {
              const registration = await navigator.serviceWorker.getRegistration('/kizuna-push/');
              const [shown] = await registration.getNotifications();
              return shown && [shown.title, shown.body, shown.data.message];
            }"""
        ).json_value()
        assert shown == ["Back in stock", "Sencha", json.loads(said)["message"]]


def test_beside_analytics_js_its_calls_start_messages_and_its_visitor_is_ours(
    visit: Callable[..., Visit], shop: Shop
) -> None:
    assert ANALYTICS.is_dir(), "run `bin/sdk check` once: it installs analytics.js for this test"
    one = visit(is_trusted=False)  # analytics.js makes script elements of plain addresses
    page = one.open("/beside.html")
    page.wait_for_function("window.analytics.initialized")
    anonymous = page.evaluate("analytics.user().anonymousId()")
    who = f"~{anonymous}"
    heard(shop, who, "Page Viewed")
    say(shop, f"anon:{anonymous}", "offer")
    with page.expect_response(lambda answer: answer.url.endswith("/in-page/pull")):
        page.evaluate("kizuna.refresh()")
    page.evaluate("void analytics.track('Product Added', {price: 12})")
    expect(page.get_by_role("dialog", name=TEMPLATES["offer"]["subject"])).to_be_visible()
    page.keyboard.press("Escape")
    heard(shop, who, "message_dismissed")
    page.evaluate("kizuna.track('Wished', {sku: 'a'})")
    assert len(heard(shop, who, "Wished")) == 1
    assert page.evaluate("'kizuna.events' in localStorage") is False
    page.evaluate("void analytics.identify('ada')")
    heard(shop, "ada", "identify")
    page.evaluate("kizuna.reset()")
    assert page.evaluate("analytics.user().id()") is None
