"""Customers and planned messages made by hand, for tests of sending."""

from __future__ import annotations

import os
import time
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.types.json import Jsonb

from kizuna.consent.section import Consent
from kizuna.core import ids
from kizuna.core.clock import HOUR
from kizuna.messages import store
from kizuna.messages.message import PlanMessage
from kizuna.profiles.section import Profile
from kizuna.testing.tenant import PARTITIONS

TEMPLATE = {
    "channel": "email",
    "format": "liquid+html",
    "subject": "Hello {{ profile.traits.name }}",
    "body": '<p>Hi {{ profile.traits.name }}, <a href="https://shop.example/sale?a=1&amp;b=2">sale</a>'
    ' <a href="{{ message.unsubscribe_url }}">stop</a></p>',
}


def put_definition(connection: Connection[Any], workspace: int, kind: str, name: str, body: dict[str, Any]) -> None:
    """The newest version of a definition, as publishing leaves it."""
    connection.execute("UPDATE workspace SET program = program + 1 WHERE id = %s", [workspace])
    connection.execute(
        "INSERT INTO definition (workspace, kind, name, version, status, body, introduced, published_at)"
        " SELECT id, %s, %s, program, 'active', %s, program, 0 FROM workspace WHERE id = %s",
        [kind, name, Jsonb(body), workspace],
    )
    connection.commit()


def put_profile(
    connection: Connection[Any], workspace: int, user: str, consent: Consent | None = None, **traits: Any
) -> bytes:
    """A known customer; with a mail address unless `email` says otherwise."""
    profile = ids.profile_id(workspace, "user", user)
    known = {"email": f"{user}@example.com", "name": user.title(), **traits}
    known = {key: value for key, value in known.items() if value is not None}
    connection.execute(
        "INSERT INTO profile (workspace, id, partition, created_at, last_seen_at, traits, profiles, consent)"
        " VALUES (%s, %s, %s, 0, 0, %s, %s, %s)",
        [
            workspace,
            profile,
            ids.partition_of(profile, PARTITIONS),
            Jsonb(known),
            msgspec.msgpack.encode(Profile(user_id=user, traits=known)),
            msgspec.msgpack.encode(consent or Consent()),
        ],
    )
    connection.commit()
    return profile


def plan(connection: Connection[Any], workspace: int, profile: bytes, **changes: Any) -> bytes:
    """A message granted to a customer, due now."""
    message, now = os.urandom(16), time.time_ns() // 1000
    row = PlanMessage(
        id=message, profile=profile, state="planned", channel="email", purpose="api", occurrence=message.hex(),
        template="hello", template_version=0, journey=None, run=None, step=None, campaign=None, variant=None,
        topic=None, transactional=False, data="{}", event=None, at=now, due_at=now, expires_at=now + 72 * HOUR, root=1,
        address=None, reason=None, caused_by="",
    )  # fmt: skip
    with connection.cursor(binary=True) as cursor:
        store.plan(cursor, workspace, [msgspec.structs.replace(row, **changes)])
    connection.commit()
    return message


def state_of(connection: Connection[Any], message: bytes) -> tuple[str, str | None]:
    """(state, reason) of a message."""
    row = connection.execute("SELECT state, reason FROM message WHERE id = %s", [message]).fetchone()
    connection.commit()
    assert row  # noqa: S101
    return row[0], row[1]
