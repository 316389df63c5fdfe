"""Tell the log what a report means: of the message it is about, else of whoever has the address."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct
from psycopg.errors import UniqueViolation

from kizuna.accounts import store as accounts
from kizuna.consent.accept import Veto, accept
from kizuna.core import ids
from kizuna.core.clock import DAY
from kizuna.core.errors import Invalid
from kizuna.events.log import Log
from kizuna.messages import sql_told
from kizuna.messages.report import of_customer
from kizuna.profiles import store as profiles
from kizuna.profiles.everybody import everybody
from kizuna.reports import store
from kizuna.reports.result import BOUNCE, COMPLAINT, DELIVERED, HARD, SOFT, Report, Result
from kizuna.runtime.database import Database

CHANNEL = "email"
MOST_PEOPLE = 20  # that have one address and are asked whether they read our mails
READ_WITHIN = 30 * DAY
_STATES = {BOUNCE: "bounced", COMPLAINT: "complained", DELIVERED: "delivered"}


class Heard(Struct, frozen=True):
    """One report of one customer; `key` is the same however often it comes."""

    profile: bytes
    state: str
    said: dict[str, Any]
    key: bytes


async def apply(
    database: Database, log: Log, workspace: int, report: Report, raw: bytes
) -> tuple[Sequence[Result], int | None]:
    """The results, with the address that we wrote to, and the position of what is new."""
    async with database.connection() as conn:
        now = await accounts.now(conn, workspace)
        sent = await store.sent(conn, workspace, _named(report.about))
        results = report.results
        if sent is not None:
            living = await profiles.survivor(conn, workspace, sent.profile)
            results = [r if r.address else msgspec.structs.replace(r, address=sent.address) for r in results]
            heard = [_of_message(sent, living, results)] if living else []
        else:
            heard = [each for result in results for each in await _of_address(conn, workspace, result, raw, now)]
        whole = [each for each in heard if each]
        known = await sql_told.known(conn, workspace, [each.key for each in whole])
    positions = [await _append(database, log, workspace, each, now) for each in whole if each.key not in known]
    return results, max((position for position in positions if position), default=None)


def _named(about: Sequence[str]) -> list[bytes]:
    """Our ids among Message-IDs: `msg_...@domain`."""
    found: list[bytes] = []
    for each in about:
        try:
            found.append(ids.read("msg", each.partition("@")[0].lower()))
        except Invalid:
            continue
    return found


def _of_message(sent: store.Sent, profile: bytes, results: Sequence[Result]) -> Heard | None:
    """It went to one address: what is said of that, else (it was forwarded) the first that means anything."""
    meant = [result for result in results if result.kind in _STATES]
    own = [result for result in meant if (result.address or "").lower() == sent.address.lower()]
    result = next(iter(own or meant), None)
    if result is None:
        return None
    state = state_of(result)
    names = ("channel", "template", "journey", "run", "step", "campaign", "variant", "topic")
    about = {name: value for name in names if (value := getattr(sent, name))}
    said = {"message": ids.show("msg", sent.message), **about, "address": sent.address, **_said(result)}
    return Heard(profile, state, said, ids.derive("mail_report", sent.message, state))


async def _of_address(conn: Any, workspace: int, result: Result, raw: bytes, now: int) -> list[Heard]:
    """Of a mail that is not known here: believed where a customer has the address, of each who complains.

    Whoever knows where mails come back to can write such a report. A bounce is not believed of an address where our
    mails are read: it exists, and one that truly bounces is reported with the Message-ID of a mail of ours.
    """
    if result.kind not in (BOUNCE, COMPLAINT) or not result.address:
        return []
    state = state_of(result)
    said = {"channel": CHANNEL, "address": result.address, **_said(result)}
    if result.kind == COMPLAINT:
        people = await everybody(conn, workspace, CHANNEL, result.address)
    else:
        people = await profiles.by_trait(conn, workspace, CHANNEL, result.address, MOST_PEOPLE)
        if await store.is_read(conn, workspace, people, result.address, now - READ_WITHIN):
            return []
        people = people[:1]  # what bounces is the address, for whoever has it
    content = blake2b(raw.partition(b"\n\n")[2] or raw, digest_size=16).digest()  # without the ways it came
    return [Heard(each, state, said, ids.derive("mail_report", each, state, content)) for each in people]


def state_of(result: Result) -> str:
    return "unsubscribed" if result.reason == "opt_out" else _STATES[result.kind]


def _said(result: Result) -> dict[str, Any]:
    """`class` only where it counts against the address: not where the mail, or who sent it, is to blame."""
    said: dict[str, Any] = {"source": "report", "reason": result.reason, "status": result.status}
    said["reply_code"] = result.reply_code
    if result.hardness == HARD or result.counts_against_address:
        said["class"] = HARD if result.hardness == HARD else SOFT
    return {name: value for name, value in said.items() if value}


async def _append(database: Database, log: Log, workspace: int, heard: Heard, now: int) -> int | None:
    """None where it was told before, perhaps this very moment by somebody else."""
    item = of_customer(heard.profile, heard.state, now, heard.said, ids.show("evt", heard.key))
    is_out = heard.state in ("complained", "unsubscribed")
    vetoes = [Veto(heard.profile, item.id, CHANNEL)] if is_out else []
    try:
        return await accept(database, log, workspace, [item], vetoes, [sql_told.once(workspace, heard.key, now)])
    except UniqueViolation:
        return None
