"""Examine a template before it is published."""

from __future__ import annotations

from kizuna.core.errors import FieldError, Invalid
from kizuna.templates.definition import Template
from kizuna.templates.render import check


def examine(template: Template) -> None:
    """Raises `Invalid` with the place of a wording that is not Liquid that can be read."""
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
    for pointer, text in template.push.texts() if template.push else ():
        try:
            check(text)
        except Invalid as error:
            raise Invalid(str(error), code=error.code, errors=[FieldError(pointer, error.code, str(error))]) from None
