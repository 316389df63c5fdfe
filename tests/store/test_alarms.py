"""Alarms over real rows: raised once, resolved by themselves or by hand, told to owners once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kizuna.alarms import store
from kizuna.alarms.alarm import Place
from kizuna.alarms.tell import tell
from kizuna.alarms.watch import watch
from kizuna.runtime.database import connect
from kizuna.testing.mail import put_definition
from kizuna.testing.tenant import make_workspace

from . import lake_builder

Connection = psycopg.Connection[Any]
VETO = "INSERT INTO veto VALUES (1, '\\x01', 'v', 'email', '', 1)"
PARKED = "INSERT INTO parked VALUES (1, '\\x0{0}', 0, 1, 0, 1, 1, '', 'ValueError')"


@pytest.fixture
def watched(database_url: str, connection: Connection) -> Iterator[Connection]:
    make_workspace(connection)
    with connect(database_url, autocommit=True) as found:
        yield found


@pytest.fixture
def place(tmp_path: Path) -> lake_builder.Place:
    return lake_builder.Place(tmp_path)


def rows(connection: Connection, columns: str = "rule, subject, resolved_at IS NOT NULL") -> list[Any]:
    return connection.execute(f"SELECT {columns} FROM raised_alarm ORDER BY id").fetchall()  # type: ignore[arg-type]


def test_nothing_wrong_is_no_alarm(watched: Connection, place: Any) -> None:
    assert watch(watched, place) == 0


def test_raised_once_and_resolved_by_itself(watched: Connection, place: Any) -> None:
    watched.execute(VETO)  # type: ignore[arg-type]
    assert [watch(watched, place), watch(watched, place)] == [1, 0]
    assert rows(watched) == [("vetoes_unfolded", "", False)]
    watched.execute("DELETE FROM veto")
    watch(watched, place)
    assert rows(watched) == [("vetoes_unfolded", "", True)]
    watched.execute(VETO)  # type: ignore[arg-type]
    assert watch(watched, place) == 1
    assert rows(watched) == [("vetoes_unfolded", "", True), ("vetoes_unfolded", "", False)]


def test_each_parked_profile_is_an_alarm_of_its_own(watched: Connection, place: Any) -> None:
    for number in (1, 2):
        watched.execute(PARKED.format(number))  # type: ignore[arg-type]
    assert watch(watched, place) == 2
    watched.execute("DELETE FROM parked WHERE profile = '\\x01'")
    watch(watched, place)
    assert rows(watched) == [("profiles_parked", "prf_01", True), ("profiles_parked", "prf_02", False)]


def test_a_guard_raises_in_its_own_transaction(watched: Connection, place: Any) -> None:
    at = Place(1, "campaign_paused", "spring")
    with watched.cursor() as cursor:
        assert store.raise_alarms(cursor, {at: "too many complaints"}) == 1
        assert store.raise_alarms(cursor, {at: "too many complaints"}) == 0
    watch(watched, place)
    assert rows(watched) == [("campaign_paused", "spring", False)]


# telling -------------------------------------------------------------------------------------------------------------


class Server:
    """A mail server of a few lines, that keeps what it is given."""

    def __init__(self) -> None:
        from aiosmtpd.controller import Controller

        self.mails: list[Any] = []
        self.controller = Controller(self, hostname="127.0.0.1", port=_free_port())
        self.arrived = threading.Event()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(envelope)
        return "250 taken"


def _free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    found.controller.start()
    yield found
    found.controller.stop()


def own(connection: Connection, email: str, workspace: int | None = None) -> None:
    connection.execute(
        "INSERT INTO member (email, name, password, role, workspace, created_at) VALUES (%s, 'O', '', 'owner', %s, 0)",
        [email, workspace],
    )


def set_provider(connection: Connection, port: int, workspace: int = 1) -> None:
    settings = {"host": "127.0.0.1", "port": port, "tls": "none", "from": "kizuna@example.org"}
    put_definition(
        connection, workspace, "provider", "mail", {"kind": "smtp", "channel": "email", "settings": settings}
    )


def test_owners_are_told_once(watched: Connection, place: Any, server: Server) -> None:
    make_workspace(watched, "other")
    own(watched, "all@example.org")
    own(watched, "one@example.org", 1)
    own(watched, "elsewhere@example.org", 2)
    set_provider(watched, server.controller.port)
    watched.execute(VETO)  # type: ignore[arg-type]
    watch(watched, place)
    assert tell(watched, "", "http://kizuna.example") == 2
    assert tell(watched, "", "http://kizuna.example") == 0
    assert [mail.rcpt_tos for mail in server.mails] == [["all@example.org"], ["one@example.org"]]
    assert b"vetoes_unfolded" in server.mails[0].content


def test_without_a_provider_of_its_own_nobody_is_told(watched: Connection, place: Any) -> None:
    own(watched, "all@example.org")
    put_definition(watched, 1, "provider", "mail", {"kind": "outbox", "channel": "email", "settings": {}})
    watched.execute(VETO)  # type: ignore[arg-type]
    watch(watched, place)
    assert tell(watched, "", "") == 0
    assert rows(watched, "told_at") == [(None,)]


def test_a_restored_copy_tells_nobody(watched: Connection, place: Any, server: Server) -> None:
    own(watched, "all@example.org")
    set_provider(watched, server.controller.port)
    watched.execute("UPDATE installation SET sending_locked_at = 1")
    watched.execute(VETO)  # type: ignore[arg-type]
    watch(watched, place)
    assert tell(watched, "", "") == 0
    assert not server.mails


def test_a_dead_provider_ends_nothing(watched: Connection, place: Any) -> None:
    own(watched, "all@example.org")
    set_provider(watched, _free_port())
    watched.execute(VETO)  # type: ignore[arg-type]
    watch(watched, place)
    assert tell(watched, "", "") == 0
