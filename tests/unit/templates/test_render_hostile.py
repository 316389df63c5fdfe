"""Hostile templates end in a typed error, quickly, in little memory."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from kizuna.core.errors import Invalid
from kizuna.templates import parsed
from kizuna.templates import render as rendering
from kizuna.templates.definition import Template, Wording
from kizuna.templates.render import render

BIG = "(1..1000000000)"
DOUBLE = "{% assign a = a | append: a %}"

STOPPED = {
    "endless loop": f"{{% for i in {BIG} %}}{{% endfor %}}",
    "printing loop": f"{{% for i in {BIG} %}}{{{{ i }}}}{{% endfor %}}",
    "nested loops": "{% for i in (1..9999) %}{% for j in (1..9999) %}x{% endfor %}{% endfor %}",
    "many loops in a row": "{% for i in (1..9000) %}{% endfor %}" * 20,
    "range joined": f"{{{{ {BIG} | join }}}}",
    "range joined to a separator": f"{{{{ {BIG} | join: ', ' }}}}",
    "range sorted": f"{{{{ {BIG} | sort }}}}",
    "range reversed": f"{{{{ {BIG} | reverse | first }}}}",
    "range mapped": f"{{{{ {BIG} | map: 'x' }}}}",
    "range summed": f"{{{{ {BIG} | sum }}}}",
    "range made unique": f"{{{{ {BIG} | uniq | size }}}}",
    "range concatenated": f"{{% assign a = {BIG} | concat: b %}}",
    "range sliced": f"{{{{ {BIG} | slice: 0, 900000000 | size }}}}",
    "range in a loop, reversed": f"{{% for i in {BIG} reversed %}}{{{{ i }}}}{{% endfor %}}",
    "table of a range": f"{{% tablerow i in {BIG} cols:3 %}}{{{{ i }}}}{{% endtablerow %}}",
    "text doubled": "{% assign a = 'abcdefgh' %}" + DOUBLE * 40,
    "text doubled in a loop": "{% assign a = 'abcdefgh' %}{% for i in (1..90) %}" + DOUBLE + "{% endfor %}",
    "list doubled": "{% assign a = 'a,b' | split: ',' %}{% for i in (1..60) %}"
    "{% assign a = a | concat: a %}{% endfor %}",
    "list of lists": "{% assign a = rows %}{% for i in (1..20) %}{% assign a = rows | concat: a | concat: rows %}"
    "{% assign rows = a %}{% endfor %}{{ a }}",
    "replaced by more": "{% assign a = 'aaaaaaaa' %}{% for i in (1..20) %}"
    "{% assign a = a | replace: 'a', a %}{% endfor %}",
    "replaced nothing by more": "{{ text | replace: '', text }}",
    "prepended": "{% assign a = text %}{% for i in (1..9000) %}{% assign a = a | prepend: text %}{% endfor %}",
    "power tower": "{% assign a = 9 %}{% for i in (1..100) %}{% assign a = a | times: a %}{% endfor %}{{ a }}",
    "captured": "{% capture a %}{{ text }}{% endcapture %}{% for i in (1..30) %}{% capture a %}{{ a }}{{ a }}"
    "{% endcapture %}{% endfor %}",
    "long output": "{% for i in (1..9000) %}{{ text }}{% endfor %}",
    "nested blocks": "{% if true %}" * 5000 + "{% endif %}" * 5000,
    "nested brackets": "{{ a" + "[a" * 3000 + "]" * 3000 + " }}",
    "open parentheses": "{% if " + "(" * 100_000 + " %}{% endif %}",
    "long source": "x" * 600_000 + "{{ a }}",
    "upper case of much": "{% for i in (1..9999) %}{% assign b = text | upcase | downcase %}{% endfor %}",
    "split of much": "{% for i in (1..9999) %}{% assign b = text | split: '' %}{% endfor %}",
    "markup stripped": "{% for i in (1..9999) %}{% assign b = markup | strip_html %}{% endfor %}",
    "partial of itself": "{% include 'self' %}",
    "partial of itself twice": "{% render 'twins' %}",
    "partial for each": "{% for i in (1..9999) %}{% include 'self' %}{% endfor %}",
    "long amounts": "{% for i in (1..9999) %}{% assign b = text | append: text | currency: 'JPY' %}{% endfor %}",
    "lists written out": "{% for i in (1..9999) %}{% assign b = rows | upcase %}{% endfor %}",
    "digests of much": "{% for i in (1..9999) %}{{ text | sha512 | hmac_sha256_base64: text }}{% endfor %}",
    "outputs of much": "{{ text }}" * 9_000,
    "elements never closed": "<style>p{}</style>{% for i in (1..900) %}<div><b>{% endfor %}",
    "sums of long texts": "{% for i in (1..9999) %}{% assign b = digits | plus: 1 %}{% endfor %}"
    "{{ b | times: b | times: b }}",
}
REFUSED = {  # read in vain, but quickly
    "outputs never closed": "{{ " * 150_000,
    "tags never closed": "{% if " * 80_000,
    "raw never closed": "{% raw %}" * 50_000,
    "docs never closed": "{% doc %}" * 50_000,
    "blanks in a tag": "{{ " + " " * 400_000 + " }}",
    "blanks in many tags": ("{{" + " " * 99 + "}}") * 2_000 + "{{ " + "\n" * 200 + " }}",
    "quotes never closed": "{{ '" + "\"'" * 20_000 + "x }}",
    "brackets with quotes": "{{ " + '["' * 30_000 + " }}",
    "unknown tag": "{% launch missiles %}",
    "unknown filter": "{{ 'a' | launch }}",
    "foreign file": "{% include '/etc/passwd' %}",
    "foreign folder": "{% render '../../secret' %}",
}
HARMLESS = {  # look dangerous, cost nothing
    "contains of a range": f"{{% if {BIG} contains 'x' %}}yes{{% endif %}}",
    "contains a fraction": f"{{% assign r = {BIG} %}}{{% if r contains 1.5 %}}yes{{% endif %}}",
    "far slice of a range": f"{{% for i in {BIG} offset: 999999990 limit: 3 %}}{{{{ i }}}} {{% endfor %}}",
    "end of a range": f"{{% for i in {BIG} reversed limit: 2 %}}{{{{ i }}}} {{% endfor %}}",
    "a range printed": f"{{{{ {BIG} }}}}",
    "wide date": "{{ 0 | date: '%500000d' }}",
    "class": "{{ text.__class__ }}{{ rows.__class__.__mro__ }}{{ profile.__init__.__globals__ }}",
    "attributes": "{{ forloop.__class__ }}{% for i in (1..2) %}{{ forloop.it }}{{ forloop.__class__ }}{% endfor %}",
    "huge exponent": "{{ '1e999999999' | plus: 0 }}",
    "brackets": "{{ a }}" * 2_000,
}
PARTIALS = {"self": "x{% include 'self' %}", "twins": "{% render 'twins' %}{% render 'twins' %}"}
DATA = {
    "text": "a" * 100_000,
    "markup": "<script" * 3_000 + ">",
    "rows": [["a"] * 100] * 100,
    "digits": "9" * 4_000,
}


@pytest.fixture(autouse=True)
def compiled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled they give up, and the interpreter must then stop in what is left of the time."""
    monkeypatch.setattr(parsed, "COMPILED_AT", 1)
    monkeypatch.setattr(rendering, "SHELF", parsed.Shelf())


def run(source: str) -> str:
    wording = Wording(None, source)
    return render(Template("email", "liquid+html", wording, {}), DATA, partials=PARTIALS).body


@pytest.mark.parametrize("name", STOPPED)
def test_a_swelling_template_is_stopped_in_time_and_memory(name: str) -> None:
    tracemalloc.start()
    started = time.thread_time()
    try:
        with pytest.raises(Invalid) as error:
            run(STOPPED[name])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.value.code in ("template_limit", "template_error")
    assert time.thread_time() - started < 2 * 3  # measured with the allocation tracer, which slows several times
    assert peak < 64_000_000


@pytest.mark.parametrize("name", STOPPED | REFUSED)
def test_an_unreadable_template_is_refused_in_time(name: str) -> None:
    started = time.thread_time()
    with pytest.raises(Invalid) as error:
        run((STOPPED | REFUSED)[name])
    assert error.value.code in ("template_limit", "template_error")
    assert time.thread_time() - started < 2


@pytest.mark.parametrize("name", HARMLESS)
def test_what_looks_dangerous_and_is_not_is_rendered(name: str) -> None:
    started = time.thread_time()
    try:
        assert len(run(HARMLESS[name])) < 1_000
    except Invalid as error:
        assert error.code == "template_error"
    assert time.thread_time() - started < 1
