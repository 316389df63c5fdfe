"""A marketer writes templates and looks at them, in a real browser, against a real Kizuna."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.browser.walk import OWNER, no_alert, no_sideways_scroll, opened, settle

CHANNELS = ["sms", "push", "line", "whatsapp", "in_app", "card", "banner", "inbox", "letter", "call", "block", "email"]
HOSTILE = """<h1>still here</h1><script>top.pwned = 1</script><img src=x onerror="top.pwned = 2">
<img src="https://elsewhere.example/pixel.png" width="300" height="90" alt="beans"><svg onload="top.pwned = 3"></svg>
<a href="javascript:top.pwned=4">go</a><a href="https://elsewhere.example" target="_top">away</a>
<iframe srcdoc="<script>top.pwned = 5</script>"></iframe><meta http-equiv="refresh" content="0;url=https://elsewhere.example">
<form action="https://elsewhere.example"><input autofocus onfocus="top.pwned = 6"></form>
<p style="background:url(https://elsewhere.example/a)">styled</p><style>@import "https://elsewhere.example/b.css";</style>
<link rel="stylesheet" href="https://elsewhere.example/c.css"><base href="https://elsewhere.example/">"""


@pytest.fixture
def desk(browser: Browser, kizuna_server: Any, signed_in: Any) -> Iterator[Page]:
    for page, _ in opened(browser, kizuna_server.url, signed_in, "en", 1280):
        yield page


def begin(page: Page, name: str, channel: str = "email") -> None:
    """A new template, opened from the list."""
    page.locator('nav a[href="/templates"]').click()
    settle(page)
    form = page.locator("form.begin")
    form.locator("input").fill(name)
    form.locator("select").select_option(channel)
    form.get_by_role("button").click()
    expect(page.locator(".editor")).to_be_visible()


def body(page: Page) -> Locator:
    return page.locator("#template-body")


def shown(page: Page) -> Locator:
    """The message in its frame."""
    return page.frame_locator(".frame iframe").locator("body")


def test_template_is_written_looked_at_and_published(visit: tuple[Page, str]) -> None:
    page, language = visit
    name = f"spring_{language}_{page.viewport_size['width']}"  # pyright: ignore[reportOptionalSubscript]
    begin(page, name)
    page.get_by_label("Subject" if language == "en" else "件名").fill("Spring for {{ profile.traits.name }}")
    body(page).fill("<h2>Dear {{ profile.traits.name }}{{ profile.traits.nickname }}</h2>")
    no_sideways_scroll(page)
    if page.locator(".studio-sides").is_visible():
        page.locator(".studio-sides label").nth(1).click()
    expect(shown(page)).to_contain_text("Dear")
    page.locator(".whom-find li button").first.click()
    who = page.locator(".whom-chosen b").inner_text()
    expect(shown(page)).to_contain_text(f"Dear {who}")
    expect(page.locator(".mail-subject")).to_have_text(f"Spring for {who}")
    warnings = page.locator(".warnings")
    assert warnings.get_attribute("role") == "status"
    expect(warnings.get_by_role("listitem")).to_have_count(1)
    expect(warnings).to_contain_text("profile.traits.nickname")
    page.get_by_role("button", name="Publish" if language == "en" else "公開").click()
    expect(page.locator(".studio-state")).to_contain_text("1")
    no_alert(page)
    no_sideways_scroll(page)
    assert page.title().startswith("Spring")
    page.locator("main a.back").click()
    page.get_by_role("searchbox").fill(name)
    expect(page.locator(f'main a[href="/templates/{name}"]')).to_be_visible()
    no_sideways_scroll(page)


def test_each_language_has_a_tab_and_is_shown_in_it(desk: Page) -> None:
    begin(desk, "two_languages")
    body(desk).fill("<p>Good morning</p>")
    desk.get_by_role("button", name="Add a language").click()
    desk.get_by_role("combobox", name="Language").fill("ja")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("tab", name="日本語")).to_have_attribute("aria-selected", "true")
    body(desk).fill("<p>おはようございます</p>")
    expect(shown(desk)).to_contain_text("おはようございます")
    desk.get_by_role("tab", name="Default").click()
    expect(shown(desk)).to_contain_text("Good morning")


def test_every_channel_is_shown_as_itself(desk: Page) -> None:
    begin(desk, "everywhere", "email")
    body(desk).fill("Hello {{ profile.traits.name }}, {{ event.properties.what }}!")
    desk.get_by_text("Example event and data").click()
    desk.get_by_label("Event (JSON)").fill('{"event": "Seen", "properties": {"what": "a lamp"}}')
    for channel in CHANNELS:
        desk.get_by_label("Channel").select_option(channel)
        frame = desk.locator(f'.frame[data-channel="{channel}"]')
        expect(frame).to_be_visible()
        has_frame = frame.locator("iframe").count() > 0
        expect(shown(desk) if has_frame else frame).to_contain_text("a lamp!")
        no_alert(desk)
    desk.get_by_label("Channel").select_option("sms")
    expect(desk.locator(".sms-count")).to_contain_text("GSM-7")
    body(desk).fill("絆")
    expect(desk.locator(".sms-count")).to_contain_text("UCS-2")


def test_published_mail_is_sent_to_oneself(desk: Page) -> None:
    begin(desk, "to_myself")
    desk.get_by_label("Subject").fill("How it will be")
    body(desk).fill("<p>Hello</p>")
    expect(desk.get_by_role("button", name="Send me a test")).to_be_disabled()
    desk.get_by_role("button", name="Publish").click()
    desk.get_by_role("button", name="Send me a test").click()
    expect(desk.get_by_text(f"on its way to {OWNER['email']}")).to_be_visible()
    no_alert(desk)


def test_flex_message_of_line_is_drawn_and_broken_json_is_said(desk: Page) -> None:
    begin(desk, "on_line", "line")
    said = (
        '{"type": "flex", "altText": "a", "contents": {"type": "bubble", "body": {"type": "box", "layout": "vertical",'
    )
    said += ' "contents": [{"type": "button", "action": {"type": "uri", "label": "Open it", "uri": "https://a.example"}}]}}}'
    body(desk).fill(said)
    expect(desk.locator(".flex-button")).to_have_text("Open it")
    body(desk).fill(said[:-1])
    expect(desk.locator(".frame").get_by_role("alert")).to_contain_text("JSON")


def test_nothing_in_a_body_runs_or_asks_elsewhere(desk: Page) -> None:
    """`desk` fails when another origin is asked, or when the console says an error."""
    begin(desk, "hostile")
    body(desk).fill(HOSTILE)
    for channel in ("email", "block", "in_app", "push", "line"):
        desk.get_by_label("Channel").select_option(channel)
        expect(desk.locator(f'.frame[data-channel="{channel}"]')).to_be_visible()
        frame = desk.locator(".frame iframe")
        if frame.count():
            assert frame.get_attribute("sandbox") == ""
            expect(shown(desk)).to_contain_text("still here")
            assert shown(desk).locator("a[href], script, iframe, form, img[src^='http']").count() == 0
        assert desk.evaluate("window.pwned") is None
    assert desk.url.endswith("/templates/hostile?new=email")


def test_what_cannot_be_read_is_said_at_its_field(browser: Browser, kizuna_server: Any, signed_in: Any) -> None:
    context = browser.new_context(locale="en-GB", storage_state=signed_in)  # nobody watches: a refusal is logged
    page = context.new_page()
    page.goto(kizuna_server.url)
    begin(page, "unreadable")
    page.get_by_label("Subject").fill("fine")
    body(page).fill("<p>{% if %}</p>")
    expect(body(page)).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".studio-fault").get_by_role("alert")).to_be_visible()
    body(page).fill("<p>readable</p>")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(body(page)).not_to_have_attribute("aria-invalid", "true")
    context.close()


def test_unpublished_changes_are_not_lost_without_asking(desk: Page) -> None:
    begin(desk, "unsaved")
    body(desk).fill("not yet")
    answer_once(desk, may_leave=False)
    desk.locator('nav a[href="/profiles"]').click()
    expect(body(desk)).to_have_value("not yet")
    answer_once(desk, may_leave=False)
    with desk.expect_event("dialog"):
        desk.evaluate("void setTimeout(() => history.back())")
    expect(body(desk)).to_have_value("not yet")
    assert "/templates/unsaved" in desk.url
    answer_once(desk, may_leave=True)
    with desk.expect_event("dialog"):
        desk.locator('nav a[href="/profiles"]').click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Profiles")


def answer_once(page: Page, *, may_leave: bool) -> None:
    page.once("dialog", lambda dialog: dialog.accept() if may_leave else dialog.dismiss())


def test_template_is_written_by_keyboard_alone(desk: Page) -> None:
    desk.goto(re.sub(r"(//[^/]+)/.*", r"\1/templates", desk.url))
    settle(desk)
    tab_to(desk, "document.activeElement.placeholder === 'spring_news'")
    desk.keyboard.type("by_keyboard")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", level=1)).to_be_focused()
    tab_to(desk, "document.activeElement.id === 'template-body'")
    desk.keyboard.type("<p>Typed, not clicked</p>")
    expect(shown(desk)).to_contain_text("Typed, not clicked")
    desk.keyboard.press("Control+s")
    expect(desk.locator(".studio-state")).to_have_text("Published as version 1")
    tab_to(desk, "document.activeElement.closest('.whom-find li') !== null")
    desk.keyboard.press("Enter")
    expect(desk.locator(".whom-chosen")).to_be_visible()


def tab_to(page: Page, found: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(found):
            return
    raise AssertionError(f"60 times Tab, and not yet {found}")
