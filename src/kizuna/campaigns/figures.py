"""What became of a campaign, put together from its launches, its messages and its goals. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from kizuna.campaigns.lift import Arm, compare
from kizuna.campaigns.store import CANCELLED, CANCELLING, GATHERING, HANDING, SCHEDULED, Launch
from kizuna.messages.message import OPEN

DRAFT, RUNNING, PAUSED, FINISHED = "draft", "running", "paused", "finished"
SHOWN = (
    *("sent", "delivered", "opened", "clicked", "unsubscribed", "bounced", "complained"),
    *("human_opened", "human_clicked", "unsure_opened", "unsure_clicked"),  # both are among `opened` and `clicked`
    *("machine_opened", "machine_clicked"),  # these are not
)
ENDED = ("rejected", "expired", "unknown")


class Ledger(Struct, frozen=True):
    """What was counted of one campaign."""

    launches: Sequence[Launch]
    rows: Sequence[tuple[str, str | None, str | None, int]]  # state, reason, variant, number
    reached: dict[str, int]  # messages that ever were in a state
    decided: int  # members about whom the fold has decided
    goals: Sequence[tuple[str | None, bool, int, int, Any]]  # variant, held out, exposed, converted, value


def figures(status: str, ledger: Ledger, currency: str, *, has_goal: bool) -> dict[str, Any]:
    rows, launches = ledger.rows, ledger.launches
    skipped: dict[str, int] = {}
    variants: dict[str, dict[str, int]] = {}
    for state, reason, variant, number in rows:
        if state == "skipped":
            skipped[reason or "unknown"] = skipped.get(reason or "unknown", 0) + number
        if variant:
            arm = variants.setdefault(variant, {})
            arm[state] = arm.get(state, 0) + number
    made = sum(number for *_, number in rows)
    handed = sum(each.handed for each in launches)
    for reason, number in (
        ("duplicate", ledger.decided - made),  # joined after the launch: two who were to be reached are one
        ("aborted", sum(each.members - each.handed for each in launches if each.state in (CANCELLING, CANCELLED))),
    ):
        if number > 0:
            skipped[reason] = skipped.get(reason, 0) + number
    waiting = sum(number for state, _, _, number in rows if state in OPEN) + max(0, handed - ledger.decided)
    return {
        "state": state_of(status, launches, waiting),
        "planned": sum(each.members for each in launches),
        "waiting": waiting + sum(each.members - each.handed for each in launches if each.state == HANDING),
        "skipped": skipped,
        **{state: ledger.reached.get(state, 0) for state in SHOWN},
        **{state: sum(number for said, _, _, number in rows if said == state) for state in ENDED},
        "variants": variants,
        **_goals(ledger.goals, currency, has_goal=has_goal),
    }


def state_of(status: str, launches: Sequence[Launch], waiting: int) -> str:
    """In the words of the contract; finished only when every planned row is."""
    if status == PAUSED:
        return PAUSED
    if not launches:
        return DRAFT
    if status == CANCELLED:
        return CANCELLED
    states = {each.state for each in launches}
    if waiting or states & {GATHERING, HANDING, CANCELLING}:
        return RUNNING
    return SCHEDULED if SCHEDULED in states else FINISHED


def _goals(goals: Sequence[tuple[str | None, bool, int, int, Any]], currency: str, *, has_goal: bool) -> dict[str, Any]:
    if not has_goal:
        return {"converted": None, "revenue": None, "lift": None}
    said, held = _arm(goals, held_out=False), _arm(goals, held_out=True)
    names = list(dict.fromkeys(variant for variant, *_ in goals if variant))
    arms = {name: _arm([row for row in goals if row[0] == name], held_out=False) for name in names}
    return {
        "converted": said.converted,
        "revenue": {"amount": _money(goals, held_out=False), "currency": currency},
        "lift": {
            **compare(said, held),
            "said": _shown(said, goals, held_out=False),
            "holdout": _shown(held, goals, held_out=True),
            "variants": [
                {"variant": name, **_shown(arm, [row for row in goals if row[0] == name], held_out=False),
                 **compare(arm, arms[names[0]])}
                for name, arm in arms.items()
            ],
        },
    }  # fmt: skip


def _arm(goals: Sequence[tuple[str | None, bool, int, int, Any]], *, held_out: bool) -> Arm:
    rows = [row for row in goals if row[1] == held_out]
    return Arm(sum(row[2] for row in rows), sum(row[3] for row in rows))


def _shown(arm: Arm, goals: Sequence[tuple[str | None, bool, int, int, Any]], *, held_out: bool) -> dict[str, Any]:
    revenue = _money(goals, held_out=held_out)
    return {"n": arm.n, "converted": arm.converted, "rate": arm.rate, "revenue": revenue}


def _money(goals: Sequence[tuple[str | None, bool, int, int, Any]], *, held_out: bool) -> str:
    return format(sum((Decimal(row[4]) for row in goals if row[1] == held_out), Decimal(0)), "f")
