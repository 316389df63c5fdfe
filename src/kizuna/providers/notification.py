"""A push as the app or service worker gets it; docs/guides/push.md shows it to those who write one."""

from __future__ import annotations

from typing import Any

from kizuna.providers import Delivery, Notification

LONG_TTL = 28 * 86_400


def notification_of(delivery: Delivery) -> Notification:
    return delivery.notification or Notification(ttl=LONG_TTL)


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
