"""Takes due messages to their end: for the built-in outbox in one transaction, over a network in two."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import structlog
from psycopg import Connection

from kizuna.core import clock, ids
from kizuna.engine.moment import Item
from kizuna.engine.slice import Workspace
from kizuna.fetches import store as fetches
from kizuna.messages import sql_drawing, sql_sending, sql_shelf
from kizuna.messages.claim import Deferred, Refused
from kizuna.messages.compose import Composed, delivery
from kizuna.messages.desk import Desk, Judged
from kizuna.messages.message import UNSAID, Claimed, Ending, Said
from kizuna.messages.ration import give_back, hold, ration
from kizuna.messages.report import of_deferral, of_device, of_sender
from kizuna.promotions import sql_codes
from kizuna.providers import Accepted, Ambiguous, Outcome, Rejected, Unavailable
from kizuna.providers.carry import Bearer, bearer
from kizuna.runtime.database import in_one_go

LEASE_SECONDS = 60.0
CARRY_SECONDS = 2.0  # after which the rest is handed back: far within the lease, and opt-outs are read again soon
BACK_OFF_FIRST, BACK_OFF_MOST = 1 * clock.SECOND, 15 * clock.MINUTE

OUTBOX = "outbox"
NOWHERE: Mapping[str, str] = {}
LOG = "kizuna_log"  # whose listeners hear of what is appended

log = structlog.get_logger()


def deliver_local(
    connection: Connection[Any],
    desk: Desk,
    workspace: Workspace,
    lanes: Sequence[tuple[str, bool]],
    now: int,
    limit: int,
    shelves: Mapping[str, str] = NOWHERE,
) -> int:
    """Claim, render, keep and report in one transaction: exactly once. Answers how many messages it took.

    `lanes` are channels, each with whether its transactional messages are meant, or all others. `shelves` are those
    whose messages are laid on shelves, each with its provider; the outbox takes the others.
    """
    told: list[str] = []
    with in_one_go(connection, told) as cursor:
        claims: list[sql_sending.Claim] = []
        for channel, is_urgent in lanes:
            claims += sql_sending.claim(cursor, workspace.id, channel, now, limit - len(claims), is_urgent=is_urgent)
        if not claims:
            return 0
        judgement = desk.judge(cursor, workspace, claims, now)
        judged = judgement.decided
        _keep(cursor, workspace, judged, None if workspace.clock == "test" else now, shelves)
        _settle(cursor, workspace, given=_with_codes((one, one.verdict) for one in judged))
        if unsaid := [ending_of(one, one.verdict) for one in judged if not isinstance(one.verdict, Composed)]:
            sql_sending.finish(cursor, workspace.id, unsaid)
        if judged:
            reports = [report_of(one, shelves.get(one.message.channel, OUTBOX)) for one in judged]
            desk.append(cursor, workspace.id, reports, min(one.message.root for one in judged))
            told.append(LOG)
    desk.fetch(workspace, judgement.waiting)
    return len(claims)


def _keep(
    cursor: Any, workspace: Workspace, judged: Sequence[Judged], at: int | None, shelves: Mapping[str, str]
) -> None:
    said: dict[str, list[Said]] = {}
    for one in judged:
        if isinstance(one.verdict, Composed):
            said.setdefault(shelves.get(one.message.channel, OUTBOX), []).append(said_of(one, one.verdict))
    if outgoing := said.pop(OUTBOX, None):
        sql_sending.put_in_outbox(cursor, workspace.id, outgoing, at)
    for provider, laid in said.items():
        sql_shelf.place(cursor, workspace.id, laid, provider, at)


def said_of(one: Judged, verdict: Composed) -> Said:
    return Said(
        id=one.message.id,
        address=verdict.address,
        subject=verdict.subject,
        body=verdict.body,
        links=verdict.links,
        unsubscribe=verdict.unsubscribe,
        recipient=one.profile if one.profile != one.message.profile else None,
        consent=verdict.consent,
        proof=verdict.proof,
        page=None if verdict.page is None else msgspec.json.encode(verdict.page),
    )


def ending_of(one: Judged, verdict: Refused | Deferred) -> Ending:
    message = one.message
    if isinstance(verdict, Deferred):
        return Ending(id=message.id, fence=message.fence, state="planned", due_at=verdict.until)
    return Ending(
        id=message.id,
        fence=message.fence,
        state=verdict.state,
        reason=verdict.reason,
        history=[(verdict.state, one.at)],
    )


def report_of(one: Judged, provider: str = OUTBOX) -> Item:
    match one.verdict:
        case Refused(state=state, reason=reason):
            return of_sender(one.message, one.profile, state, one.at, reason=reason)
        case Deferred(until=until):
            return of_deferral(one.message, one.profile, until, one.at)
        case Composed(address=address):
            noted = _noted(one.verdict)
            return of_sender(one.message, one.profile, "sent", one.at, address=address, provider=provider, **noted)


def _noted(verdict: Composed) -> dict[str, Any]:
    """What the log keeps of a template beside its name."""
    return {"codes": verdict.codes, "extras": verdict.extras}


def _with_codes(said: Iterable[tuple[Judged, Any]]) -> list[bytes]:
    return [one.message.id for one, verdict in said if isinstance(verdict, Composed) and verdict.codes]


def _settle(cursor: Any, workspace: Workspace, given: Sequence[bytes] = (), given_back: Sequence[bytes] = ()) -> None:
    """Codes of messages that were sent are their customers'; those of others are free again."""
    if given:
        sql_codes.commit(cursor, workspace.id, given)
    if given_back:
        sql_codes.release(cursor, workspace.id, given_back)


# over a network ------------------------------------------------------------------------------------------------------


def deliver_remote(
    connection: Connection[Any],
    desk: Desk,
    workspace: Workspace,
    channel: str,
    now: int,
    *,
    limit: int = 1,
    is_urgent: bool = False,
    lease: float = LEASE_SECONDS,
    more: Callable[[], None] = lambda: None,
    pace: Callable[[], bool] = lambda: True,
    checkpoint: Callable[[str], None] = lambda _: None,
) -> Outcome | None:
    """Some messages: write down the hand-over, touch the network, write down the outcomes. None: nothing was due.

    Answers the outcome of the last. The first `Unavailable` of the provider ends it: what the network did not see is
    handed back. `is_urgent`: transactional messages, else all others.
    `more` is called when it took all it may, `pace` before each but the first is carried, and says whether to go on;
    `checkpoint` hears the name
    of each point at which a crash means something else.
    """
    told: list[str] = []
    with in_one_go(connection, told) as cursor:
        claims = sql_sending.claim(cursor, workspace.id, channel, now, limit, is_urgent=is_urgent)
        carrier = sql_sending.carrier(cursor, workspace.id, channel) if claims else None
        if carrier is None:
            return None
        judgement = desk.judge(cursor, workspace, claims, now, lambda drafts: hold(cursor, workspace, carrier, drafts))
        judged = ration(cursor, workspace, carrier, judgement.decided)
        unsaid = [(one, one.verdict) for one in judged if not isinstance(one.verdict, Composed)]
        handed = [(one, one.verdict) for one in judged if isinstance(one.verdict, Composed)]
        if handed:
            said = [said_of(one, verdict) for one, verdict in handed]
            at = None if workspace.clock == "test" else now
            sql_sending.hand(cursor, workspace.id, said, carrier["name"], at, lease)
        if unsaid:
            sql_sending.finish(cursor, workspace.id, [ending_of(one, verdict) for one, verdict in unsaid])
            reports = [report_of(one) for one, _ in unsaid]
            desk.append(cursor, workspace.id, reports, min(one.message.root for one, _ in unsaid))
            told.append(LOG)
    desk.fetch(workspace, judgement.waiting)
    if len(claims) == limit:
        more()
    if not judged:
        return Rejected("waiting")
    if not handed:
        last = unsaid[-1][1]
        return Rejected(last.reason or last.state if isinstance(last, Refused) else "deferred")
    checkpoint("handed")
    carried = _carry(handed, bearer(desk.secrets, workspace.id, carrier, desk.outside), pace)
    checkpoint("carried")
    with in_one_go(connection, [LOG]) as cursor:
        _conclude(cursor, desk, workspace, carrier, carried)
    return next(outcome for _, _, outcome in reversed(carried) if outcome is not None)


Carried = tuple[Judged, Composed, Outcome | None]  # None: the network was not touched


def _carry(handed: Sequence[tuple[Judged, Composed]], hand_over: Bearer, pace: Callable[[], bool]) -> list[Carried]:
    """One after the other, for as long as `CARRY_SECONDS` and the provider last; the first always."""
    last = time.monotonic() + CARRY_SECONDS
    carried: list[Carried] = []
    is_open = True
    for index, (one, verdict) in enumerate(handed):
        counted = msgspec.structs.replace(
            one.message, fence=one.message.fence + 1, attempts=one.message.attempts + 1
        )  # as `hand` wrote them
        outcome = None
        is_open = is_open and (index == 0 or pace())
        if is_open:
            outcome = _handed_over(hand_over, counted, verdict, one.at)
            stops = isinstance(outcome, Unavailable) and not outcome.of_one
            is_open = not stops and time.monotonic() < last
        carried.append((msgspec.structs.replace(one, message=counted), verdict, outcome))
    return carried


def _handed_over(hand_over: Bearer, message: Claimed, verdict: Composed, at: int) -> Outcome:
    """What cannot be worded is refused before the network is touched, whatever the reason: it must not keep the others
    of its batch from being concluded."""
    try:
        said = delivery(message, verdict, at)
    except Exception as error:
        log.exception("message_failed", workspace=message.workspace, message=ids.show("msg", message.id))
        return Rejected(f"template_error: {type(error).__name__}")
    return hand_over(said)


def _conclude(
    cursor: Any, desk: Desk, workspace: Workspace, carrier: Mapping[str, Any], carried: Sequence[Carried]
) -> None:
    """Write outcomes down; a message that somebody else took over meanwhile is left as they wrote it."""
    concluded = [(one, *outcome_of(one, verdict, carrier["name"], outcome)) for one, verdict, outcome in carried]
    ours = set(sql_sending.finish(cursor, workspace.id, [ending for _, ending, _ in concluded]))
    ended = {ending.id: ending.state for _, ending, _ in concluded if ending.id in ours}
    with_codes = _with_codes((one, verdict) for one, verdict, _ in carried)
    # sent again, however that ends: the customer may know the code by now, so nobody else may have it
    perhaps = {one.message.id for one, _, said in carried if isinstance(said, Ambiguous) and one.message.transactional}
    _settle(
        cursor, workspace, [each for each in with_codes if ended.get(each) == "sent" or each in perhaps],
        [each for each in with_codes if ended.get(each) in UNSAID],
    )  # fmt: skip
    untaken = [
        (one, verdict) for one, verdict, outcome in carried if outcome is None or isinstance(outcome, Unavailable)
    ]
    give_back(cursor, workspace, carrier, [each for each in untaken if each[0].message.id in ours])
    reports = [(one.message.root, report) for one, _, said in concluded if one.message.id in ours for report in said]
    if reports:
        desk.append(cursor, workspace.id, [report for _, report in reports], min(root for root, _ in reports))


def outcome_of(one: Judged, verdict: Composed, provider: str, outcome: Outcome | None) -> tuple[Ending, list[Item]]:
    """What becomes of a message that was handed over, and what the log hears of it."""
    message, at, address = one.message, one.at, verdict.address
    state, reason, reports, again = "planned", None, list[Item](), None
    match outcome:
        case Accepted():
            state = "sent"
            noted = _noted(verdict)
            reports = [of_sender(message, one.profile, "sent", at, address=address, provider=provider, **noted)]
        case Rejected(reason=why, bounce=bounce, opted_out=opted_out):
            state, reason = "rejected", why
            reports = [of_sender(message, one.profile, "rejected", at, address=address, reason=why)]
            if bounce is not None:
                bounced = {"address": address, "class": bounce, "reason": why}
                reports.append(of_sender(message, one.profile, "bounced", at, **bounced))
            if opted_out:
                whole = msgspec.structs.replace(message, topic=None)
                reports.append(of_sender(whole, one.profile, "unsubscribed", at, address=address, source=provider))
        case Ambiguous(reason=why):
            if message.transactional:
                again = at + back_off(message.attempts)  # at least once, under the same Message-ID
            else:
                state, reason = "unknown", why
                reports = [of_sender(message, one.profile, "unknown", at, reason=why)]
        case Unavailable(retry_after=seconds):
            again = at + (max(seconds, 1) * clock.SECOND if seconds else back_off(message.attempts))
        case None:
            pass
    for device in outcome.gone if outcome is not None else ():
        reports.append(of_device(message, one.profile, device, at, getattr(outcome, "reason", "")))
    ending = Ending(
        id=message.id, fence=message.fence, state=state, reason=reason, provider=provider, address=address,
        due_at=again, attempt=-1 if outcome is None else 0, history=[(state, at)],
        trouble=None if outcome is None or isinstance(outcome, Accepted) else outcome.reason[:500],
    )  # fmt: skip
    return ending, reports


def back_off(attempts: int) -> int:
    """Doubling with full jitter; the row's `expires_at` ends it."""
    most = min(BACK_OFF_FIRST << min(attempts - 1, 20), BACK_OFF_MOST)
    return random.randint(most // 4, most)  # noqa: S311  # spreads load, hides nothing


def recover(connection: Connection[Any], desk: Desk, limit: int = 200) -> int:
    """After a crash: marketing between hand-over and answer is `unknown` for ever, transactional is sent again, with
    a code that its customer may know by now."""
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        lost = sql_sending.overdue(cursor, limit)
        for workspace in sorted({message.workspace for message in lost}):
            messages = [message for message in lost if message.workspace == workspace]
            now = sql_sending.now(cursor, workspace)
            endings = [_lost(message, now) for message in messages]
            sql_sending.finish(cursor, workspace, endings)
            sql_codes.commit(cursor, workspace, [message.id for message in messages if message.transactional])
            gone = [message for message in messages if not message.transactional]
            reports = [of_sender(message, message.profile, "unknown", now, reason="sender_lost") for message in gone]
            if reports:
                desk.append(cursor, workspace, reports, min(message.root for message in gone))
                cursor.execute("NOTIFY kizuna_log")
        return len(lost)


def tidy(connection: Connection[Any]) -> None:
    """Codes of messages that ended elsewhere; answers that no message needs any more."""
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        sql_drawing.settle_codes(cursor)
        fetches.forget(cursor)


def _lost(message: Claimed, now: int) -> Ending:
    state, reason = ("planned", None) if message.transactional else ("unknown", "sender_lost")
    return Ending(id=message.id, fence=message.fence, state=state, reason=reason, history=[(state, now)])
