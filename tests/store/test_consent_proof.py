"""Proofs over many: one question answers for a hundred thousand messages what allowed each of them."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from kizuna.consent.proof import KeepProof
from kizuna.consent.store import keep_proofs
from kizuna.messages import sql_proof
from kizuna.testing.tenant import make_workspace

SENDS = 100_000


def a_proof(number: int) -> KeepProof:
    return KeepProof(
        id=number.to_bytes(16, "big"), profile=number.to_bytes(16, "big"), channel="email", topic="news",
        state="opted_in", source="double_opt_in", proof='{"address":"a@b.example"}', basis="express", at=number,
        known_at=number, until=None, item=f"m{number}",
    )  # fmt: skip


@pytest.fixture
def workspace(connection: Connection[Any]) -> int:
    return make_workspace(connection)


def test_a_proof_is_written_once_and_never_changed(connection: Connection[Any], workspace: int) -> None:
    with connection.cursor(binary=True) as cursor:
        keep_proofs(cursor, workspace, [a_proof(1), a_proof(2)])
        keep_proofs(cursor, workspace, [KeepProof(**{**_fields(a_proof(1)), "state": "opted_out"})])
    rows = connection.execute("SELECT state FROM consent_proof WHERE workspace = %s", [workspace]).fetchall()
    assert rows == [("opted_in",), ("opted_in",)]


def _fields(proof: KeepProof) -> dict[str, Any]:
    return {name: getattr(proof, name) for name in proof.__struct_fields__}


def test_all_of_a_hundred_thousand_sends_are_proved_by_one_question(
    connection: Connection[Any], workspace: int, database_url: str
) -> None:
    with connection.cursor(binary=True) as cursor:
        for begin in range(0, SENDS, 20_000):
            keep_proofs(cursor, workspace, [a_proof(number) for number in range(begin, begin + 20_000)])
    connection.execute(
        "INSERT INTO message (workspace, id, profile, state, channel, purpose, occurrence, campaign, template,"
        " template_version, transactional, planned_at, due_at, expires_at, root, history, consent, proof)"
        " SELECT workspace, id, profile, 'delivered', 'email', 'campaign:spring', '1', 'spring', 'hello', 1, false,"
        " at, at, at, 1, '{}', 'opted_in', id FROM consent_proof WHERE workspace = %s",
        [workspace],
    )
    connection.commit()
    asked = {"workspace": workspace, "campaign": "spring", "journey": None}
    mine, theirs, rows = asyncio.run(_asked(database_url, asked))
    assert (mine, theirs) == ([("opted_in", SENDS, SENDS)], [])
    assert [row[0] for row in rows] == [number.to_bytes(16, "big") for number in (6, 7, 8)]


async def _asked(database_url: str, asked: dict[str, Any]) -> tuple[Any, Any, Any]:
    async with await psycopg.AsyncConnection.connect(database_url) as conn:
        mine = await sql_proof.summary(conn, asked)
        theirs = await sql_proof.summary(conn, {**asked, "workspace": asked["workspace"] + 1})
        return mine, theirs, await sql_proof.listed(conn, asked, (5).to_bytes(16, "big"), 3)
