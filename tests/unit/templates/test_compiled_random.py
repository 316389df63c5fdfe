"""Random templates over random data: compiled, they do what the interpreter does, or leave it to it."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.templates.test_compiled import compare

NAMES = ["a", "b", "c", "item", "n", "text", "forloop", "today"]
KEYS = ["a", "b", "c", "name", "size", "first", "last", "index", "length", "parentloop"]
TEXTS = [
    "",
    " ",
    "x",
    "Ada",
    "<b>&\"'",
    "b a",
    "1",
    "2.5",
    "\u7d46\n",
    "2026-03-08",
    "{",
    "}",
    "\\",
    "x" * 60,
    "\ud800",
]
NUMBERS = [0, 1, 2, 3, -1, 7, 2**62, 2**63, 10**30]
FILTERS = [
    "upcase", "downcase", "capitalize", "strip", "size", "default: 'd'", "default: b", "default: 3", "append: '<i>'",
    "append: b", "prepend: 'p'", "prepend: text", "truncate: 3", "truncate: 5, ''", "truncate: n", "slice: 0, 2",
    "slice: 1", "slice: -2, 2", "plus: 1", "plus: n", "minus: a", "times: 2", "times: n", "divided_by: 2",
    "divided_by: 0", "modulo: 3", "round", "date: '%Y-%m-%d'", "date: b", "url_encode", "escape", "split: ' '",
    "join: ', '", "first", "last", "reverse", "sort", "uniq", "map: 'name'", "where: 'name'", "json", "strip_html",
    "replace: 'x', 'y'", "compact", "concat: a", "abs", "currency: 'JPY'", "newline_to_br", "sum", "plus: 1, 2",
    "default: 'd', allow_false: true", "nonsense", "lstrip", "rstrip", "default", "append: 1",
]  # fmt: skip
TAGS = [
    "{% break %}", "{% continue %}", "{% cycle 'a', 'b' %}", "{% cycle a, b %}", "{% comment %}x{% endcomment %}",
    "{{ forloop.index }}{{ forloop.last }}{{ forloop.rindex0 }}", "{{ forloop.parentloop.index }}", "{{ forloop }}",
    "{% render 'card' %}", "{% render 'card' with item, a: b.c, b: a %}", "{% render 'card' for b as a, text: text %}",
    "{% render 'deep' for a %}", "{% render 'deep', a: item, c: n %}", "{% render 'self', a: a %}",
    "{% render 'leave' %}{{ n }}", "{% render 'moving', f: forloop %}", "{% render 'card', text: forloop.index %}",
    "{% render 'none' %}", "{% include 'set' %}", "{% render 'set', a: 1 %}",
    "{% include 'leave' %}", "{% include 'set' with a as item %}",
    "{% increment a %}", "{% decrement n %}", "{% increment new %}", "{{ new }}", "{% abort_message b %}", "\n", "  ",
    "{% for i in (1..6000) %}{% endfor %}", "{% for i in (1..6000) %}{% break %}{% endfor %}",
]  # fmt: skip
PARTIALS = {
    "set": "{% assign a = 'set' %}{{ item }}{{ b.a }}{% assign n = 2 %}",
    "leave": "-{% break %}-",
    "card": "{{ card }}{{ a.name }}{% for i in b %}{{ i }}{{ forloop.index }}{% endfor %}{% increment n %}{{ text }}",
    "deep": "{{ forloop.index }}{% render 'card', b: a %}{% ifchanged %}{{ c }}{% endifchanged %}{% cycle 1, 2 %}",
    "self": "{{ a }}{% if a %}{% render 'self' %}{% endif %}",
    "moving": "{% for i in f %}{{ i }}{% endfor %}{% include 'set' %}",
}


class Grammar:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.pick = random.choice
        self.deepest = random.choice([1, 2, 3])

    def template(self, depth: int = 0) -> str:
        return "".join(self.node(depth) for _ in range(self.random.randint(0 if depth else 1, 4)))

    def node(self, depth: int) -> str:
        kind = self.random.randrange(20 if depth < self.deepest else 9)
        if kind < 2:
            return self.pick(TEXTS).replace("{", "{ ")
        if kind < 6:
            return f"{{{{ {self.filtered()} }}}}"
        if kind == 6:
            return f"{{% assign {self.pick(NAMES)} = {self.filtered()} %}}"
        if kind < 9:
            return self.pick(TAGS)
        inner, name, value, test = self.template(depth + 1), self.pick(NAMES), self.primitive(), self.condition()
        other = self.template(depth + 1)
        if kind < 11:
            return f"{{% if {test} %}}{inner}{{% else %}}{other}{{% endif %}}"
        if kind == 11:
            return f"{{% if {test} %}}{inner}{{% elsif {self.condition()} %}}{other}{{% elsif b %}}b{{% endif %}}"
        if kind == 12:
            return f"{{% unless {test} %}}{inner}{{% elsif c %}}c{{% else %}}{other}{{% endunless %}}"
        if kind == 13:
            whens = f"{{% when {self.primitive()} %}}{inner}{{% when 'x', 'Ada', {self.primitive()} %}}{other}"
            last = f"{{% when 'x' or '1' %}}x{{% else %}}{self.template(depth + 1)}"
            return f"{{% case {value} %}}{whens}{last}{{% endcase %}}"
        if kind == 14:
            return f"{{% capture {name} %}}{inner}{{% endcapture %}}"
        if kind == 15:
            return "{% ifchanged %}" + inner + "{% endifchanged %}"
        if kind == 16:
            return f"{{% tablerow {name} in {value} cols: 2 %}}{inner}{{% endtablerow %}}"
        options = "".join(
            self.pick(
                ["", "", "", " reversed", " limit: 2", " limit: n", " offset: 1", " offset: continue", " limit: 0"]
            )
            for _ in range(2)
        )
        return f"{{% for {name} in {value}{options} %}}{inner}{{% else %}}{other}{{% endfor %}}"

    def filtered(self) -> str:
        return " | ".join([self.primitive(), *(self.pick(FILTERS) for _ in range(self.pick([0, 0, 1, 1, 2, 3])))])

    def primitive(self) -> str:
        kind = self.random.randrange(8)
        if kind < 5:
            return self.path()
        if kind == 5:
            return "'" + self.pick(TEXTS).replace("'", "").replace("}", "").replace("\\", "") + "'"
        if kind == 6:
            return str(self.pick(NUMBERS))
        return self.pick(["true", "false", "nil", "empty", "blank", "1.5", "(1..3)", "(0..n)"])

    def path(self) -> str:
        path = self.pick(NAMES)
        for _ in range(self.pick([0, 0, 1, 1, 2, 3])):
            kind = self.random.randrange(8)
            path += (
                f"['{self.pick(KEYS)}']" if kind == 0 else f"[{self.pick([0, 1, -1])}]" if kind == 1
                else f"[{self.pick(NAMES)}.{self.pick(KEYS)}]" if kind == 2 else f".{self.pick(KEYS)}"
            )  # fmt: skip
        return path

    def condition(self) -> str:
        test = self.comparison()
        for _ in range(self.pick([0, 0, 1, 2])):
            test += self.pick([" and ", " or "]) + self.comparison()
        return test

    def comparison(self) -> str:
        if self.random.randrange(2):
            return self.primitive()
        return f"{self.primitive()} {self.pick(['==', '!=', '<', '>', '<=', '>=', 'contains'])} {self.primitive()}"

    def data(self) -> dict[str, Any]:
        return {self.pick(NAMES): self.value(0) for _ in range(self.random.randint(0, 7))}

    def value(self, depth: int) -> Any:
        kind = self.random.randrange(9 if depth < 3 else 5)
        if kind < 3:
            return self.pick(TEXTS)
        if kind == 3:
            return self.pick(NUMBERS)
        if kind == 4:
            return self.pick([None, True, False, 1.5, 0.0, -2.25, Decimal("12.30"), Decimal("3")])
        if kind < 7:
            return [self.value(depth + 1) for _ in range(self.random.randint(0, 3))]
        return {self.pick(KEYS): self.value(depth + 1) for _ in range(self.random.randint(0, 4))}


@settings(max_examples=200, deadline=None)
@given(st.randoms(use_true_random=True), st.booleans())
def test_any_template_does_the_same_both_ways(random: Random, escapes: bool) -> None:
    grammar = Grammar(random)
    source, variables = grammar.template(), grammar.data()
    compare(source, variables, escapes, PARTIALS)
