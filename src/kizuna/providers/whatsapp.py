"""WhatsApp Cloud API: https://developers.facebook.com/docs/whatsapp/cloud-api

Words go only within 24 hours of the customer's own message; outside of them a template that Meta approved does.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from kizuna.core.errors import Invalid
from kizuna.providers import Delivery, Outcome, Rejected, Unavailable
from kizuna.providers.http import Answer, Call, Fetch, HttpProvider
from kizuna.providers.json_body import json_body
from kizuna.providers.report import Act, Incoming, Report, number, part, refused, text

MOST_CHARACTERS = 4096
OUTSIDE = 131047  # the session window is closed
OUTSIDE_SESSION = "outside_session"
STOPPED = 131050  # no marketing wanted any more
PAIR_RATE = 131056  # too many to this one number
COUNTRY = 130497  # none of the customers there may be written to; as a 403
ABOUT_US = (2, 3, 4, 10, 33, 190, 368, 80007, 130429, 131005, 131031, 131037, 131042, 131045, 131048, 131057, 133010)
PERMISSIONS = range(200, 300)
STATES = {"delivered": "delivered", "read": "opened"}
PREFERENCES = {"stop": "opted_out", "resume": "opted_in"}
OURS = ("messaging_product", "to", "biz_opaque_callback_data")


class Settings(Struct, frozen=True):
    """A system user's token, the id of the number that speaks, and the app's secret that signs web hooks."""

    token: str
    number_id: str
    app_secret: str = ""
    verify_token: str = ""
    endpoint: str = "https://graph.facebook.com/v23.0"

    def __post_init__(self) -> None:
        if not (self.number_id.isascii() and self.number_id.isdigit()):
            raise ValueError("`number_id` is the id of a phone number: digits")


class WhatsAppProvider(HttpProvider):
    name: ClassVar[str] = "whatsapp"
    channel: ClassVar[str | None] = "whatsapp"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"token", "app_secret", "verify_token"})

    def call(self, delivery: Delivery, settings: Settings, now: float) -> Call:
        ours = ("whatsapp", delivery.address.removeprefix("+"), delivery.message)
        return Call(
            f"{settings.endpoint}/{settings.number_id}/messages",
            msgspec.json.encode(message_of(delivery.text) | dict(zip(OURS, ours, strict=True))),
            {"Content-Type": "application/json", "Authorization": f"Bearer {settings.token}"},
        )

    def reference(self, answer: Answer) -> str:
        sent = part(answer.json(), "messages")
        return text(sent[0], "id") if isinstance(sent, list) and sent else ""

    def refusal(self, answer: Answer) -> Outcome:
        code = int(number(answer.json(), "error", "code"))
        if code == OUTSIDE:
            return Rejected(OUTSIDE_SESSION)
        if code == PAIR_RATE:
            return Unavailable(answer.said, of_one=True)
        if code in ABOUT_US or code in PERMISSIONS:
            return Unavailable(answer.said)
        return Rejected(answer.said)

    def about_us(self, answer: Answer) -> Outcome:
        is_country = number(answer.json(), "error", "code") == COUNTRY
        return Rejected(answer.said) if is_country else super().about_us(answer)

    def is_genuine(self, said: Incoming, settings: Settings, fetch: Fetch) -> bool:
        if not settings.app_secret:
            return False
        ours = "sha256=" + hmac.digest(settings.app_secret.encode(), said.body, "sha256").hex()
        return hmac.compare_digest(ours.encode(), said.headers.get("x-hub-signature-256", "").encode())

    def greeting(self, asked: Mapping[str, str], settings: Settings) -> str | None:
        """Meta asks once whether the address is ours, with the word that was entered beside it."""
        known, challenge = settings.verify_token.encode(), asked.get("hub.challenge", "")
        if asked.get("hub.mode") != "subscribe" or not known or not challenge.isascii() or not challenge.isalnum():
            return None
        return challenge if hmac.compare_digest(known, asked.get("hub.verify_token", "").encode()) else None

    def reports(self, said: Incoming, settings: Settings, fetch: Fetch) -> Iterable[Report | Act]:
        for value in _values(said.json()):
            if text(value, "metadata", "phone_number_id") != settings.number_id:
                continue  # another number of the same app
            for status in _objects(value, "statuses"):
                yield from _became(status)
            for message in _objects(value, "messages"):
                if text(message, "from") and text(message, "type") != "system":  # which WhatsApp says of them
                    yield _act(message, "from", "replied")
            for choice in _objects(value, "user_preferences"):
                state = PREFERENCES.get(text(choice, "value"))
                if state and text(choice, "wa_id") and text(choice, "category") == "marketing_messages":
                    yield _act(choice, "wa_id", state)


def message_of(said: str) -> dict[str, Any]:
    """The rendered body as the API takes it: its own JSON (template, image, ...) as it is, all else as text."""
    found = json_body(said)
    if found is not None:
        if not text(found, "type"):
            raise Invalid("a WhatsApp message is an object with a `type`")
        return found
    words = said.strip()
    if not 0 < len(words) <= MOST_CHARACTERS:
        raise Invalid(f"a text has 1 to {MOST_CHARACTERS} characters, not {len(words)}")
    return {"type": "text", "text": {"body": words}}


def _became(status: dict[str, Any]) -> Iterable[Report]:
    message, at = text(status, "biz_opaque_callback_data"), number(status, "timestamp")
    if not message:
        return
    if state := STATES.get(text(status, "status")):
        yield Report(message=message, state=state, at=at)
    elif text(status, "status") == "failed":
        error = next(iter(_objects(status, "errors")), {})
        code, why = int(number(error, "code")), text(error, "title") or text(error, "message")
        if code == STOPPED:
            yield Report(message=message, state="unsubscribed", at=at)
        else:  # it blames no address: of no class
            reason = OUTSIDE_SESSION if code == OUTSIDE else f"{code} {why}".strip()
            yield refused(message, reason, at)


def _act(said: dict[str, Any], who: str, state: str) -> Act:
    return Act(
        address="+" + text(said, who),
        state=state,
        id=text(said, "id"),
        at=number(said, "timestamp"),
        form=text(said, "type"),
        text=_words(said),
    )


def _words(said: dict[str, Any]) -> str:
    """What they wrote, or what stands on the button or in the line that they chose."""
    chosen = (("interactive", "button_reply", "title"), ("interactive", "list_reply", "title"))
    paths = (("text", "body"), ("button", "text"), *chosen)
    return next((found for path in paths if (found := text(said, *path))), "")


def _values(said: Any) -> Iterable[dict[str, Any]]:
    for entry in _objects(said, "entry"):
        for change in _objects(entry, "changes"):
            if isinstance(value := part(change, "value"), dict):
                yield value


def _objects(said: Any, name: str) -> list[dict[str, Any]]:
    found = part(said, name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


provider = WhatsAppProvider()
