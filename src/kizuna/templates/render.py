"""Renders templates: pure, within a budget; errors are `Invalid` with code `template_error` or `template_limit`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from liquid import BoundTemplate
from liquid.exceptions import LiquidError, ResourceLimitError
from msgspec import Struct

from kizuna.core.errors import Invalid
from kizuna.templates.budget import Budget
from kizuna.templates.compiled import Written
from kizuna.templates.definition import Template
from kizuna.templates.extra_tags import Aborted
from kizuna.templates.finish import finish
from kizuna.templates.in_page import PagePart
from kizuna.templates.liquid_engine import BoundedContext, Buffer
from kizuna.templates.lookups import Lookups, Missing
from kizuna.templates.parsed import SHELF
from kizuna.templates.plain_text import text_of
from kizuna.templates.push import PushPart
from kizuna.templates.sanitise import from_text, sanitised


class Content(Struct, frozen=True):
    """What is said: the outcome of rendering."""

    subject: str | None
    body: str
    format: str
    warnings: list[str]
    written: str | None = None  # the text part that the template wrote itself
    push: PushPart | None = None
    page: PagePart | None = None
    made: Written | None = None  # the body, where it stayed as the template wrote it

    def text_part(self) -> str:
        """What stands beside the HTML for those who read text."""
        if self.written is not None:
            return self.written
        found = self.made.plain_text() if self.made is not None else None
        return text_of(self.body) if found is None else found


def render(
    template: Template,
    variables: Mapping[str, Any],
    *,
    locale: str = "",
    now: int | None = None,
    zone: str = "UTC",
    partials: Mapping[str, str] | None = None,
    lookups: Lookups | None = None,
) -> Content:
    """Raises `Aborted` when nothing is to be said, `Missing` when it needs an answer that `lookups` does not have.
    Subject, body and text share one budget. `now` is an instant, for `{{ "now" | date: ... }}`."""
    budget = Budget(now, zone, lookups=lookups)
    wording = template.wording(locale)
    known = Plain(variables)
    subject = None
    if wording.subject is not None:
        subject = " ".join(_run(wording.subject, known, budget, False, partials).split())  # a header is one line
    written = None if wording.text is None else _run(wording.text, known, budget, False, partials)
    made = _write(wording.body, known, budget, template.escapes, partials)
    body = made.text
    push = template.push and template.push.rendered(lambda text: _run(text, known, budget, False, partials))
    page = wording.page and wording.page.rendered(lambda text: _run(text, known, budget, False, partials))
    if page is not None:
        body = sanitised(body) if template.escapes else from_text(body)
    elif template.escapes:
        body = _finished(body, template.format, budget)
    kept = made if body is made.text else None
    return Content(subject, body, template.format, list(budget.warnings), written, push, page, kept)


def _finished(body: str, form: str, budget: Budget) -> str:
    try:
        budget.check_time()
        return finish(body, form)
    except LiquidError as error:
        raise _invalid(error) from None


def render_text(text: str, variables: Mapping[str, Any], *, now: int | None = None, zone: str = "UTC") -> str:
    """One piece of Liquid without escaping, as in the values of an `update` step."""
    if "{{" not in text and "{%" not in text:
        return text
    try:
        return _run(text, Plain(variables), Budget(now, zone), False, None)
    except (Aborted, Missing):
        raise Invalid("tags that abort or look up have a meaning in messages only", code="template_error") from None


def check(text: str, *, escapes: bool = False) -> None:
    """Raises `Invalid` when a text is not Liquid that can be read."""
    try:
        SHELF.parsed(text, escapes)
    except (LiquidError, RecursionError) as error:
        raise _invalid(error) from None


class Plain(Mapping[str, Any]):
    """Variables as the interpreter takes them; each is made plain when it is first asked for."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self.given = variables
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = plain(self.given[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.given)

    def __len__(self) -> int:
        return len(self.given)


def plain(value: Any) -> Any:
    """Exact decimals become numbers that the filters know; what is no JSON stays as it is."""
    kind = type(value)
    if kind is dict:
        if _PLAIN.issuperset(map(type, value.values())):
            return value
        return {key: inner if type(inner) in _PLAIN else plain(inner) for key, inner in value.items()}
    if kind is list or kind is tuple:
        if kind is list and _PLAIN.issuperset(map(type, value)):
            return value
        return [plain(inner) for inner in value]
    if kind is Decimal:
        return int(value) if value == value.to_integral_value() and abs(value) < 10**18 else float(value)
    return value


_PLAIN = frozenset((str, int, float, bool, type(None)))  # a container of nothing else need not be copied


def _run(text: str, variables: Plain, budget: Budget, escapes: bool, partials: Mapping[str, str] | None) -> str:
    return _write(text, variables, budget, escapes, partials).text


def _write(text: str, variables: Plain, budget: Budget, escapes: bool, partials: Mapping[str, str] | None) -> Written:
    try:
        parsed = SHELF.parsed(text, escapes, partials)
        written = compiled.write(variables, budget) if (compiled := parsed.compiled()) else None
        if written is None:
            written = Written(interpreted(parsed.template, variables, budget))
        if "\x00" in written.text:  # neither a database nor a mail takes it
            written = Written(written.text.replace("\x00", ""))
        return written
    except (Aborted, Missing):
        raise
    except Exception as error:  # whatever a template makes the library raise is the template's fault
        raise _invalid(error) from None


def interpreted(template: BoundTemplate, variables: Plain, budget: Budget) -> str:
    context = BoundedContext(template, globals=template.make_globals(variables))
    context.budget = budget
    output = Buffer(budget)
    template.render_with_context(context, output)
    return output.getvalue()


def _invalid(error: BaseException) -> Invalid:
    if isinstance(error, Invalid):
        return error
    cause = error.__cause__
    if isinstance(cause, Invalid):  # the source of a partial, seen by the loader
        return cause
    first_line = str(error).strip().partition("\n")[0] or type(error).__name__
    if isinstance(error, (ResourceLimitError, MemoryError)) or isinstance(cause, ResourceLimitError):
        return Invalid(f"the template was stopped: {first_line}", code="template_limit")
    if isinstance(error, RecursionError) or isinstance(cause, RecursionError):
        return Invalid("the template is nested too deeply", code="template_limit")
    return Invalid(f"the template cannot be read: {first_line}", code="template_error")
