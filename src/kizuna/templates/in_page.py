"""What a template for a message in a page says beside title and text: image, link, buttons, and how it is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from kizuna.channels import is_in_page
from kizuna.core.errors import FieldError
from kizuna.templates.display import read_display

FIELDS = ("image", "url", "buttons", "display")
MOST_BUTTONS = 5
LONGEST_URL = 2_000
_LINK = re.compile(r"(?:https?://|mailto:|tel:|/|\?|#|\.{1,2}/)[^\s\x00-\x1f\x7f\\]*\Z", re.IGNORECASE)
_IMAGE = re.compile(r"(?:https?://|/|\.{1,2}/)[^\s\x00-\x1f\x7f\\]*\Z", re.IGNORECASE)
_BUTTON = ("label", "url", "event")


class Button(Struct, frozen=True):
    """All of it is Liquid. A click may lead somewhere, be tracked as an event of the customer, or only close."""

    label: str
    url: str = ""
    event: str = ""


class PagePart(Struct, frozen=True):
    """`display` is as written; the rest is Liquid."""

    display: dict[str, Any]
    image: str = ""
    url: str = ""  # where a click on the message itself leads
    buttons: tuple[Button, ...] = ()

    def texts(self) -> list[tuple[str, str]]:
        """Each with the JSON pointer of its place."""
        own = [("/image", self.image), ("/url", self.url)]
        return own + [
            (f"/buttons/{index}/{name}", getattr(button, name))
            for index, button in enumerate(self.buttons)
            for name in _BUTTON
        ]

    def rendered(self, run: Callable[[str], str]) -> PagePart:
        """An address that no page should be led to is left out; a button whose label came out empty, too."""
        buttons = [Button(*(run(getattr(button, name)).strip() for name in _BUTTON)) for button in self.buttons]
        return PagePart(
            display=self.display,
            image=_if(_IMAGE, run(self.image)),
            url=_if(_LINK, run(self.url)),
            buttons=tuple(
                msgspec.structs.replace(button, url=_if(_LINK, button.url)) for button in buttons if button.label
            ),
        )


def _if(form: re.Pattern[str], said: str) -> str:
    url = said.strip()
    return url if len(url) <= LONGEST_URL and form.match(url) else ""


def read(said: Mapping[str, Any], channel: Any, pointer: str, errors: list[FieldError]) -> PagePart | None:
    """None for a channel that shows nothing in a page; what is wrong is added to `errors`."""
    if not isinstance(channel, str) or not is_in_page(channel):
        return None
    before = len(errors)
    display = read_display(said.get("display"), channel, f"{pointer}/display", errors)
    errors += [
        FieldError(f"{pointer}/{name}", "invalid", "a text")
        for name in ("image", "url")
        if not isinstance(said.get(name, ""), str)
    ]
    buttons = _buttons(said.get("buttons", []), f"{pointer}/buttons", errors)
    if len(errors) > before:
        return None
    return PagePart(display, said.get("image", ""), said.get("url", ""), buttons)


def _buttons(said: Any, pointer: str, errors: list[FieldError]) -> tuple[Button, ...]:
    if not isinstance(said, list) or len(said) > MOST_BUTTONS:
        errors.append(FieldError(pointer, "invalid", f"a list of at most {MOST_BUTTONS} {{label, url?, event?}}"))
        return ()
    buttons: list[Button] = []
    for index, each in enumerate(said):
        is_object = isinstance(each, Mapping) and all(isinstance(value, str) for value in each.values())
        if not is_object or not each.get("label") or each.keys() - set(_BUTTON):
            errors.append(FieldError(f"{pointer}/{index}", "invalid", "an object of texts {label, url?, event?}"))
        else:
            buttons.append(Button(**each))
    return tuple(buttons)
