"""Takes due messages to their end: for the built-in outbox in one transaction, over a network in two."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection

from kizuna.channels import address_of, all_channels
from kizuna.consent.section import Consent
from kizuna.core import clock
from kizuna.core.errors import Invalid
from kizuna.engine.append import append_statements
from kizuna.engine.moment import Item
from kizuna.engine.record import decoder_of
from kizuna.engine.slice import Workspace
from kizuna.messages import policy, sql_sending
from kizuna.messages.claim import Deferred, Person, Refused, decide, defer
from kizuna.messages.compose import Composed, as_brought, compose, delivery
from kizuna.messages.links import Links, Signer
from kizuna.messages.message import Claimed, Ending, Said
from kizuna.messages.quiet_hours import QuietHours
from kizuna.messages.report import of_deferral, of_device, of_sender
from kizuna.profiles.section import Profile
from kizuna.providers import Accepted, Ambiguous, Outcome, Rejected, Unavailable, vault
from kizuna.providers.carry import Bearer, bearer
from kizuna.providers.http import Outside
from kizuna.runtime.database import in_one_go
from kizuna.templates import blocks, definition
from kizuna.templates.extra_tags import Aborted
from kizuna.templates.variables import locale_of

LEASE_SECONDS = 60.0
CARRY_SECONDS = 2.0  # after which the rest is handed back: far within the lease, and opt-outs are read again soon
MOST_TEMPLATES = 1_000
BACK_OFF_FIRST, BACK_OFF_MOST = 1 * clock.SECOND, 15 * clock.MINUTE

LOG = "kizuna_log"  # whose listeners hear of what is appended
_NOTHING: frozenset[tuple[str, str]] = frozenset()
_profile = decoder_of(Profile)
_consent = decoder_of(Consent)


class Judged(Struct, frozen=True):
    """A claimed message, to whom it goes, and what is to become of it."""

    message: Claimed
    profile: bytes
    verdict: Refused | Deferred | Composed
    at: int


class Parsed(Struct, frozen=True):
    """A template's version as read, and whether what it says may depend on segments."""

    template: definition.Template
    names_segments: bool
    blocks: frozenset[str]  # names of other templates that it puts in


class Desk:
    """What deliveries need to know of the installation."""

    def __init__(
        self, partitions: int, secrets: Sequence[bytes], public_url: str, outside: Outside | None = None
    ) -> None:
        self.partitions = partitions
        self.secrets = list(secrets)
        self.signer = Signer(self.secrets)
        self.public_url = public_url
        self.outside = outside  # connections to HTTP APIs; None: each delivery its own
        self._parsed: dict[tuple[int, str, int], Parsed] = {}  # versions never change: read once
        self._policies = lru_cache(64)(policy.read_stored)

    @classmethod
    def of(cls, connection: Connection[Any], public_url: str, secret: str, outside: Outside | None = None) -> Desk:
        with connection.transaction(), connection.cursor(binary=True) as cursor:
            partitions, installed = sql_sending.installation(cursor)
        return cls(partitions, vault.secrets_of(installed, secret), public_url, outside)

    def judge(self, cursor: Any, workspace: Workspace, claims: Sequence[sql_sending.Claim], now: int) -> list[Judged]:
        """Look at what each claim may refuse for, and compose the rest."""
        vetoes, people = self._people(cursor, workspace.id, claims)
        templates = self._templates(cursor, workspace.id, [claim.message for claim in claims])
        if any(each is not None and each.names_segments for each in templates.values()):
            found = sql_sending.segments_of(cursor, workspace.id, [person.id for person in people.values()])
            people = {
                asked: msgspec.structs.replace(person, segments=found.get(person.id, []))
                for asked, person in people.items()
            }
        partials = self._blocks(cursor, workspace.id, templates.values())
        suppressed = sql_sending.suppressed(cursor, workspace.id, _addresses(people.values(), claims))
        quiet, neutral = self._ruling(cursor, workspace)
        judged: list[Judged] = []
        for message, _, _ in claims:
            person = people.get(message.profile)
            at = message.due_at if workspace.clock == "test" else now
            said = vetoes.get(message.profile, _NOTHING)
            if person is not None and person.id != message.profile:
                said = said | vetoes.get(person.id, _NOTHING)
            default = neutral.get(message.topic or "", workspace.consent) if neutral else workspace.consent
            verdict = decide(message, person, said, suppressed, at, default)
            if quiet and isinstance(verdict, str) and person and (wait := defer(message, person, quiet, at, workspace)):
                verdict = wait
            if isinstance(verdict, str):
                assert person is not None  # noqa: S101  # an address belongs to somebody
                parsed = templates.get((message.template, message.template_version))
                verdict = self._compose(message, person, verdict, parsed, partials, workspace, at)
            judged.append(Judged(message, person.id if person else message.profile, verdict, at))
        return judged

    def _ruling(self, cursor: Any, workspace: Workspace) -> tuple[QuietHours | None, dict[str, str]]:
        """The quiet hours that rule, and what `neutral` means for topics that say so."""
        found = sql_sending.ruling(cursor, workspace.id)
        neutral = {name: body["default"] for kind, name, body in found if kind == "topic" and "default" in body}
        policies = [self._policies(msgspec.json.encode(body)) for kind, _, body in found if kind == "policy"]
        return policies[0].quiet_hours if policies else None, neutral

    def _compose(
        self,
        message: Claimed,
        person: Person,
        address: str,
        parsed: Parsed | None,
        partials: dict[str, definition.Template],
        workspace: Workspace,
        at: int,
    ) -> Composed | Refused:
        if not message.template:
            return as_brought(message)
        if parsed is None:
            return Refused("skipped", "template_error")
        try:
            links = Links(self.signer, self.public_url, workspace.id, message.id)
            used = partials if parsed.blocks else None
            return compose(message, person, address, parsed.template, workspace, links, at, used)
        except Aborted:
            return Refused("skipped", "aborted")
        except Invalid:
            return Refused("skipped", "template_error")

    def _blocks(
        self, cursor: Any, workspace: int, templates: Iterable[Parsed | None]
    ) -> dict[str, definition.Template]:
        """The newest version of each block that these templates put in."""
        names = {name for parsed in templates if parsed is not None for name in parsed.blocks}
        if not names:
            return {}
        return blocks.collect(names, lambda more: _readable(sql_sending.blocks(cursor, workspace, more)))

    def _templates(
        self, cursor: Any, workspace: int, messages: Sequence[Claimed]
    ) -> dict[tuple[str, int], Parsed | None]:
        wanted = {(message.template, message.template_version) for message in messages if message.template}
        return {key: self._template(cursor, workspace, *key) for key in wanted}

    def _template(self, cursor: Any, workspace: int, name: str, version: int) -> Parsed | None:
        known = self._parsed.get((workspace, name, version))
        if known is not None:
            return known
        body = sql_sending.template(cursor, workspace, name, version)
        if body is None:
            return None
        try:
            template = definition.read(body)
            parsed = Parsed(template, "segments" in str(body), frozenset(blocks.named_by(template)))
        except Invalid:
            return None
        if version:  # version 0 is whichever is newest
            if len(self._parsed) >= MOST_TEMPLATES:
                self._parsed.clear()
            self._parsed[workspace, name, version] = parsed
        return parsed

    def _people(
        self, cursor: Any, workspace: int, claims: Sequence[sql_sending.Claim]
    ) -> tuple[dict[bytes, set[tuple[str, str]]], dict[bytes, Person]]:
        """Vetoes and living records, by the id asked for; merged records lead to the one that lives."""
        vetoes = {claim.message.profile: {(each[0], each[1]) for each in claim.vetoes} for claim in claims}
        rows = {claim.message.profile: claim.person for claim in claims if claim.person is not None}
        asked = list(rows)
        if missing := {row[0] for row in rows.values() if row[0] is not None} - rows.keys():
            for profile, said in sql_sending.vetoes(cursor, workspace).items():  # before the records, as the claim did
                vetoes.setdefault(profile, set()).update(said)
            while missing:
                found = sql_sending.people(cursor, workspace, list(missing))
                rows.update(found)
                missing = {row[0] for row in found.values() if row[0] is not None} - rows.keys()
        people: dict[bytes, Person] = {}
        for profile in asked:
            living = profile
            for _ in range(100):
                if living not in rows or rows[living][0] is None:
                    break
                living = rows[living][0] or living
            if living in rows:
                people[profile] = _person(living, rows[living])
        for claim in claims:
            if claim.message.to is not None:  # said to an address: it needs no record
                profile = claim.message.profile
                people.setdefault(profile, Person(id=profile, traits={}, consent=Consent()))
        return vetoes, people

    # reports ---------------------------------------------------------------------------------------------------------

    def append(self, cursor: Any, workspace: int, items: Sequence[Item], root: int) -> None:
        """At the end of the transaction; who commits it tells `LOG`. The oldest root stands for all: a reader rather
        waits too long."""
        for statement in append_statements(workspace, items, self.partitions, root):
            cursor.execute(*statement)


def _readable(found: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, definition.Template]:
    made: dict[str, definition.Template] = {}
    for name, body in found:
        with suppress(Invalid):
            made[name] = definition.read(body)
    return made


def _addresses(people: Iterable[Person], claims: Iterable[sql_sending.Claim]) -> list[str]:
    channels = all_channels().values()
    found = [address_of(each, person.traits, person.known.devices) for person in people for each in channels]
    found += [claim.message.to for claim in claims]
    return [address.lower() for address in found if address]


def _person(profile: bytes, row: sql_sending.PersonRow) -> Person:
    _, traits, raw_profile, raw_consent = row
    known = _profile(raw_profile) if raw_profile else Profile()
    return Person(
        id=profile,
        traits=traits,
        consent=_consent(raw_consent) if raw_consent else Consent(),
        known=known,
        locale=locale_of(traits, known),
        zone=known.zone,
    )


# the built-in outbox -------------------------------------------------------------------------------------------------


def deliver_local(
    connection: Connection[Any], desk: Desk, workspace: Workspace, channels: Sequence[str], now: int, limit: int
) -> int:
    """Claim, render, keep and report in one transaction: exactly once. Answers how many messages it took."""
    told: list[str] = []
    with in_one_go(connection, told) as cursor:
        claims: list[sql_sending.Claim] = []
        for channel in channels:
            claims += sql_sending.claim(cursor, workspace.id, channel, now, limit - len(claims))
        if not claims:
            return 0
        judged = desk.judge(cursor, workspace, claims, now)
        if said := [_said(one, one.verdict) for one in judged if isinstance(one.verdict, Composed)]:
            sql_sending.put_in_outbox(cursor, workspace.id, said, None if workspace.clock == "test" else now)
        if unsaid := [_ending(one, one.verdict) for one in judged if not isinstance(one.verdict, Composed)]:
            sql_sending.finish(cursor, workspace.id, unsaid)
        desk.append(cursor, workspace.id, [_report(one) for one in judged], min(one.message.root for one in judged))
        told.append(LOG)
        return len(claims)


def _said(one: Judged, verdict: Composed) -> Said:
    return Said(
        id=one.message.id,
        address=verdict.address,
        subject=verdict.subject,
        body=verdict.body,
        links=verdict.links,
        unsubscribe=verdict.unsubscribe,
        recipient=one.profile if one.profile != one.message.profile else None,
    )


def _ending(one: Judged, verdict: Refused | Deferred) -> Ending:
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


def _report(one: Judged, provider: str = "outbox") -> Item:
    match one.verdict:
        case Refused(state=state, reason=reason):
            return of_sender(one.message, one.profile, state, one.at, reason=reason)
        case Deferred(until=until):
            return of_deferral(one.message, one.profile, until, one.at)
        case Composed(address=address):
            return of_sender(one.message, one.profile, "sent", one.at, address=address, provider=provider)


# over a network ------------------------------------------------------------------------------------------------------


def deliver_remote(
    connection: Connection[Any],
    desk: Desk,
    workspace: Workspace,
    channel: str,
    now: int,
    *,
    limit: int = 1,
    lease: float = LEASE_SECONDS,
    more: Callable[[], None] = lambda: None,
    pace: Callable[[], None] = lambda: None,
    checkpoint: Callable[[str], None] = lambda _: None,
) -> Outcome | None:
    """Some messages: write down the hand-over, touch the network, write down the outcomes. None: nothing was due.

    Answers the outcome of the last. The first `Unavailable` of the provider ends it: what the network did not see is
    handed back.
    `more` is called when it took all it may, `pace` before each but the first is carried; `checkpoint` hears the name
    of each point at which a crash means something else.
    """
    told: list[str] = []
    with in_one_go(connection, told) as cursor:
        claims = sql_sending.claim(cursor, workspace.id, channel, now, limit)
        carrier = sql_sending.carrier(cursor, workspace.id, channel) if claims else None
        if carrier is None:
            return None
        judged = desk.judge(cursor, workspace, claims, now)
        unsaid = [(one, one.verdict) for one in judged if not isinstance(one.verdict, Composed)]
        handed = [(one, one.verdict) for one in judged if isinstance(one.verdict, Composed)]
        if handed:
            said = [_said(one, verdict) for one, verdict in handed]
            at = None if workspace.clock == "test" else now
            sql_sending.hand(cursor, workspace.id, said, carrier["name"], at, lease)
        if unsaid:
            sql_sending.finish(cursor, workspace.id, [_ending(one, verdict) for one, verdict in unsaid])
            reports = [_report(one) for one, _ in unsaid]
            desk.append(cursor, workspace.id, reports, min(one.message.root for one, _ in unsaid))
            told.append(LOG)
    if len(claims) == limit:
        more()
    if not handed:
        last = unsaid[-1][1]
        return Rejected(last.reason or last.state if isinstance(last, Refused) else "deferred")
    checkpoint("handed")
    carried = _carry(handed, bearer(desk.secrets, workspace.id, carrier, desk.outside), pace)
    checkpoint("carried")
    with in_one_go(connection, [LOG]) as cursor:
        _conclude(cursor, desk, workspace, carrier["name"], carried)
    return next(outcome for _, _, outcome in reversed(carried) if outcome is not None)


Carried = tuple[Judged, Composed, Outcome | None]  # None: the network was not touched


def _carry(handed: Sequence[tuple[Judged, Composed]], hand_over: Bearer, pace: Callable[[], None]) -> list[Carried]:
    """One after the other, for as long as `CARRY_SECONDS` and the provider last; the first always."""
    last = time.monotonic() + CARRY_SECONDS
    carried: list[Carried] = []
    is_open = True
    for index, (one, verdict) in enumerate(handed):
        counted = msgspec.structs.replace(
            one.message, fence=one.message.fence + 1, attempts=one.message.attempts + 1
        )  # as `hand` wrote them
        outcome = None
        if is_open:
            if index:
                pace()
            outcome = hand_over(delivery(counted, verdict, one.at))
            stops = isinstance(outcome, Unavailable) and not outcome.of_one
            is_open = not stops and time.monotonic() < last
        carried.append((msgspec.structs.replace(one, message=counted), verdict, outcome))
    return carried


def _conclude(cursor: Any, desk: Desk, workspace: Workspace, provider: str, carried: Sequence[Carried]) -> None:
    """Write outcomes down; a message that somebody else took over meanwhile is left as they wrote it."""
    concluded = [(one, *_outcome_of(one, verdict.address, provider, outcome)) for one, verdict, outcome in carried]
    ours = set(sql_sending.finish(cursor, workspace.id, [ending for _, ending, _ in concluded]))
    reports = [(one.message.root, report) for one, _, said in concluded if one.message.id in ours for report in said]
    if reports:
        desk.append(cursor, workspace.id, [report for _, report in reports], min(root for root, _ in reports))


def _outcome_of(one: Judged, address: str, provider: str, outcome: Outcome | None) -> tuple[Ending, list[Item]]:
    """What becomes of a message that was handed over, and what the log hears of it."""
    message, at = one.message, one.at
    state, reason, reports, again = "planned", None, list[Item](), None
    match outcome:
        case Accepted():
            state = "sent"
            reports = [of_sender(message, one.profile, "sent", at, address=address, provider=provider)]
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
    """After a crash: marketing between hand-over and answer is `unknown` for ever, transactional is sent again."""
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        lost = sql_sending.overdue(cursor, limit)
        for workspace in sorted({message.workspace for message in lost}):
            messages = [message for message in lost if message.workspace == workspace]
            now = sql_sending.now(cursor, workspace)
            endings = [_lost(message, now) for message in messages]
            sql_sending.finish(cursor, workspace, endings)
            gone = [message for message in messages if not message.transactional]
            reports = [of_sender(message, message.profile, "unknown", now, reason="sender_lost") for message in gone]
            if reports:
                desk.append(cursor, workspace, reports, min(message.root for message in gone))
                cursor.execute("NOTIFY kizuna_log")
        return len(lost)


def _lost(message: Claimed, now: int) -> Ending:
    state, reason = ("planned", None) if message.transactional else ("unknown", "sender_lost")
    return Ending(id=message.id, fence=message.fence, state=state, reason=reason, history=[(state, now)])
