"""A push as the app or service worker gets it; docs/guides/push.md shows it to those who write one."""

from __future__ import annotations

from typing import Any

import msgspec

from kizuna.providers import Delivery, Notification

LONG_TTL = 28 * 86_400


def notification_of(delivery: Delivery) -> Notification:
    """Waits no longer than every push service lets it: Google refuses more."""
    said = delivery.notification or Notification(ttl=LONG_TTL)
    return msgspec.structs.replace(said, ttl=max(0, min(said.ttl, LONG_TTL)))


def payload(delivery: Delivery) -> dict[str, Any]:
    """What is missing is left out. `tag` makes a notification replace the one it repeats."""
    said = notification_of(delivery)
    whole = {
        "title": delivery.subject or "",
        "body": delivery.text,
        "message": delivery.message,
        "tag": said.collapse or delivery.message,
        "url": said.url,
        "dismissed_url": said.dismissed_url,
        "icon": said.icon,
        "image": said.image,
        "data": dict(said.data) or None,
    }
    return {name: value for name, value in whole.items() if value is not None}
