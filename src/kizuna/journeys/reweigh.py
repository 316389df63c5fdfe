"""Weights of learning splits, worked out from what all workers counted and published for every partition to follow."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from kizuna.accounts import store as accounts
from kizuna.core.errors import NotFound
from kizuna.engine.slice import Workspace
from kizuna.events import publish as definitions
from kizuna.events import store as events
from kizuna.journeys import store
from kizuna.journeys.bandit import tally, weights_of
from kizuna.journeys.definition import parse
from kizuna.journeys.program import BANDIT

WORTH_SAYING = 20  # thousandths: a smaller change is not published


async def reweigh(conn: AsyncConnection[Any], workspace: Workspace, name: str) -> tuple[list[str], int]:
    """The steps whose weights changed, and the position. The caller's transaction; one at a time in a workspace."""
    await store.lock_bandits(conn, workspace.id)
    ruling = await store.published(conn, workspace.id, name)
    if ruling is None:
        raise NotFound(f"no journey {name!r} is published in this workspace")
    counted = await store.counters(conn, workspace.id, name)
    known = await store.bandits(conn, workspace.id, name)
    changed: list[str] = []
    position = await events.last_position(conn)
    for node in parse(name, ruling.body).steps.values():
        if getattr(node.settings, "bandit", None) is None:
            continue
        arms = node.settings.arms
        drawn, won = (tally(counted, ruling.version, node.id, len(arms), what) for what in ("drawn", "won"))
        before = known.get(node.id, {})
        rules = before["weights"] if before.get("version") == ruling.version else [each.weight for each in arms]
        weights = weights_of(drawn, won)
        if sum(drawn) and any(abs(new - old) >= WORTH_SAYING for new, old in zip(weights, rules, strict=True)):
            body = {"journey": name, "version": ruling.version, "step": node.id}
            learnt = {**body, "weights": weights, "drawn": drawn, "won": won}
            _, position = await definitions.publish(conn, workspace, BANDIT, f"{name}:{node.id}", learnt)
            changed.append(node.id)
    return changed, position


async def reweigh_all(conn: AsyncConnection[Any]) -> None:
    """Every learning split of every active journey."""
    for workspace_id, name in await store.learning(conn):
        workspace = await accounts.workspace(conn, workspace_id)
        if workspace is not None:
            await reweigh(conn, workspace, name)
        await conn.commit()
