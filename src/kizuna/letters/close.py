"""Close batches: what was gathered is looked at once more, gets its codes, and is what will be printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg import Connection

from kizuna.core.errors import Conflict
from kizuna.engine.slice import Workspace
from kizuna.letters import store
from kizuna.letters.batch import cut
from kizuna.messages import sql_sending, sql_tray, tray
from kizuna.messages.deliver import LOG
from kizuna.messages.desk import Desk
from kizuna.paper import code
from kizuna.providers.letters import Settings
from kizuna.runtime.database import in_one_go

MOST_ATTEMPTS = 10  # at a free code: that two letters come to one is rare


def close_due(connection: Connection[Any], desk: Desk, workspace: Workspace, *, by_hand: bool = False) -> list[int]:
    """Close what is full or due, `by_hand` all there is; the numbers of the batches made."""
    with in_one_go(connection, [LOG]) as cursor:
        store.lock(cursor, workspace.id)
        now = sql_sending.now(cursor, workspace.id)
        made: list[int] = []
        for provider, waiting in store.waiting(cursor, workspace.id).items():
            body = sql_tray.settings(cursor, workspace.id, provider)
            settings = msgspec.convert(body, Settings)
            for each in cut(waiting, settings, workspace.zone, now, by_hand=by_hand):
                messages = _allowed(cursor, desk, workspace, each.messages, now)
                if messages:
                    number = store.open_batch(cursor, workspace.id, provider, body, len(messages), each.closed_at)
                    _give_codes(cursor, desk, workspace.id, number, messages)
                    made.append(number)
        return made


def _allowed(cursor: Any, desk: Desk, workspace: Workspace, messages: Sequence[bytes], now: int) -> list[bytes]:
    """In their order, without those who opted out, were erased or left since: these end as skipped."""
    claims = store.claim(cursor, workspace.id, messages)
    kept, refused = tray.look_again(cursor, desk, workspace, claims, now, expires=False)
    tray.end(cursor, desk, workspace.id, refused)
    may_go = {one.message.id for one in kept}
    return [message for message in messages if message in may_go]


def _give_codes(cursor: Any, desk: Desk, workspace: int, batch: int, messages: Sequence[bytes]) -> None:
    left = list(enumerate(messages, 1))
    for attempt in range(MOST_ATTEMPTS):
        made = [(each, place, code.make(desk.secrets[-1], workspace, each, attempt)) for place, each in left]
        written = store.put(cursor, workspace, batch, made)
        left = [(place, each) for place, each in left if each not in written]
        if not left:
            return
    raise Conflict("no free codes were found: close the batch again", code="no_code")
