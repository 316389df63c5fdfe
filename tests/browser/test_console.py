"""A member's walk through the whole console, in a real browser, against a real Kizuna."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.walk import OWNER, Watch, no_alert, no_sideways_scroll, opened, settle

SECTIONS = ["overview", "profiles", "segments", "journeys", "campaigns", "templates", "outbox", "dashboards"]
HEADINGS = {
    "en": ["Overview", "Profiles", "Segments", "Journeys", "Campaigns", "Templates", "Outbox", "Dashboards"],
    "ja": ["概要", "顧客", "セグメント", "ジャーニー", "配信", "テンプレート", "送信箱", "分析"],
}


def first_entry(page: Page, section: str) -> None:
    page.locator(f'main a[href^="/{section}/"]').first.click()
    page.wait_for_url(re.compile(f"/{section}/.+"))
    settle(page)
    page.wait_for_function("document.querySelector('main a.back')")
    no_alert(page)


@pytest.fixture
def phone(browser: Browser, kizuna_server: Any, signed_in: Any) -> Iterator[Page]:
    for page, _ in opened(browser, kizuna_server.url, signed_in, "en", 390):
        yield page


def test_every_page_opens_from_the_navigation_in_the_browsers_language(visit: tuple[Page, str]) -> None:
    page, language = visit
    expect(page.locator(".stat").first).to_be_visible()
    expect(page.locator(".plot svg").first).to_be_visible()
    for section, heading in zip(SECTIONS, HEADINGS[language], strict=True):
        page.get_by_role("navigation").get_by_role("link", name=heading, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        settle(page)
        assert page.evaluate("document.documentElement.lang") == language
        assert page.title().startswith(heading)
        assert section == "overview" or urlsplit(page.url).path == f"/{section}"
        no_alert(page)
        no_sideways_scroll(page)


def test_entries_of_every_section_open(visit: tuple[Page, str]) -> None:
    page, _ = visit
    for section in ("profiles", "segments", "journeys", "campaigns", "templates"):
        page.locator(f'nav a[href="/{section}"]').click()
        first_entry(page, section)
        no_sideways_scroll(page)


def test_profile_shows_its_history(phone: Page) -> None:
    phone.locator('nav a[href="/profiles"]').click()
    first_entry(phone, "profiles")
    expect(phone.locator(".timeline .moment").first).to_be_visible()


def test_search_without_result_teaches(phone: Page) -> None:
    phone.locator('nav a[href="/profiles"]').click()
    phone.get_by_role("searchbox").fill("nobody has this name")
    expect(phone.locator(".empty")).to_contain_text("nobody has this name")
    no_sideways_scroll(phone)


def test_segment_shows_its_rule_and_live_size(phone: Page) -> None:
    phone.locator('nav a[href="/segments"]').click()
    expect(phone.get_by_role("status").first).to_have_text(re.compile(r"\d"))
    first_entry(phone, "segments")
    expect(phone.get_by_role("status").first).to_have_text(re.compile(r"\d"))
    expect(phone.locator(".rule").first).to_be_visible()
    no_sideways_scroll(phone)


def test_journey_is_drawn_with_a_node_for_each_step(phone: Page) -> None:
    phone.locator('nav a[href="/journeys"]').click()
    first_entry(phone, "journeys")
    expect(phone.locator(".react-flow__node").first).to_be_visible()
    steps = phone.locator(".table tbody tr").count()
    assert phone.locator(".react-flow__node").count() == steps + 2  # and entry and end
    no_sideways_scroll(phone)


def test_mail_is_shown_in_a_frame_that_can_do_nothing(phone: Page) -> None:
    phone.locator('nav a[href="/outbox"]').click()
    phone.locator('main a[href^="/outbox/"]').first.click()
    frame = phone.locator("iframe")
    expect(frame).to_be_visible()
    assert frame.get_attribute("sandbox") == ""
    expect(phone.frame_locator("iframe").locator("body")).to_have_text(re.compile(r"\S"))
    assert phone.frame_locator("iframe").locator("a[href], img[src^='http'], script").count() == 0
    no_sideways_scroll(phone)


def test_customers_choose_without_script_on_a_phone(browser: Browser, kizuna_server: Any, phone: Page) -> None:
    with phone.expect_response(lambda answer: "/api/v1/outbox" in answer.url) as outbox:
        phone.locator('nav a[href="/outbox"]').click()
    found = re.search(r"/u/[\w-]{64}", outbox.value.text())
    assert found
    context = browser.new_context(locale="ja-JP", viewport={"width": 360, "height": 740}, java_script_enabled=False)
    watch = Watch(context, kizuna_server.url)
    page = context.new_page()
    page.goto(kizuna_server.url + found[0])
    page.get_by_role("link", name="受け取る内容を選ぶ").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("配信設定")
    page.get_by_role("button", name="停止する: すべてのメッセージ (メール)").click()
    expect(page.get_by_role("status")).to_have_text("設定を保存しました。")
    expect(page.get_by_role("button", name="受け取る: すべてのメッセージ (メール)")).to_be_focused()
    assert page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") == "rgb(246, 246, 244)"
    page.get_by_role("button", name="受け取る: すべてのメッセージ (メール)").click()
    expect(page.get_by_role("button", name="停止する: すべてのメッセージ (メール)")).to_be_visible()
    watch.check()
    context.close()


def test_language_switch_is_remembered(phone: Page) -> None:
    phone.get_by_text("日本語", exact=True).click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("概要")
    phone.reload()
    expect(phone.get_by_role("heading", level=1)).to_have_text("概要")
    assert phone.evaluate("document.documentElement.lang") == "ja"


def test_whole_console_is_reached_by_keyboard(phone: Page) -> None:
    phone.keyboard.press("Tab")
    assert phone.evaluate("document.activeElement.className") == "skip"
    for _ in range(30):
        phone.keyboard.press("Tab")
        if phone.evaluate("document.activeElement.getAttribute('href')") == "/profiles":
            break
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Profiles")
    assert phone.evaluate("document.activeElement.tagName") == "H1"


def test_unknown_name_is_an_alert_that_says_what_to_do(browser: Browser, kizuna_server: Any, signed_in: Any) -> None:
    context = browser.new_context(locale="en-GB", storage_state=signed_in)
    page = context.new_page()
    page.goto(f"{kizuna_server.url}/segments/no_such_segment")
    expect(page.get_by_role("alert")).to_contain_text("go back to the list")
    context.close()


def test_wrong_password_is_an_alert_and_the_right_one_opens(
    browser: Browser, kizuna_server: Any, signed_in: Any
) -> None:
    context = browser.new_context(locale="ja-JP")
    page = context.new_page()
    page.goto(kizuna_server.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("サインイン")
    page.get_by_label("メールアドレス").fill(OWNER["email"])
    page.locator("input[name=password]").fill("not this one, surely")
    page.get_by_role("button", name="サインイン").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.locator("input[name=password]").fill(OWNER["password"])
    page.get_by_role("button", name="サインイン").click()
    expect(page.get_by_role("navigation")).to_be_visible()
    context.close()
