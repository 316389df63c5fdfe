"""Renders templates: pure, within a budget; errors are `Invalid` with code `template_error` or `template_limit`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate
from liquid.exceptions import LiquidError, ResourceLimitError
from msgspec import Struct

from kizuna.core.errors import Invalid
from kizuna.templates import direct
from kizuna.templates.budget import Budget
from kizuna.templates.compiled import Compiled
from kizuna.templates.definition import Template
from kizuna.templates.extra_tags import Aborted
from kizuna.templates.finish import finish
from kizuna.templates.in_page import PagePart
from kizuna.templates.liquid_engine import BoundedContext, BoundedEnvironment, Buffer, plain_environment
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

    def text_part(self) -> str:
        """What stands beside the HTML for those who read text."""
        return text_of(self.body) if self.written is None else self.written


def render(
    template: Template,
    variables: Mapping[str, Any],
    *,
    locale: str = "",
    now: int | None = None,
    zone: str = "UTC",
    partials: Mapping[str, str] | None = None,
) -> Content:
    """Raises `Aborted` when the template says that nothing is said. Subject, body and text share one budget.
    `now` is an instant, for `{{ "now" | date: ... }}`."""
    budget = Budget(now, zone)
    wording = template.wording(locale)
    known = Plain(variables)
    subject = None
    if wording.subject is not None:
        subject = " ".join(_run(wording.subject, known, budget, False, partials).split())  # a header is one line
    written = None if wording.text is None else _run(wording.text, known, budget, False, partials)
    body = _run(wording.body, known, budget, template.escapes, partials)
    push = template.push and template.push.rendered(lambda text: _run(text, known, budget, False, partials))
    page = wording.page and wording.page.rendered(lambda text: _run(text, known, budget, False, partials))
    if page is not None:
        body = sanitised(body) if template.escapes else from_text(body)
    elif template.escapes:
        body = _finished(body, template.format, budget)
    return Content(subject, body, template.format, list(budget.warnings), written, push, page)


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
    except Aborted:
        raise Invalid("abort_message has a meaning in messages only", code="template_error") from None


def check(text: str, *, escapes: bool = False) -> None:
    """Raises `Invalid` when a text is not Liquid that can be read."""
    try:
        _parse(text, escapes)
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
    if kind is str or kind is int or kind is float or kind is bool or value is None:
        return value
    if kind is dict:
        return {key: plain(inner) for key, inner in value.items()}
    if kind is list or kind is tuple:
        return [plain(inner) for inner in value]
    if kind is Decimal:
        return int(value) if value == value.to_integral_value() and abs(value) < 10**18 else float(value)
    return value


def _run(text: str, variables: Plain, budget: Budget, escapes: bool, partials: Mapping[str, str] | None) -> str:
    try:
        found = _parse_among(text, escapes, tuple(sorted(partials.items()))) if partials else _parse(text, escapes)
        parsed, parts, compiled = found
        if parts is not None:
            written = direct.write(parts, variables.given, escapes)
            if written is not None:
                return written
        if compiled is not None and (written := _quickly(compiled, variables, budget)) is not None:
            return written
        context, output = _stage(parsed, variables, budget)
        parsed.render_with_context(context, output)
        return output.getvalue()
    except Aborted:
        raise
    except Exception as error:  # whatever a template makes the library raise is the template's fault
        raise _invalid(error) from None


def _quickly(compiled: Compiled, variables: Plain, budget: Budget) -> str | None:
    """None: something is wrong, and the interpreter can say what."""
    context, output = _stage(compiled.template, variables, budget)
    try:
        compiled.write(context, output)
    except (Aborted, ResourceLimitError):
        raise
    except Exception:  # said again by the interpreter, in its words
        return None
    return output.getvalue()


def _stage(parsed: BoundTemplate, variables: Plain, budget: Budget) -> tuple[BoundedContext, Buffer]:
    context = BoundedContext(parsed, globals=parsed.make_globals(variables))
    context.budget = budget
    return context, Buffer(budget)


Parsed = tuple[BoundTemplate, list[direct.Part] | None, Compiled | None]


@lru_cache(512)
def _parse(text: str, escapes: bool) -> Parsed:
    parsed = plain_environment(escapes).from_string(text)
    parts = direct.parts_of(parsed)
    return parsed, parts, Compiled(parsed) if parts is None else None


@lru_cache(64)
def _parse_among(text: str, escapes: bool, partials: tuple[tuple[str, str], ...]) -> Parsed:
    parsed = BoundedEnvironment(autoescape=escapes, partials=dict(partials)).from_string(text)
    return parsed, None, Compiled(parsed)


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
