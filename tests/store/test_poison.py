"""One message, or one workspace, that nobody can make sense of keeps no other from being sent."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from kizuna.config import Config
from kizuna.engine.slice import Workspace
from kizuna.messages import desk as desks
from kizuna.messages import sql_sending
from kizuna.messages.compose import Composed
from kizuna.messages.deliver import deliver_local, deliver_remote
from kizuna.messages.desk import Desk
from kizuna.messages.sender import Sender
from kizuna.providers import all_providers
from kizuna.testing.crew import Bell
from kizuna.testing.mail import TEMPLATE, plan, put_definition, put_profile, state_of
from kizuna.testing.scripted import Scripted
from kizuna.testing.tenant import PARTITIONS, make_workspace

Connection = psycopg.Connection[Any]
ENDLESS = "&#" + "1" * 5_000 + ";"  # more digits than Python reads


@pytest.fixture
def shop(connection: Connection) -> Workspace:
    return open_shop(connection)


def open_shop(connection: Connection, name: str = "shop") -> Workspace:
    workspace = make_workspace(connection, name)
    put_definition(connection, workspace, "template", "hello", TEMPLATE)
    return Workspace(workspace, name, "live", "UTC", "JPY", "opt_out", PARTITIONS)


@pytest.fixture
def desk() -> Desk:
    return Desk(PARTITIONS, [b"secret"], "https://kizuna.example")


def now_of(connection: Connection, workspace: Workspace) -> int:
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        return sql_sending.now(cursor, workspace.id)


ODD = [
    f'<a href="{ENDLESS}">x</a>',
    f"<p>{ENDLESS}</p>",
    "{{ profile.traits.page | url_decode }}",
    "{{ profile.traits.page | append: 'AA' | base64_decode }}",
    "{% message_extras :key {{ profile.traits.page | url_decode }} :value {{ '%00' | url_decode }} %}",
    "{% catalog_items {{ '%00' | url_decode }} {{ '%00' | url_decode }} %}",
    "{% assign why = '%00' | url_decode %}{% abort_message why %}",
]


@pytest.mark.parametrize("is_remote", [False, True])
def test_what_anybody_may_write_into_a_mail_ends_it_and_no_other(
    connection: Connection, desk: Desk, shop: Workspace, monkeypatch: pytest.MonkeyPatch, is_remote: bool
) -> None:
    ada = put_profile(connection, shop.id, "ada", page="%00")
    subject = "{{ '%00' | url_decode }}"
    for number, body in enumerate(ODD):
        put_definition(connection, shop.id, "template", f"odd{number}", {**TEMPLATE, "subject": subject, "body": body})
    odd = [plan(connection, shop.id, ada, template=f"odd{number}") for number in range(len(ODD))]
    other = plan(connection, shop.id, ada)
    if is_remote:
        monkeypatch.setitem(all_providers(), "scripted", Scripted())
        put_definition(connection, shop.id, "provider", "mail", {"kind": "scripted", "channel": "email"})
        deliver_remote(connection, desk, shop, "email", now_of(connection, shop), limit=10)
    else:
        deliver_local(connection, desk, shop, [("email", False)], now_of(connection, shop), 10)
    assert {state_of(connection, each)[0] for each in odd} == {"sent", "skipped"}
    assert state_of(connection, other) == ("sent", None)


def test_a_message_that_breaks_us_is_skipped(
    connection: Connection, desk: Desk, shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a fault of ours would, that nobody has found yet."""
    ada = put_profile(connection, shop.id, "ada")
    broken, other = (plan(connection, shop.id, ada, data=f'{{"n": {n}}}') for n in range(2))
    compose = desks.compose

    def faulty(message: Any, *rest: Any) -> Composed:
        if message.id == broken:
            raise KeyError("a fault of ours")
        return compose(message, *rest)

    monkeypatch.setattr(desks, "compose", faulty)
    deliver_local(connection, desk, shop, [("email", False)], now_of(connection, shop), 10)
    assert state_of(connection, broken) == ("skipped", "template_error")
    assert state_of(connection, other) == ("sent", None)


def test_a_workspace_that_cannot_be_read_keeps_no_other_waiting(connection: Connection, database_url: str) -> None:
    broken, other = (open_shop(connection, name) for name in ("broken", "other"))
    put_definition(connection, broken.id, "policy", "policy", {"caps": "of another release"})
    waits, goes = (plan(connection, each.id, put_profile(connection, each.id, "ada")) for each in (broken, other))
    url = "https://kizuna.example"
    sender = Sender(Config(database_url=database_url, public_url=url), Bell())
    with sql_sending.connected(database_url) as mine:
        sender.turn(mine, Desk.of(mine, url, ""))
    assert state_of(connection, goes) == ("sent", None)
    assert state_of(connection, waits) == ("planned", None)
