"""SQL of requests of messages, their answers, and credentials."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from kizuna.fetches.request import Answer

DAY = 86_400_000_000  # microseconds
KEPT_DAYS = 7  # that a request is remembered: as long as a message may be tried again


class Recorded(NamedTuple):
    """What became of a request of a message; no answer yet where it was asked and nobody wrote down what came back."""

    message: bytes
    request: bytes
    answer: Answer | None
    spent: int  # microseconds


# on a sync cursor, as the sender asks --------------------------------------------------------------------------------


def recorded(cursor: Any, workspace: int, messages: Sequence[bytes]) -> list[Recorded]:
    cursor.execute(
        "SELECT f.message, f.request, f.status, coalesce(a.kind, ''), coalesce(a.body, ''), f.spent FROM fetched f"
        " LEFT JOIN fetched_answer a ON a.workspace = f.workspace AND a.digest = f.digest"
        " WHERE f.workspace = %s AND f.message = ANY(%s::bytea[])",
        [workspace, list(messages)],
    )
    return [
        Recorded(message, request, None if status is None else Answer(status, kind, bytes(body)), spent)
        for message, request, status, kind, body, spent in cursor.fetchall()
    ]


def note_asked(cursor: Any, workspace: int, messages: Sequence[bytes], request: bytes) -> None:
    """The network is about to be touched for these."""
    cursor.execute(
        "INSERT INTO fetched (workspace, message, request, asked_at) SELECT %s, message, %s, real_now()"
        " FROM unnest(%s::bytea[]) AS m (message)"
        " ON CONFLICT (workspace, message, request) DO UPDATE SET asked_at = excluded.asked_at",
        [workspace, request, list(messages)],
    )


def record(
    cursor: Any, workspace: int, messages: Sequence[bytes], request: bytes, answer: Answer, spent: int = 0
) -> None:
    """What came back, for these messages: it stays as it is."""
    digest = blake2b(answer.kind.encode() + b"\x00" + answer.body, digest_size=16).digest()
    cursor.execute(
        "INSERT INTO fetched_answer (workspace, digest, kind, body, kept_at) VALUES (%s, %s, %s, %s, real_now())"
        " ON CONFLICT (workspace, digest) DO UPDATE SET kept_at = excluded.kept_at"
        " WHERE fetched_answer.kept_at < excluded.kept_at - %s",
        [workspace, digest, answer.kind.replace("\x00", ""), answer.body, DAY],
    )
    cursor.execute(
        "INSERT INTO fetched (workspace, message, request, status, digest, spent, asked_at)"
        " SELECT %s, message, %s, %s, %s, %s, real_now() FROM unnest(%s::bytea[]) AS m (message)"
        " ON CONFLICT (workspace, message, request) DO UPDATE SET status = excluded.status, digest = excluded.digest,"
        " spent = fetched.spent + excluded.spent WHERE fetched.status IS NULL",
        [workspace, request, answer.status, digest, spent, list(messages)],
    )


def forget(cursor: Any) -> None:
    """What no message needs any more."""
    cursor.execute("DELETE FROM fetched WHERE asked_at < real_now() - %s", [KEPT_DAYS * DAY])
    cursor.execute("DELETE FROM fetched_answer WHERE kept_at < real_now() - %s", [(KEPT_DAYS + 2) * DAY])


def credential(cursor: Any, workspace: int, name: str) -> tuple[list[str], str] | None:
    """(hosts, sealed)."""
    cursor.execute("SELECT hosts, sealed FROM credential WHERE workspace = %s AND name = %s", [workspace, name])
    return cursor.fetchone()


# as the API reads and writes -----------------------------------------------------------------------------------------


async def put_credential(
    conn: AsyncConnection[Any], workspace: int, name: str, hosts: Sequence[str], sealed: str
) -> None:
    await conn.execute(
        "INSERT INTO credential (workspace, name, hosts, sealed) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (workspace, name) DO UPDATE SET hosts = excluded.hosts, sealed = excluded.sealed",
        [workspace, name, list(hosts), sealed],
    )


async def one_credential(conn: AsyncConnection[Any], workspace: int, name: str) -> tuple[list[str], str] | None:
    """(hosts, sealed)."""
    found = await conn.execute(
        "SELECT hosts, sealed FROM credential WHERE workspace = %s AND name = %s", [workspace, name]
    )
    return await found.fetchone()


async def credentials(conn: AsyncConnection[Any], workspace: int) -> list[tuple[str, list[str]]]:
    """(name, hosts)."""
    found = await conn.execute("SELECT name, hosts FROM credential WHERE workspace = %s ORDER BY name", [workspace])
    return await found.fetchall()


async def remove_credential(conn: AsyncConnection[Any], workspace: int, name: str) -> bool:
    """Says whether it was there."""
    found = await conn.execute("DELETE FROM credential WHERE workspace = %s AND name = %s", [workspace, name])
    return found.rowcount > 0
