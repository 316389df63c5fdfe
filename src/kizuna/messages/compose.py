"""From a claimed message and its customer to what is handed to a provider. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from kizuna.consent.decide import OPTED_OUT, TRACKING, TRANSACTIONAL, in_force, state
from kizuna.consent.terms import Sender
from kizuna.core import clock, ids
from kizuna.core.clock import SECOND
from kizuna.engine.slice import Workspace
from kizuna.messages.claim import Person
from kizuna.messages.links import Links, is_led, rewrite, unfollowed
from kizuna.messages.message import Claimed
from kizuna.messages.rehearsal import data_of, headers, marked, part_of
from kizuna.profiles.device import Device
from kizuna.providers import Delivery, Notification
from kizuna.templates.blocks import bodies
from kizuna.templates.definition import Template
from kizuna.templates.in_page import PagePart
from kizuna.templates.lookups import Lookups
from kizuna.templates.push import PushPart
from kizuna.templates.render import Content, render, render_text
from kizuna.templates.variables import of_profile, of_workspace


class Composed(Struct, frozen=True):
    """What is said, with the links that its clicks may lead to and the address of its one-click header."""

    address: str
    subject: str | None
    body: str
    plain: Content | None  # what was said before links were led through ours; None: it is no HTML
    links: list[str]
    unsubscribe: str | None
    consent: str  # what allows it: opted_in, neutral or transactional
    proof: bytes | None = None  # of an opt-in: the row that proves it
    devices: Sequence[Device] = ()
    notification: Notification | None = None
    codes: dict[str, str] = {}  # of promotions, by name
    extras: dict[str, Any] = {}  # what the template noted for the log
    page: PagePart | None = None


def compose(
    message: Claimed,
    person: Person,
    address: str,
    template: Template,
    workspace: Workspace,
    links: Links,
    at: int,
    blocks: Mapping[str, Template] | None = None,
    sender: Sender | None = None,
    lookups: Lookups | None = None,
    utm: Mapping[str, str] | None = None,
) -> Composed:
    """Raises `Invalid` when the template cannot be rendered, `Aborted` when nothing is to be said, `Missing` when it
    needs an answer that `lookups` does not have."""
    lookups = lookups or Lookups()
    variables = Variables(message, person, workspace, links, sender)
    content = render(
        template,
        variables,
        locale=person.locale,
        now=at,
        zone=person.zone or workspace.zone,
        partials=bodies(blocks, person.locale) if blocks else None,
        lookups=lookups,
    )
    is_html = content.format != "liquid+text" and content.page is None
    is_followed = state(person.consent, TRACKING) != OPTED_OUT and not message.is_test
    body, targets = content.body, list[str]()
    if is_html:
        told = {name: render_text(value, variables, now=at) for name, value in (utm or {}).items()}
        body, targets = (
            rewrite(content.body, links, told) if is_followed else (unfollowed(content.body, links), targets)
        )
    allowed, proof = _allowed(message, person, at)
    notification = None
    if message.channel == "push":
        notification, targets = announce(message, content.push or PushPart(), links, targets, at, is_followed)
    return Composed(
        address=address,
        subject=marked(message, content.subject),
        body=body,
        plain=content if is_html else None,
        links=targets,
        unsubscribe=None if message.transactional else links.unsubscribe,
        consent=allowed,
        proof=proof,
        devices=person.known.devices,
        notification=notification,
        codes=lookups.codes,
        extras=lookups.extras,
        page=content.page,
    )


def _allowed(message: Claimed, person: Person, at: int) -> tuple[str, bytes | None]:
    if message.transactional:
        return TRANSACTIONAL, None
    return in_force(person.consent, message.channel, message.topic, at)


def announce(
    message: Claimed, said: PushPart, links: Links, targets: list[str], at: int, is_followed: bool = True
) -> tuple[Notification, list[str]]:
    """What goes beside title and text, its link led through ours, and the links the message has now."""
    url = said.url
    if is_followed and is_led(url) and not links.is_ours(url):
        url, targets = links.click(len(targets)), [*targets, url]
    until = message.expires_at
    if said.ttl:
        until = min(until, clock.after(at, clock.duration(said.ttl), "UTC"))
    return Notification(
        ttl=max(0, until - at) // SECOND,
        url=url or None,
        dismissed_url=links.dismissed,
        icon=said.icon or None,
        image=said.image or None,
        data=said.data,
        urgency=said.urgency or ("high" if message.transactional else "normal"),
        collapse=said.collapse or None,
    ), targets


def as_brought(message: Claimed, address: str) -> Composed:
    """What was worded before: for a web hook when the journey came to it, as an answer when the word was heard."""
    return Composed(
        address=address, subject=None, body=str(message.data.get("body") or ""), plain=None, links=[], unsubscribe=None,
        consent=TRANSACTIONAL,
    )  # fmt: skip


def delivery(message: Claimed, said: Composed, at: int) -> Delivery:
    """As a provider takes it: HTML has a text part beside it."""
    return Delivery(
        message=ids.show("msg", message.id),
        channel=message.channel,
        address=said.address,
        subject=said.subject,
        text=said.body if said.plain is None else said.plain.text_part(),
        html=None if said.plain is None else said.body,
        headers=_headers(message, said.unsubscribe),
        at=at / SECOND,
        devices=said.devices,
        notification=said.notification,
    )


def _headers(message: Claimed, unsubscribe: str | None) -> Mapping[str, str]:
    """RFC 8058: one POST to that address unsubscribes. A test says that it is one instead."""
    if message.is_test:
        return headers(message)
    if unsubscribe is None:
        return {}
    return {"List-Unsubscribe": f"<{unsubscribe}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


class Variables(Mapping[str, Any]):
    """What templates see; each is made when a template first asks for it."""

    _NAMES: ClassVar = ("profile", "event", "run", "data", "workspace", "message")

    def __init__(
        self, message: Claimed, person: Person, workspace: Workspace, links: Links, sender: Sender | None = None
    ) -> None:
        self._message, self._person, self._workspace, self._links = message, person, workspace, links
        self._sender = sender
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Any:
        message, person, workspace = self._message, self._person, self._workspace
        match name:
            case "profile":
                return of_profile(person.id, person.traits, person.known, person.segments)
            case "event":
                return msgspec.json.decode(message.event) if message.event else None
            case "run":
                return {"id": message.run, "journey": message.journey, "step": message.step} if message.run else None
            case "data":
                return data_of(message)
            case "workspace":
                return of_workspace(workspace, self._sender)
            case "message":
                return MessageVariable(message, self._links)
            case _:
                raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._NAMES)

    def __len__(self) -> int:
        return len(self._NAMES)


class MessageVariable(Mapping[str, Any]):
    """`message` in templates; a link is signed when a template asks for it."""

    _LINKS: ClassVar = {"unsubscribe_url": "unsubscribe", "preferences_url": "preferences", "view_url": "view",
                         "confirm_url": "confirm"}  # fmt: skip
    _FIELDS: ClassVar = ("channel", "campaign", "variant", "topic")

    def __init__(self, message: Claimed, links: Links) -> None:
        self._message = message
        self._links = links

    def __getitem__(self, name: str) -> Any:
        if name in self._LINKS:
            return getattr(self._links, self._LINKS[name])
        if name in self._FIELDS:
            return getattr(self._message, name) or part_of(self._message).get(name)
        if name == "id":
            return ids.show("msg", self._message.id)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(("id", *self._FIELDS, *self._LINKS))

    def __len__(self) -> int:
        return 1 + len(self._FIELDS) + len(self._LINKS)
