from __future__ import annotations

import time

import pytest

from kizuna.core.errors import Invalid
from kizuna.templates.finish import finish, from_mjml, inline_css

MAIL = """<!doctype html><html><head><style>
@media (max-width:600px){.a{color:red!important}} .a{color:blue} a:hover{color:red} .b > p{margin:0}
</style></head><body><!--[if mso]><i>x</i><![endif]--><p class="a" style="color:pink">絆 &amp; 1</p>
<div class="b"><p>y</p></div></body></html>"""
MJML = "<mjml><mj-body><mj-section><mj-column>{}</mj-column></mj-section></mj-body></mjml>"


def test_rules_become_attributes_and_media_queries_stay() -> None:
    made = inline_css(MAIL)
    assert '<p class="a" style="color: pink' in made
    assert '<p style="margin: 0' in made
    assert "@media (max-width:600px){.a{color:red!important}}" in made
    assert "a:hover" in made
    assert "<!--[if mso]><i>x</i><![endif]-->" in made
    assert "絆 &amp; 1" in made


def test_inlining_twice_changes_nothing() -> None:
    once = inline_css(MAIL)
    assert inline_css(once) == once


@pytest.mark.parametrize("body", ["<p>a<p>b", "<tr><td>x", "no html", "<b x='1'>ÿ &copy;"])
def test_what_has_no_style_element_stays_byte_for_byte(body: str) -> None:
    assert finish(body, "liquid+html") == body


def test_text_is_never_touched() -> None:
    assert finish(MAIL, "liquid+text") == MAIL


def test_mjml_becomes_html_with_its_links() -> None:
    made = finish(MJML.format('<mj-button href="https://x.example/?a=1&amp;b=2">Go</mj-button>'), "liquid+mjml")
    assert made.startswith("<!DOCTYPE html>")
    assert 'href="https://x.example/?a=1&amp;b=2"' in made
    assert "@media" in made
    assert "mj-" not in made.replace("mj-column", "").replace("mj-outlook", "")


@pytest.mark.parametrize("source", ["hello", "<mjml>", MJML.format('<mj-include path="/etc/passwd" />'), "<mjml><p/>"])
def test_what_is_no_mjml_is_said(source: str) -> None:
    with pytest.raises(Invalid) as error:
        from_mjml(source)
    assert error.value.code == "template_error"


@pytest.mark.parametrize(
    "source",
    [
        MJML.format("<mj-text>" + "<div>" * 50_000 + "</div>" * 50_000 + "</mj-text>"),
        "<mjml><mj-body>" + "<mj-wrapper>" * 5_000 + "</mj-wrapper>" * 5_000 + "</mj-body></mjml>",
    ],
)
def test_deep_mjml_is_refused_before_the_native_parser_sees_it(source: str) -> None:
    with pytest.raises(Invalid) as error:
        finish(source, "liquid+mjml")
    assert error.value.code == "template_limit"


@pytest.mark.parametrize(
    "source",
    [
        "<style>p{color:red}</style>" + "<b>" * 20_000, "<style>" + "*{color:red}" * 4_000 + "</style>" + "<p>" * 8_000,
        "<style>" * 70_000, "<style>p{}</style><p " + " ".join(f"a{number}=1" for number in range(40_000)) + ">",
        "<style>p{}</style>" + "".join(f"<font a{number}=1>" for number in range(500)) + "<p>" * 9_000,
    ],
)  # fmt: skip
def test_css_that_would_stall_is_refused(source: str) -> None:
    started = time.monotonic()
    with pytest.raises(Invalid) as error:
        finish(source, "liquid+html")
    assert error.value.code == "template_limit"
    assert time.monotonic() - started < 1
