"""Holds back what a provider may not be handed today, by what the ledger counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from kizuna.engine.slice import Workspace
from kizuna.messages import sql_allowance
from kizuna.messages.allowance import Allowance, Asking, Key, allowance_of
from kizuna.messages.claim import Deferred, Refused
from kizuna.messages.compose import Composed
from kizuna.messages.desk import Judged
from kizuna.messages.draft import Draft
from kizuna.messages.message import Claimed

ALLOWANCE_USED = "allowance_used"


def hold(
    cursor: Any, workspace: Workspace, carrier: Mapping[str, Any], drafts: Sequence[Draft]
) -> dict[bytes, Refused | Deferred]:
    """What is not worth wording, as nothing is left of its day; `ration` has the last word on all others. It only
    looks: nobody waits for us while we word them."""
    allowance = allowance_of(carrier, workspace.zone)
    if allowance is None or not drafts:
        return {}
    asking = [(each, Asking(each.address, each.at, each.message.transactional)) for each in drafts]
    keys = {key for _, asked in asking for key in allowance.keys(asked)}
    used = sql_allowance.used(cursor, workspace.id, carrier["name"], keys)
    return {
        each.message.id: _until_tomorrow(each.message, each.at, allowance)
        for each, asked in asking
        if not allowance.has_room(asked, used)
    }


def ration(cursor: Any, workspace: Workspace, carrier: Mapping[str, Any], judged: Sequence[Judged]) -> list[Judged]:
    """In the transaction that hands over: the same messages, of which those above the day's allowance go on the next
    local day, or expire. Those that go are counted."""
    allowance = allowance_of(carrier, workspace.zone)
    asking = [_asking(one, one.verdict) for one in judged if isinstance(one.verdict, Composed)]
    if allowance is None or not asking:
        return list(judged)
    name = carrier["name"]
    keys: dict[Key, int] = dict.fromkeys((key for each in asking for key in allowance.keys(each)), 0)
    may, added = allowance.share(asking, sql_allowance.count(cursor, workspace.id, name, keys))
    if added:
        sql_allowance.count(cursor, workspace.id, name, added)
    goes = iter(may)
    return [one if not isinstance(one.verdict, Composed) or next(goes) else _held(one, allowance) for one in judged]


def give_back(
    cursor: Any, workspace: Workspace, carrier: Mapping[str, Any], untaken: Sequence[tuple[Judged, Composed]]
) -> None:
    """What was counted and the provider did not take over."""
    allowance = allowance_of(carrier, workspace.zone)
    if allowance is None or not untaken:
        return
    counted = Counter(key for one, verdict in untaken for key in allowance.keys(_asking(one, verdict)))
    sql_allowance.count(cursor, workspace.id, carrier["name"], {key: -number for key, number in counted.items()})


def _asking(one: Judged, verdict: Composed) -> Asking:
    return Asking(verdict.address, one.at, one.message.transactional)


def _held(one: Judged, allowance: Allowance) -> Judged:
    return msgspec.structs.replace(one, verdict=_until_tomorrow(one.message, one.at, allowance))


def _until_tomorrow(message: Claimed, at: int, allowance: Allowance) -> Refused | Deferred:
    until = allowance.next_day(at)
    return Refused("expired", ALLOWANCE_USED) if until > message.expires_at else Deferred(until)
