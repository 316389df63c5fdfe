from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from kizuna.core.clock import read_time
from kizuna.core.errors import Invalid
from kizuna.templates.definition import read
from kizuna.templates.render import check, plain, render, render_text


def html(body: str, **variables: Any) -> str:
    return render(read({"body": body}), variables).body


def text(body: str, **variables: Any) -> str:
    return render(read({"body": body, "format": "liquid+text"}), variables).body


def test_html_is_escaped_and_text_is_not() -> None:
    assert html("<b>{{ x }}</b>", x="<i>") == "<b>&lt;i&gt;</b>"
    assert text("<b>{{ x }}</b>", x="<i>") == "<b><i></b>"


@pytest.mark.parametrize("chain", ["", "| upcase", "| append: '!'", "| prepend: '<p>'", "| replace: 'x', y", "| strip",
                                   "| split: ',' | join: ', '", "| newline_to_br", "| default: 'n'", "| truncate: 80",
                                   "| json", "| url_decode"])  # fmt: skip
def test_filters_let_nothing_through(chain: str) -> None:
    shown = html(f"{{{{ x {chain} }}}}", x="<script>alert('x')</script>", y="<script>")
    assert "<script" not in shown.lower()


def test_a_subject_is_one_line_and_not_escaped() -> None:
    content = render(read({"subject": "{{ x }}\n & more", "body": ""}), {"x": "a\r\nBcc: b"})
    assert content.subject == "a Bcc: b & more"


def test_the_locale_then_its_language_then_the_default() -> None:
    template = read(
        {"body": "hello", "subject": "s", "locales": {"ja": {"body": "こんにちは"}, "pt_BR": {"body": "olá"}}}
    )
    for locale, wanted in (("ja-JP", "こんにちは"), ("pt-BR", "olá"), ("pt", "hello"), ("", "hello")):
        assert render(template, {}, locale=locale).body == wanted


def test_now_is_the_instant_given() -> None:
    now = read_time("2026-03-08T20:30:00Z")
    assert render_text("{{ 'now' | date: '%Y-%m-%d %H:%M' }}", {}, now=now, zone="Asia/Tokyo") == "2026-03-09 05:30"


def test_exact_decimals_count_as_numbers() -> None:
    assert render_text("{{ total | times: 2 }}", {"total": Decimal("12.50")}) == "25.0"
    assert plain({"a": [Decimal("3.00")]}) == {"a": [3]}


def test_what_is_undefined_is_empty_and_a_warning() -> None:
    content = render(read({"body": "[{{ profile.traits.nick }}]"}), {"profile": {"traits": {}}})
    assert content.body == "[]"
    assert content.warnings == ["profile.traits.nick is undefined"]


def test_line_ends_are_kept() -> None:
    assert text("a\r\nb\n{{ x }}", x="c\r\n") == "a\r\nb\nc\r\n"


def test_partials_are_found_by_exact_name() -> None:
    template = read({"body": "{% include 'head' %}-{% render 'foot', x: 2 %}"})
    assert render(template, {}, partials={"head": "H", "foot": "F{{ x }}"}).body == "H-F2"
    with pytest.raises(Invalid) as error:
        render(template, {}, partials={"head": "H"})
    assert error.value.code == "template_error"


def test_text_without_liquid_costs_nothing_and_passes() -> None:
    assert render_text("100 % plain", {}) == "100 % plain"


@pytest.mark.parametrize("source", ["{% if %}", "{{ x | nope }}", "{{ 'x", "{% endfor %}", "{% for %}{% endfor %}"])
def test_what_cannot_be_read_is_said(source: str) -> None:
    with pytest.raises(Invalid) as error:
        render_text(source, {"x": 1})
    assert error.value.code == "template_error"


def test_check_reads_without_rendering() -> None:
    check("{{ a.b.c | upcase }}")
    with pytest.raises(Invalid):
        check("{% if x %}")


def test_no_nul_is_written() -> None:
    said = "{{ '%00a' | url_decode }}{{ 'AGI=' | base64_decode }}{{ 'AGM=' | base64_url_safe_decode }}"
    assert render_text(said, {}) == "abc"
