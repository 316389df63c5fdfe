"""All SQL of the tenants: installation, workspaces, keys, members, sessions, attempts, stored answers."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct
from psycopg import AsyncConnection
from psycopg.rows import tuple_row

from kizuna.accounts.caller import Member
from kizuna.engine.slice import Workspace

_WORKSPACE: Final = """
    SELECT w.id, w.name, w.clock, w.zone, w.currency, w.consent, i.partitions
    FROM workspace w CROSS JOIN installation i"""


class Answer(Struct, frozen=True):
    """What a write answered, kept for its Idempotency-Key; status 0 means it is still at work."""

    request: bytes
    status: int
    position: str | None
    body: bytes


async def _one(conn: AsyncConnection[Any], sql: str, *params: Any) -> tuple[Any, ...] | None:
    async with conn.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(sql, params)  # type: ignore[arg-type]  # statements are constants of this file
        return await cursor.fetchone() if cursor.description else None


async def _all(conn: AsyncConnection[Any], sql: str, *params: Any) -> list[tuple[Any, ...]]:
    async with conn.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(sql, params)  # type: ignore[arg-type]
        return await cursor.fetchall()


# installation -------------------------------------------------------------------------------------------------------


async def partitions(conn: AsyncConnection[Any]) -> int | None:
    row = await _one(conn, "SELECT partitions FROM installation")
    return row[0] if row else None


async def secret(conn: AsyncConnection[Any]) -> bytes:
    """The installation's own secret, which signs links."""
    row = await _one(conn, "SELECT secret FROM installation")
    return bytes(row[0]) if row else b""


async def is_sending_locked(conn: AsyncConnection[Any]) -> bool:
    """Whether this is a restored copy that was not told that it is the original."""
    return await _one(conn, "SELECT 1 FROM installation WHERE sending_locked_at IS NOT NULL") is not None


async def set_setup_hash(conn: AsyncConnection[Any], token_hash: bytes) -> None:
    await _one(conn, "UPDATE installation SET setup_hash = %s", token_hash)


async def use_setup_hash(conn: AsyncConnection[Any], token_hash: bytes) -> bool:
    """Consume the one-time token; False when it is another one or already used."""
    sql = "UPDATE installation SET setup_hash = NULL WHERE setup_hash = %s RETURNING 1"
    return await _one(conn, sql, token_hash) is not None


# workspaces ---------------------------------------------------------------------------------------------------------


async def insert_workspace(
    conn: AsyncConnection[Any], name: str, clock: str, now: int | None, zone: str, currency: str, consent: str
) -> int | None:
    """The new workspace's id, with one log head per partition; None when the name is taken."""
    row = await _one(
        conn,
        """INSERT INTO workspace (name, clock, now, zone, currency, consent, created_at)
            VALUES (%s, %s, %s, %s, %s, %s, real_now()) ON CONFLICT (name) DO NOTHING RETURNING id""",
        name, clock, now, zone, currency, consent,
    )  # fmt: skip
    if row is None:
        return None
    await _one(
        conn,
        "INSERT INTO log_head (workspace, partition) SELECT %s, generate_series(0, partitions - 1) FROM installation",
        row[0],
    )
    return row[0]


async def workspace(conn: AsyncConnection[Any], workspace_id: int) -> Workspace | None:
    row = await _one(conn, f"{_WORKSPACE} WHERE w.id = %s", workspace_id)
    return Workspace(*row) if row else None


async def workspace_named(conn: AsyncConnection[Any], name: str) -> Workspace | None:
    row = await _one(conn, f"{_WORKSPACE} WHERE w.name = %s", name)
    return Workspace(*row) if row else None


async def workspaces(conn: AsyncConnection[Any], only: int | None = None) -> list[Workspace]:
    rows = await _all(conn, f"{_WORKSPACE} WHERE %s::integer IS NULL OR w.id = %s ORDER BY w.id", only, only)
    return [Workspace(*row) for row in rows]


async def now(conn: AsyncConnection[Any], workspace_id: int) -> int:
    """The workspace's time: its test clock, else real time."""
    row = await _one(
        conn,
        "SELECT CASE clock WHEN 'test' THEN now ELSE real_now() END FROM workspace WHERE id = %s",
        workspace_id,
    )
    assert row, workspace_id  # noqa: S101  # a caller's workspace exists
    return row[0]


# keys ---------------------------------------------------------------------------------------------------------------


async def insert_key(conn: AsyncConnection[Any], workspace_id: int, key_id: str, key_hash: bytes, role: str) -> None:
    await _one(
        conn,
        "INSERT INTO api_key (hash, workspace, id, role, created_at) VALUES (%s, %s, %s, %s, real_now())",
        key_hash, workspace_id, key_id, role,
    )  # fmt: skip


async def key_holder(conn: AsyncConnection[Any], key_hash: bytes) -> tuple[int, str] | None:
    """Workspace id and role of a key that still holds."""
    row = await _one(conn, "SELECT workspace, role FROM api_key WHERE hash = %s AND revoked_at IS NULL", key_hash)
    return (row[0], row[1]) if row else None


async def keys(conn: AsyncConnection[Any], workspace_id: int, after: str, limit: int) -> list[tuple[str, str, int]]:
    """Id, role and birth of the keys that hold, by id."""
    rows = await _all(
        conn,
        "SELECT id, role, created_at FROM api_key"
        " WHERE workspace = %s AND revoked_at IS NULL AND id > %s ORDER BY id LIMIT %s",
        workspace_id, after, limit,
    )  # fmt: skip
    return [(row[0], row[1], row[2]) for row in rows]


async def revoke_key(conn: AsyncConnection[Any], workspace_id: int, key_id: str) -> bytes | None:
    """The hash of the key that no longer holds; None when there was none."""
    row = await _one(
        conn,
        "UPDATE api_key SET revoked_at = real_now()"
        " WHERE workspace = %s AND id = %s AND revoked_at IS NULL RETURNING hash",
        workspace_id, key_id,
    )  # fmt: skip
    return bytes(row[0]) if row else None


# members and sessions -----------------------------------------------------------------------------------------------


async def has_owner(conn: AsyncConnection[Any]) -> bool:
    return await _one(conn, "SELECT 1 FROM member WHERE role = 'owner' AND workspace IS NULL LIMIT 1") is not None


async def members_of(conn: AsyncConnection[Any], workspace_id: int) -> list[str]:
    """The addresses of those who may sign in to a workspace."""
    found = await conn.execute("SELECT email FROM member WHERE workspace IS NULL OR workspace = %s", [workspace_id])
    return [row[0] for row in await found.fetchall()]


async def insert_member(conn: AsyncConnection[Any], email: str, name: str, password: str, role: str) -> int:
    row = await _one(
        conn,
        "INSERT INTO member (email, name, password, role, created_at) VALUES (%s, %s, %s, %s, real_now()) RETURNING id",
        email, name, password, role,
    )  # fmt: skip
    assert row  # noqa: S101
    return row[0]


async def password_of(conn: AsyncConnection[Any], email: str) -> tuple[int, str] | None:
    row = await _one(conn, "SELECT id, password FROM member WHERE email = %s", email)
    return (row[0], row[1]) if row else None


async def insert_session(conn: AsyncConnection[Any], token_hash: bytes, member: int) -> None:
    await _one(
        conn,
        "INSERT INTO session (hash, member, created_at, used_at) VALUES (%s, %s, real_now(), real_now())",
        token_hash, member,
    )  # fmt: skip


async def delete_session(conn: AsyncConnection[Any], token_hash: bytes) -> None:
    await _one(conn, "DELETE FROM session WHERE hash = %s", token_hash)


async def delete_old_sessions(conn: AsyncConnection[Any], idle: int, absolute: int) -> None:
    await _one(
        conn, "DELETE FROM session WHERE used_at <= real_now() - %s OR created_at <= real_now() - %s", idle, absolute
    )  # fmt: skip


async def member_of_session(conn: AsyncConnection[Any], token_hash: bytes, idle: int, absolute: int) -> Member | None:
    """The member behind a session that is neither idle nor old; notes its use, at most once a minute."""
    row = await _one(
        conn,
        """SELECT m.id, m.email, m.name, m.role, m.workspace, s.used_at <= real_now() - 60000000
            FROM session s JOIN member m ON m.id = s.member
            WHERE s.hash = %s AND s.used_at > real_now() - %s AND s.created_at > real_now() - %s""",
        token_hash, idle, absolute,
    )  # fmt: skip
    if row is None:
        return None
    if row[5]:
        await _one(conn, "UPDATE session SET used_at = real_now() WHERE hash = %s", token_hash)
    return Member(*row[:5])


# sign-in attempts ---------------------------------------------------------------------------------------------------


async def count_attempt(conn: AsyncConnection[Any], subjects: list[str], limit: int, window: int) -> int | None:
    """Note one attempt on every subject; when one is over its limit, note none and give the seconds to wait."""
    for subject in sorted(subjects):  # one order, so that two attempts cannot wait for each other
        await _one(conn, "SELECT pg_advisory_xact_lock(hashtextextended(%s, 8700))", subject)
    await _one(
        conn,
        "DELETE FROM sign_in_attempt WHERE ctid = ANY(ARRAY("
        "SELECT ctid FROM sign_in_attempt WHERE at <= real_now() - %s FOR UPDATE SKIP LOCKED))",
        window,
    )
    row = await _one(
        conn,
        """SELECT max(ceil((at + %s - real_now()) / 1e6)) FROM (
              SELECT at, row_number() OVER (PARTITION BY subject ORDER BY at DESC) AS nth
              FROM sign_in_attempt WHERE subject = ANY(%s)) recent
            WHERE nth = %s""",
        window, subjects, limit,
    )  # fmt: skip
    if row and row[0] is not None:
        return max(1, int(row[0]))
    await _one(
        conn,
        "INSERT INTO sign_in_attempt (subject, at) SELECT unnest(%s::text[]), real_now()",
        subjects,
    )
    return None


async def forgive_attempts(conn: AsyncConnection[Any], account: str, address: str) -> None:
    """After a success: the account starts anew, the address gets this one attempt back."""
    await _one(conn, "DELETE FROM sign_in_attempt WHERE subject = %s", account)
    await _one(
        conn,
        "DELETE FROM sign_in_attempt WHERE ctid IN"
        " (SELECT ctid FROM sign_in_attempt WHERE subject = %s ORDER BY at DESC LIMIT 1)",
        address,
    )


# stored answers -----------------------------------------------------------------------------------------------------


async def begin_answer(
    conn: AsyncConnection[Any], workspace_id: int, key: str, request: bytes, kept: int, abandoned: int
) -> Answer | None:
    """Claim a key for a request: None means go ahead, else what is known of the request that had it first."""
    await _one(
        conn,
        """DELETE FROM idempotency WHERE workspace = %s AND key = %s
            AND at <= real_now() - CASE status WHEN 0 THEN %s ELSE %s END::bigint""",
        workspace_id, key, abandoned, kept,
    )  # fmt: skip
    claimed = await _one(
        conn,
        """INSERT INTO idempotency (workspace, key, request, status, body, at) VALUES (%s, %s, %s, 0, '', real_now())
            ON CONFLICT (workspace, key) DO NOTHING RETURNING 1""",
        workspace_id, key, request,
    )  # fmt: skip
    if claimed:
        return None
    sql = "SELECT request, status, position, body FROM idempotency WHERE workspace = %s AND key = %s"
    row = await _one(conn, sql, workspace_id, key)
    return Answer(bytes(row[0]), row[1], row[2], bytes(row[3])) if row else Answer(request, 0, None, b"")


async def keep_answer(conn: AsyncConnection[Any], workspace_id: int, key: str, answer: Answer) -> None:
    await _one(
        conn,
        "UPDATE idempotency SET status = %s, position = %s, body = %s"
        " WHERE workspace = %s AND key = %s AND request = %s",
        answer.status, answer.position, answer.body, workspace_id, key, answer.request,
    )  # fmt: skip


async def drop_answer(conn: AsyncConnection[Any], workspace_id: int, key: str) -> None:
    await _one(conn, "DELETE FROM idempotency WHERE workspace = %s AND key = %s AND status = 0", workspace_id, key)


async def delete_old_answers(conn: AsyncConnection[Any], kept: int) -> None:
    await _one(conn, "DELETE FROM idempotency WHERE at <= real_now() - %s", kept)


# gauges -------------------------------------------------------------------------------------------------------------


async def log_lag(conn: AsyncConnection[Any]) -> list[tuple[int, int]]:
    """Log rows not yet folded, by workspace id."""
    rows = await _all(conn, 'SELECT workspace, sum("offset" - applied)::bigint FROM log_head GROUP BY workspace')
    return [(row[0], row[1]) for row in rows]


async def open_messages(conn: AsyncConnection[Any]) -> list[tuple[int, int]]:
    """Messages on their way, by workspace id."""
    rows = await _all(
        conn,
        "SELECT workspace, count(*) FROM message WHERE state IN ('planned', 'claimed', 'handed') GROUP BY workspace",
    )
    return [(row[0], row[1]) for row in rows]
