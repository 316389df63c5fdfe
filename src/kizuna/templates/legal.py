"""What laws want shown in commercial mail, looked for in templates before they rule: the sender, their postal address,
a contact, the way out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from kizuna.consent.law import ADDRESS, CONTACT, SENDER, WAY_OUT
from kizuna.consent.terms import Sender, Terms
from kizuna.core.errors import FieldError, Unprocessable
from kizuna.core.problems import escape
from kizuna.templates.blocks import collect, named_by
from kizuna.templates.definition import COMMERCIAL, Template

CODE = "legal_display_missing"
CHANNEL = "email"
_NOT_SHOWN = re.compile(r"<!--.*?-->|\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}", re.DOTALL)
_SPACE = re.compile(r"\s+")
_WAY_OUT = re.compile(r"\bmessage\s*\.\s*(?:unsubscribe_url|preferences_url)\b")
_FIELDS = {SENDER: "name", ADDRESS: "address", CONTACT: "contact"}
_HOW = {
    SENDER: "show the sender: {{ workspace.sender.name }}",
    ADDRESS: "show the postal address: {{ workspace.sender.address }}",
    CONTACT: "show where to complain: {{ workspace.sender.contact }}",
    WAY_OUT: "show the way out: {{ message.unsubscribe_url }}",
}


def check(
    templates: Mapping[str, Template], terms: Terms, names: Iterable[str] | None = None, own: str | None = None
) -> None:
    """Raises `Unprocessable` with all that commercial mails of `names` (None: any) do not show. `templates` are all
    that rule, for some are put into others; pointers lead into the body of `own`, else into one by its name."""
    found = [
        FieldError(pointer if name == own else f"/{escape(name)}{pointer}", CODE, message)
        for name in sorted(templates if names is None else names)
        for pointer, message in missing(templates[name], templates, terms)
    ]
    if found:
        first = f"a law that the policy names wants more in a commercial mail: {found[0].message}"
        raise Unprocessable(first, code=CODE, errors=found)


def check_use(templates: Mapping[str, Template], terms: Terms, names: Iterable[str]) -> None:
    """Raises `Unprocessable` where marketing would be said by templates that are not for it: under a law those need
    not show what it wants."""
    wanted = displayed(terms)
    wrong = [name for name in sorted(names) if name in templates and templates[name].kind != COMMERCIAL]
    if wanted and wrong:
        said = f"{wrong[0]!r} is no commercial template: take one, or send it as transactional"
        raise Unprocessable(said, code=CODE, errors=[FieldError("/send/template", CODE, said)])


def missing(template: Template, all_of: Mapping[str, Template], terms: Terms) -> list[tuple[str, str]]:
    """(pointer, what to do) of each wording that does not show something."""
    wanted = displayed(terms)
    if not wanted or template.channel != CHANNEL or template.kind != COMMERCIAL:
        return []
    return [
        (f"{pointer}/body", _HOW[part])
        for pointer, text in _shown(template, all_of)
        for part in wanted
        if not _shows(text, part, terms.sender)
    ]


def hides_way_out(template: Template, all_of: Mapping[str, Template]) -> bool:
    """Whether some wording of a commercial mail shows no link to stop more of them, whatever laws rule."""
    if template.channel != CHANNEL or template.kind != COMMERCIAL:
        return False
    return not all(_WAY_OUT.search(text) for _, text in _shown(template, all_of))


def _shown(template: Template, all_of: Mapping[str, Template]) -> Iterator[tuple[str, str]]:
    """Pointer and text of each wording, with that of the blocks it puts in, without what nobody sees."""
    inside = collect(named_by(template), lambda names: {name: all_of[name] for name in names if name in all_of})
    for pointer, wording in template.wordings():
        locale = pointer.rpartition("/")[2]
        text = "\n".join([wording.body, *(each.wording(locale).body for each in inside.values())])
        yield pointer, _NOT_SHOWN.sub("", text)


def displayed(terms: Terms) -> list[str]:
    """What some law that may rule mail wants shown."""
    wanted = {part for law in terms.laws_on(CHANNEL) for part in law.display}
    return [part for part in _HOW if part in wanted]


def _shows(text: str, part: str, sender: Sender) -> bool:
    if part == WAY_OUT:
        return bool(_WAY_OUT.search(text))
    field = _FIELDS[part]
    said = getattr(sender, field)
    variable = re.search(rf"\bworkspace\s*\.\s*sender\s*\.\s*{field}\b", text)
    return bool(variable) or (bool(said) and said in _SPACE.sub(" ", text))
