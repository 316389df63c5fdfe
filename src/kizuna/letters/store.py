"""SQL of letters: what waits in the tray, the batches, and the codes."""
# ruff: noqa: S608  (SQL is put together from this file's own text; values are parameters)

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from kizuna.letters.batch import Batch, Waiting
from kizuna.messages import sql_sending
from kizuna.messages.message import NUMBER, NUMBER_BITS

CHANNEL = "letter"
_LOCK = 0x6C657474  # of one workspace's letters, among advisory locks
_IN_TRAY = "m.channel = 'letter' AND m.state = 'handed' AND m.lease_until IS NULL"
_IN_NO_BATCH = "NOT EXISTS (SELECT FROM letter l WHERE l.workspace = m.workspace AND l.message = m.id)"
_OF_BATCH = "FROM letter l WHERE l.workspace = letter_batch.workspace AND l.batch = number AND l"
_BATCH = (
    "number, provider, settings, letters, closed_at, posted_at,"
    f" (SELECT count(*) {_OF_BATCH}.returned_at IS NOT NULL), (SELECT count(*) {_OF_BATCH}.redeemed_at IS NOT NULL)"
)
_ABOUT = "m.journey, m.run, m.step, m.campaign, m.variant, m.topic, m.template"


class Printed(Struct, frozen=True):
    """A letter of a closed batch as it was composed; fields in the order of the SELECT."""

    message: bytes
    place: int
    code: str
    address: str
    subject: str | None
    text: str
    template: str
    version: int


class Known(Struct, frozen=True):
    """The letter that a code names; fields in the order of the SELECT."""

    workspace: int
    message: bytes
    profile: bytes
    state: str
    address: str
    batch: int
    posted_at: int | None
    journey: str | None
    run: str | None
    step: str | None
    campaign: str | None
    variant: str | None
    topic: str | None
    template: str | None

    def about(self) -> dict[str, str]:
        """What events say of the letter they are about."""
        names = ("journey", "run", "step", "campaign", "variant", "topic", "template")
        return {name: value for name in names if (value := getattr(self, name))}


def lock(cursor: Any, workspace: int) -> None:
    """Until the end of the transaction nobody else forms batches, or speaks of letters, of this workspace."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, workspace])


def waiting(cursor: Any, workspace: int) -> dict[str, list[Waiting]]:
    """By provider, in the order in which they came."""
    cursor.execute(
        "SELECT m.provider, m.id, (SELECT max(passed >> %(bits)s) FROM unnest(m.history) AS passed"
        " WHERE passed & (1 << %(bits)s) - 1 = %(handed)s) AS handed_at"
        f" FROM message m WHERE m.workspace = %(workspace)s AND {_IN_TRAY} AND {_IN_NO_BATCH}"
        f" AND {sql_sending.ALLOWED} ORDER BY m.provider, handed_at, m.id",
        {"workspace": workspace, "bits": NUMBER_BITS, "handed": NUMBER["handed"]},
    )
    found: dict[str, list[Waiting]] = {}
    for provider, message, handed_at in cursor.fetchall():
        found.setdefault(provider, []).append(Waiting(message, handed_at))
    return found


_CLAIM = sql_sending.claim_of("m.id = ANY(%(ids)b::bytea[])", f"{_IN_TRAY} AND {_IN_NO_BATCH}", sql_sending.ALLOWED)
_CLAIM_BATCH = sql_sending.claim_of(
    "m.id IN (SELECT l.message FROM letter l WHERE l.workspace = %(workspace)s AND l.batch = %(batch)s)",
    _IN_TRAY, "true",
)  # fmt: skip


def claim(cursor: Any, workspace: int, messages: Sequence[bytes]) -> list[sql_sending.Claim]:
    cursor.execute(_CLAIM, {"workspace": workspace, "ids": list(messages), "limit": len(messages)})
    return sql_sending.read_claims(cursor, workspace)


def claim_batch(cursor: Any, workspace: int, batch: int) -> list[sql_sending.Claim]:
    """Those of its letters that were not said to be posted yet."""
    cursor.execute(_CLAIM_BATCH, {"workspace": workspace, "batch": batch, "limit": None})
    return sql_sending.read_claims(cursor, workspace)


def open_batch(
    cursor: Any, workspace: int, provider: str, settings: dict[str, Any], letters: int, closed_at: int
) -> int:
    """Its number."""
    cursor.execute(
        "INSERT INTO letter_batch (workspace, number, provider, settings, letters, closed_at)"
        " SELECT %(workspace)s, coalesce(max(number), 0) + 1, %(provider)s, %(settings)s::jsonb, %(letters)s,"
        " %(closed_at)s FROM letter_batch WHERE workspace = %(workspace)s RETURNING number",
        {
            "workspace": workspace, "provider": provider, "settings": sql_sending.as_json(settings),
            "letters": letters, "closed_at": closed_at,
        },
    )  # fmt: skip
    return cursor.fetchone()[0]


def put(cursor: Any, workspace: int, batch: int, letters: Sequence[tuple[bytes, int, str]]) -> set[bytes]:
    """Write (message, place, code); those whose code was free."""
    cursor.execute(
        "INSERT INTO letter (workspace, message, batch, place, code)"
        " SELECT %s, message, %s, place, code FROM unnest(%b::bytea[], %b::integer[], %b::text[])"
        " AS new (message, place, code) ON CONFLICT DO NOTHING RETURNING message",
        [workspace, batch, *([each[part] for each in letters] for part in range(3))],
    )
    return {row[0] for row in cursor.fetchall()}


def batch(cursor: Any, workspace: int, number: int) -> Batch | None:
    cursor.execute(f"SELECT {_BATCH} FROM letter_batch WHERE workspace = %s AND number = %s", [workspace, number])
    row = cursor.fetchone()
    return Batch(*row) if row else None


def batches(cursor: Any, workspace: int, before: int, limit: int) -> list[Batch]:
    """Newest first."""
    cursor.execute(
        f"SELECT {_BATCH} FROM letter_batch WHERE workspace = %s AND number < %s ORDER BY number DESC LIMIT %s",
        [workspace, before, limit],
    )
    return [Batch(*row) for row in cursor.fetchall()]


def post(cursor: Any, workspace: int, number: int, at: int) -> None:
    cursor.execute(
        "UPDATE letter_batch SET posted_at = %s WHERE workspace = %s AND number = %s", [at, workspace, number]
    )


def printed(cursor: Any, workspace: int, batch: int, first: int, count: int) -> list[Printed]:
    """Letters of a batch from a place on."""
    cursor.execute(
        "SELECT m.id, l.place, l.code, m.address, m.subject, m.body, m.template, m.template_version FROM letter l"
        " JOIN message m ON m.workspace = l.workspace AND m.id = l.message"
        " WHERE l.workspace = %s AND l.batch = %s AND l.place >= %s AND m.body IS NOT NULL ORDER BY l.place LIMIT %s",
        [workspace, batch, first, count],
    )
    return [Printed(*row) for row in cursor.fetchall()]


def logos(cursor: Any, workspace: int, letters: Iterable[Printed]) -> dict[tuple[str, int], str]:
    """By (template, version), of those that have one."""
    said = {(each.template, each.version) for each in letters}
    cursor.execute(
        "SELECT DISTINCT ON (name, version) name, version, body ->> 'logo' FROM definition WHERE workspace = %s"
        " AND kind = 'template' AND (name, version) IN (SELECT * FROM unnest(%b::text[], %b::integer[]))"
        " AND body ->> 'logo' <> ''",
        [workspace, [name for name, _ in said], [version for _, version in said]],
    )
    return {(name, version): logo for name, version, logo in cursor.fetchall()}


_KNOWN = (
    "l.workspace, m.id, coalesce(m.recipient, m.profile), m.state, m.address, l.batch, b.posted_at,"
    f" {_ABOUT} FROM letter l JOIN message m ON m.workspace = l.workspace AND m.id = l.message"
    " JOIN letter_batch b ON b.workspace = l.workspace AND b.number = l.batch"
)


def redeem(cursor: Any, workspace: int, code: str, at: int) -> bool:
    """Whether it was the first time."""
    return _mark(cursor, workspace, code, "redeemed_at", at)


def come_back(cursor: Any, workspace: int, code: str, at: int) -> bool:
    """Whether it was not known to have been returned."""
    return _mark(cursor, workspace, code, "returned_at", at)


def _mark(cursor: Any, workspace: int, code: str, column: str, at: int) -> bool:
    cursor.execute(
        f"UPDATE letter SET {column} = %s WHERE workspace = %s AND code = %s AND {column} IS NULL RETURNING place",
        [at, workspace, code],
    )
    return cursor.fetchone() is not None


def by_codes(cursor: Any, workspace: int, codes: list[str]) -> dict[str, Known]:
    cursor.execute(
        f"SELECT l.code, {_KNOWN} WHERE l.workspace = %s AND l.code = ANY(%s::text[])",
        [workspace, codes],
    )
    return {row[0]: Known(*row[1:]) for row in cursor.fetchall()}


async def by_code(conn: AsyncConnection[Any], code: str) -> Known | None:
    """Of any workspace: the code is all that a stranger has."""
    found = await conn.execute(f"SELECT {_KNOWN} WHERE l.code = %s", [code])  # type: ignore[arg-type]
    row = await found.fetchone()
    return Known(*row) if row else None
