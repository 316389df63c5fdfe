"""From a claimed message and its customer to what is handed to a provider. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from kizuna.core import ids
from kizuna.core.clock import SECOND
from kizuna.engine.slice import Workspace
from kizuna.messages.claim import Person
from kizuna.messages.links import Links, rewrite
from kizuna.messages.message import Claimed
from kizuna.providers import Delivery
from kizuna.templates.definition import Template
from kizuna.templates.filters import text_of_html
from kizuna.templates.render import render
from kizuna.templates.variables import of_profile


class Composed(Struct, frozen=True):
    """A delivery, and the links that its clicks may lead to."""

    delivery: Delivery
    body: str
    links: list[str]


def compose(
    message: Claimed,
    person: Person,
    address: str,
    template: Template,
    workspace: Workspace,
    links: Links,
    at: int,
    *,
    with_text: bool = True,
) -> Composed:
    """Raises `Invalid` when the template cannot be rendered. The text part of HTML is made `with_text` only."""
    content = render(
        template,
        variables(message, person, workspace, links),
        locale=person.locale,
        now=at,
        zone=person.zone or workspace.zone,
    )
    is_html = content.format != "liquid+text"
    body, targets = rewrite(content.body, links) if is_html else (content.body, [])
    delivery = Delivery(
        message=ids.show("msg", message.id),
        channel=message.channel,
        address=address,
        subject=content.subject,
        text=text_of_html(content.body).strip() if is_html and with_text else content.body,
        html=body if is_html else None,
        headers={} if message.transactional else _one_click(links),
        at=at / SECOND,
    )
    return Composed(delivery, body, targets)


def _one_click(links: Links) -> dict[str, str]:
    """RFC 8058: one POST to this address unsubscribes."""
    return {
        "List-Unsubscribe": f"<{links.unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def variables(message: Claimed, person: Person, workspace: Workspace, links: Links) -> Mapping[str, Any]:
    """What templates see."""
    return {
        "profile": of_profile(person.id, person.traits, person.known, person.segments),
        "event": msgspec.json.decode(message.event) if message.event else None,
        "run": {"id": message.run, "journey": message.journey, "step": message.step} if message.run else None,
        "data": message.data,
        "workspace": {"name": workspace.name, "zone": workspace.zone, "currency": workspace.currency},
        "message": MessageVariable(message, links),
    }


class MessageVariable(Mapping[str, Any]):
    """`message` in templates; a link is signed when a template asks for it."""

    _LINKS: ClassVar = {"unsubscribe_url": "unsubscribe", "preferences_url": "preferences", "view_url": "view"}
    _FIELDS: ClassVar = ("channel", "campaign", "variant", "topic")

    def __init__(self, message: Claimed, links: Links) -> None:
        self._message = message
        self._links = links

    def __getitem__(self, name: str) -> Any:
        if name in self._LINKS:
            return getattr(self._links, self._LINKS[name])
        if name in self._FIELDS:
            return getattr(self._message, name)
        if name == "id":
            return ids.show("msg", self._message.id)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(("id", *self._FIELDS, *self._LINKS))

    def __len__(self) -> int:
        return 1 + len(self._FIELDS) + len(self._LINKS)
