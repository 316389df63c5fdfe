"""Examine a template before it is published."""

from __future__ import annotations

from collections.abc import Iterator

from kizuna.core.errors import FieldError, Invalid
from kizuna.paper.logo import picture
from kizuna.templates.definition import Template
from kizuna.templates.render import check


def examine(template: Template) -> None:
    """Raises `Invalid` with the place of a wording that is not Liquid that can be read, or of a logo that is none."""
    if template.logo:
        try:
            picture(template.logo)
        except Invalid as error:
            raise Invalid(str(error), code=error.code, errors=[FieldError("/logo", error.code, str(error))]) from None
    for pointer, wording in template.wordings():
        said = [
            ("subject", wording.subject, False),
            ("body", wording.body, template.escapes),
            ("text", wording.text, False),
        ]
        for field, text, escapes in said:
            try:
                check(text or "", escapes=escapes)
            except Invalid as error:
                wrong = FieldError(f"{pointer}/{field}", error.code, str(error))
                raise Invalid(str(error), code=error.code, errors=[wrong]) from None
    for pointer, text in _beside(template):
        try:
            check(text)
        except Invalid as error:
            raise Invalid(str(error), code=error.code, errors=[FieldError(pointer, error.code, str(error))]) from None


def _beside(template: Template) -> Iterator[tuple[str, str]]:
    """The texts that are neither title nor body, each with the JSON pointer of its place."""
    if template.push is not None:
        yield from template.push.texts()
    for pointer, wording in template.wordings():
        if wording.page is not None:
            yield from ((f"{pointer}{place}", text) for place, text in wording.page.texts())
