"""Tell the owners by mail, through the workspace's own provider; each alarm once, and nothing waits for it."""

from __future__ import annotations

import time
from typing import Any

import structlog
from psycopg import Connection

from kizuna.alarms import store
from kizuna.alarms.alarm import Alarm
from kizuna.providers import Accepted, Delivery, vault
from kizuna.providers.carry import bearer

MOST = 10  # alarms of one turn

log = structlog.get_logger()


def tell(connection: Connection[Any], secret: str, url: str) -> int:
    """Says how many mails were taken over."""
    with connection.transaction(), connection.cursor() as cursor:
        told = [
            (alarm, store.owners(cursor, alarm.workspace), store.carrier(cursor, alarm.workspace))
            for alarm in store.take_untold(cursor, MOST)
        ]
        secrets = vault.secrets_of(store.secret(cursor), secret)
    taken = 0
    for alarm, owners, carrier in told:
        if carrier is None:
            continue
        hand_over = bearer(secrets, *carrier)
        for owner in owners:
            outcome = hand_over(mail_of(alarm, owner, url))
            if isinstance(outcome, Accepted):
                taken += 1
            else:
                log.warning("alarm_not_told", alarm=alarm.rule, reason=outcome.reason)
    return taken


def mail_of(alarm: Alarm, owner: str, url: str) -> Delivery:
    about = f" ({alarm.subject})" if alarm.subject else ""
    where = f"\n\n{url}" if url else ""
    return Delivery(
        message=f"alm_{alarm.id}", channel="email", address=owner, subject=f"Kizuna: {alarm.rule}{about}",
        text=f"{alarm.message}{about}{where}\n", html=None, headers={}, at=time.time(),
    )  # fmt: skip
