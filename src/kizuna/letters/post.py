"""A batch went to the post: its letters are sent."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from kizuna.core.errors import Invalid, NotFound
from kizuna.engine.slice import Workspace
from kizuna.letters import store
from kizuna.letters.batch import Batch
from kizuna.messages import sql_sending, tray
from kizuna.messages.deliver import LOG
from kizuna.messages.desk import Desk
from kizuna.runtime.database import in_one_go


def post(
    connection: Connection[Any], desk: Desk, workspace: Workspace, number: int, at: int | None
) -> tuple[Batch, int | None]:
    """The batch, and the position of what was said; None where it was posted before: that changes nothing."""
    with in_one_go(connection, [LOG]) as cursor:
        store.lock(cursor, workspace.id)
        batch, now = store.batch(cursor, workspace.id, number), sql_sending.now(cursor, workspace.id)
        if batch is None:
            raise NotFound(f"no batch {number} in this workspace; an open one has no number yet")
        at = now if at is None else at
        if not batch.closed_at <= at <= now:
            raise Invalid("a batch is posted after it closed and not in the future", code="invalid_time")
        if batch.posted_at is not None:
            return batch, None
        claims = store.claim_batch(cursor, workspace.id, number)
        went_to = {claim.message.id: _living(claim) for claim in claims}
        letters = [(claim.message, went_to[claim.message.id]) for claim in claims]
        reports = tray.sent(cursor, workspace.id, letters, at, batch.provider)
        store.post(cursor, workspace.id, number, at)
        position = tray.append(cursor, workspace.id, reports, desk.partitions) if reports else None
        posted = store.batch(cursor, workspace.id, number)
        assert posted  # noqa: S101  # it is locked
        return posted, position


def _living(claim: sql_sending.Claim) -> bytes:
    """A record that was merged into another leads there; the fold follows the rest of the way."""
    merged_into = claim.person[0] if claim.person else None
    return merged_into or claim.message.profile
