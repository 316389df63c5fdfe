"""Watch over what customers complain about: pause a campaign or journey, or stop a channel, and say why."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.campaigns import change, store
from kizuna.campaigns.guard import COMPLAINTS, REFUSALS, STOP, Seen, Verdict, judge
from kizuna.core import clock
from kizuna.engine.slice import Workspace
from kizuna.events.publish import publish
from kizuna.journeys.publish import change_status
from kizuna.messages.policy import Limits, parse
from kizuna.messages.sending import GUARD, PAUSED, SENDING, pause_sending

ACTIVE = {"campaign": "ready", "journey": "active"}


async def watch(conn: AsyncConnection[Any]) -> None:
    """Judge all harm not yet looked at, in the caller's transaction: what is decided is published with it."""
    for number, channel, campaign, journey in await store.judge_all(conn):
        workspace = await store.workspace(conn, number)
        ruling = await store.ruling(conn, number, "policy", "policy")
        limits = parse(ruling[1]).limits if ruling else Limits()
        now = await accounts.now(conn, number)
        whole = await _seen(conn, workspace, channel, limits, now)
        if (verdict := judge(whole, limits)) and verdict.action == STOP:
            await _stop(conn, workspace, channel, verdict, whole)
        for kind, name in (("campaign", campaign), ("journey", journey)):
            if name is not None:
                await _judge(conn, workspace, channel, kind, name, limits, now)


async def _judge(
    conn: AsyncConnection[Any], workspace: Workspace, channel: str, kind: str, name: str, limits: Limits, now: int
) -> None:
    found = await store.ruling(conn, workspace.id, kind, name)
    if found is None:
        return
    seen = await _seen(conn, workspace, channel, limits, now, kind, name)
    verdict = judge(seen, limits)
    if verdict is None:
        return
    if verdict.action == STOP:
        await _stop(conn, workspace, channel, verdict, seen)
    if found[0] != ACTIVE[kind]:
        return
    if kind == "campaign":
        await change.pause(conn, workspace, name)
    else:
        await change_status(conn, workspace, name, PAUSED)
    why = {"kind": kind, "name": name, "channel": channel, **_figures(verdict, seen)}
    await publish(conn, workspace, GUARD, f"{kind}:{name}", why, status=PAUSED)


async def _stop(conn: AsyncConnection[Any], workspace: Workspace, channel: str, verdict: Verdict, seen: Seen) -> None:
    found = await store.ruling(conn, workspace.id, SENDING, channel)
    if found is None or found[0] != PAUSED:
        await pause_sending(conn, workspace, channel, {"by": GUARD, **_figures(verdict, seen)})


def _figures(verdict: Verdict, seen: Seen) -> dict[str, Any]:
    counts: dict[str, Any] = {"hard_bounces": seen.hard_bounces, "tried": seen.tried}
    if verdict.reason == COMPLAINTS:
        counts = {"complaints": seen.complaints, "delivered": seen.delivered}
    elif verdict.reason == REFUSALS:
        counts = {"refusals": seen.refusals, "tried": seen.tried}
    return {
        "reason": verdict.reason, "rate": verdict.rate, "limit": verdict.limit, **counts,
        "since": clock.show(seen.since),
    }  # fmt: skip


async def _seen(
    conn: AsyncConnection[Any],
    workspace: Workspace,
    channel: str,
    limits: Limits,
    now: int,
    kind: str = SENDING,
    name: str = "",
) -> Seen:
    """Within the limits' window, and not before a member said to go on."""
    since = clock.before(now, limits.within, workspace.zone)
    subject = await store.ruling(conn, workspace.id, kind, name or channel)
    guard = await store.ruling(conn, workspace.id, GUARD, f"{kind}:{name}") if name else subject
    was_resumed = subject and guard and (subject[3] > guard[3] if name else subject[0] != PAUSED)
    if subject and was_resumed:
        since = max(since, subject[2])
    campaign, journey = (name if kind == each else None for each in ("campaign", "journey"))
    delivered, tried, complaints, bounces, refusals = await store.harm_of(
        conn, workspace.id, since, channel, campaign, journey
    )
    return Seen(delivered, tried, complaints, bounces, since, refusals)
