from __future__ import annotations

from typing import Any

import pytest

from kizuna.core.errors import Invalid
from kizuna.templates.definition import read
from kizuna.templates.examine import examine
from kizuna.templates.render import Content, render

BODY = {"channel": "card", "body": "<p>{{ name }}</p>", "format": "liquid+html"}


def rendered(locale: str = "", name: str = "Ada", **more: Any) -> Content:
    return render(read({**BODY, **more}), {"name": name}, locale=locale)


def page(**more: Any) -> Any:
    found = rendered(**more).page
    assert found is not None
    return found


def test_texts_are_liquid_and_not_escaped_twice() -> None:
    found = page(
        name="A & B", buttons=[{"label": " {{ name }} ", "url": "/x?n={{ name | url_encode }}", "event": "Go"}]
    )
    (button,) = found.buttons
    assert (button.label, button.url, button.event) == ("A & B", "/x?n=A+%26+B", "Go")
    assert rendered(name="A & B").body == "<p>A &amp; B</p>"
    assert rendered(name="<i>\nB", format="liquid+text").body == "&lt;p&gt;&lt;i&gt;<br>B&lt;/p&gt;"


@pytest.mark.parametrize(
    ("url", "is_kept"),
    [
        ("https://shop.example/a", True), ("HTTP://shop.example", True), ("/cart", True), ("?a=1", True),
        ("#top", True),
        ("./x", True), ("mailto:a@b.example", True), ("tel:+81", True), ("", True), ("{{ none }}", False),
        ("javascript:steal()", False), (" javascript:steal()", False), ("data:text/html,x", False), ("shop://x", False),
        ("/a b", False), ("/\\evil.example", False), ("x" * 2_001, False),
    ],
)  # fmt: skip
def test_an_address_leads_to_the_web_or_nowhere(url: str, is_kept: bool) -> None:
    kept = url if is_kept else ""
    found = page(url=url, buttons=[{"label": "Go", "url": url}], image=url)
    assert (found.url, found.buttons[0].url) == (kept, kept)
    assert found.image == (kept if url.lower().startswith(("http", "/", "./")) else "")


def test_a_button_whose_label_came_out_empty_is_left_out() -> None:
    assert [each.label for each in page(buttons=[{"label": "{{ none }}"}, {"label": "Go"}]).buttons] == ["Go"]


def test_a_locale_may_have_its_own() -> None:
    ja = {"buttons": [{"label": "見る"}], "display": {"pinned": True}}
    more: dict[str, Any] = {
        "url": "/en",
        "buttons": [{"label": "See"}],
        "locales": {"ja": ja, "fr": {"body": "Bonjour"}},
    }
    assert [each.label for each in page(**more, locale="ja-JP").buttons] == ["見る"]
    assert page(**more, locale="ja").display == {"pinned": True}
    assert [each.label for each in page(**more, locale="fr").buttons] == ["See"]
    assert page(**more, locale="ja").url == "/en"


def test_other_channels_have_none_of_it() -> None:
    assert read({"channel": "email", "body": "Hi", "buttons": "whatever"}).default.page is None


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"buttons": [{"url": "/"}]}, "/buttons/0"),
        ({"buttons": [{"label": "a", "href": "/"}]}, "/buttons/0"),
        ({"buttons": [{"label": "a"}] * 6}, "/buttons"),
        ({"buttons": {"label": "a"}}, "/buttons"),
        ({"image": 7}, "/image"),
        ({"url": ["/"]}, "/url"),
        ({"format": "liquid+mjml"}, "/format"),
        ({"display": {"place": "top"}}, "/display/place"),
        ({"locales": {"ja": {"image": 7}}}, "/locales/ja/image"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(more: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        read({**BODY, **more})
    assert [each.pointer for each in refused.value.errors] == [pointer]


def test_liquid_that_cannot_be_read_is_told_with_its_place() -> None:
    with pytest.raises(Invalid) as refused:
        examine(read({**BODY, "locales": {"ja": {"buttons": [{"label": "a"}, {"label": "{{ broken"}]}}}))
    assert [each.pointer for each in refused.value.errors] == ["/locales/ja/buttons/1/label"]
