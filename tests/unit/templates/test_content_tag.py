from __future__ import annotations

from typing import Any

import pytest

from kizuna.core.errors import Invalid
from kizuna.fetches.request import Answer, Request, failed
from kizuna.templates.braze import convert
from kizuna.templates.definition import read
from kizuna.templates.extra_tags import Aborted
from kizuna.templates.lookups import Lookups, Missing
from kizuna.templates.render import check, render


def asked(options: str, **data: Any) -> Request:
    with pytest.raises(Missing) as missing:
        render(read({"body": f"{{% connected_content {options} %}}"}), data)
    assert isinstance(missing.value.wanted, Request)
    return missing.value.wanted


def drawn(options: str, answer: Answer, after: str = "", form: str = "liquid+html") -> str:
    request = asked(options)
    body = f"{{% connected_content {options} %}}{after}"
    return render(read({"body": body, "format": form}), {}, lookups=Lookups({request: answer})).body


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ("https://a.example", "https://a.example/"),
        ("https://a.example/{{ x }}/{{ x | upcase }}?q={{ x }}", "https://a.example/a%2F%3F%26%20b/A%2F%3F%26%20B?q=a%2F%3F%26%20b"),
        ("https://a.example/?q={{ x | url_param_escape }}", "https://a.example/?q=a%2F%3F%26%20b"),
        ("{{ base }}/v1?a=b c", "http://b.example:80/x/v1?a=b%20c"),
        ("https://例え.jp/お茶", "https://xn--r8jz45g.jp/%E3%81%8A%E8%8C%B6"),
        ("http://[::1]/", "http://[::1]/"),
    ],
)  # fmt: skip
def test_values_in_an_address_are_encoded_but_not_twice(options: str, url: str) -> None:
    assert asked(options, x="a/?& b", base="http://b.example:80/x").url == url


@pytest.mark.parametrize(
    "address",
    [
        "ftp://a.example",
        "//a",
        "a.example",
        "http://",
        "http://u:p@a.example/",
        "file:///etc/passwd",
        "http://a.example\n/",
        "http://a:99999/",
        "{{ nothing }}",
    ],
)
def test_what_is_no_address_of_the_web_is_refused(address: str) -> None:
    with pytest.raises(Invalid):
        render(read({"body": f"{{% connected_content {address} %}}"}), {})


def test_method_body_and_headers_are_said_with_their_values_escaped_by_context() -> None:
    form = asked(
        'https://a.example :method post :body a={{ x }}&b=2 :headers {"X-Who": "{{ w }}"} :retry 3', x="1&2", w='"q"'
    )
    assert (form.method, form.body, form.retries, form.cached_seconds) == ("POST", b"a=1%262&b=2", 3, 0)
    assert dict(form.headers) == {"x-who": '"q"', "content-type": "application/x-www-form-urlencoded"}
    json = asked('https://a.example :method put :body {"a": "{{ x }}"} :content_type application/json', x='"},')
    assert (json.body, dict(json.headers)) == (b'{"a": "\\"},"}', {"content-type": "application/json"})


def test_bounds_of_cache_retries_and_time() -> None:
    assert asked("https://a.example").cached_seconds == 300
    assert asked("https://a.example :no_cache").cached_seconds == 0
    assert asked("https://a.example :cache_max_age 999999").cached_seconds == 4 * 3600
    assert asked("https://a.example :retry :timeout 60 :basic_auth crm").retries == 5
    assert asked("https://a.example :timeout 60").seconds == 2.0


@pytest.mark.parametrize("header", ['{"Host": "x"}', '{"A": "b\\r\\nC: d"}', '{"A b": "c"}', '{"A": 1}', "[]", "{"])
def test_headers_that_are_none_are_refused(header: str) -> None:
    with pytest.raises(Invalid):
        render(read({"body": f"{{% connected_content https://a.example :headers {header} %}}"}), {})


@pytest.mark.parametrize(
    "options",
    ["", ":save x", "https://a :method trace", "https://a :retry x", "https://a :on_failure ignore", "https://a :save"],
)
def test_a_tag_that_cannot_be_is_refused_before_it_is_published(options: str) -> None:
    with pytest.raises(Invalid):
        check(f"{{% connected_content {options} %}}")


def test_an_object_knows_its_status_and_other_answers_are_kept_as_they_are() -> None:
    url, status = "https://a.example :save r", "{{ r.n }}|{{ r.__http_status_code__ }}"
    assert drawn(url, Answer(201, "application/json", b'{"n": "<1>"}'), status) == "&lt;1&gt;|201"
    assert drawn(url, Answer(200, "application/json", b'["a", "b"]'), "{{ r[1] }}") == "b"
    assert drawn(url, Answer(200, "text/plain", b"<hi>"), "{{ r }}") == "&lt;hi&gt;"


def test_a_piece_of_html_is_written_as_it_is_and_anything_else_escaped() -> None:
    url = "https://a.example"
    assert drawn(url, Answer(200, "text/html; charset=utf-8", b"<b>hi</b>")) == "<b>hi</b>"
    assert drawn(url, Answer(200, "text/plain", b"<b>hi</b>")) == "&lt;b&gt;hi&lt;/b&gt;"
    assert drawn(url, Answer(200, "text/plain", b"<b>"), form="liquid+text") == "<b>"


@pytest.mark.parametrize("answer", [Answer(404), Answer(302), failed("nobody")])
def test_a_bad_answer_aborts_unless_told_to_be_empty(answer: Answer) -> None:
    with pytest.raises(Aborted) as aborted:
        drawn("https://a.example", answer)
    assert aborted.value.reason == "content_failed"
    after = "[{{ r.__http_status_code__ }}{{ r.n }}]"
    assert drawn("https://a.example :save r :on_failure empty", answer, after) == f"[{answer.status}]"


def test_a_large_answer_costs_what_values_cost() -> None:
    with pytest.raises(Invalid) as error:
        drawn("https://a.example :save r", Answer(200, "", b"[" + b"1," * 30_000 + b"1]"))
    assert error.value.code == "template_limit"


def test_braze_keeps_its_braces_within_the_tag() -> None:
    text, _ = convert("{% connected_content https://a.example/{{custom_attribute.${id}}} :save r %}{% if {{${x}}} %}")
    assert text == ("{% connected_content https://a.example/{{profile.traits.id}} :save r %}{% if profile.traits.x %}")
