"""Takes due messages to their end: for the built-in outbox in one transaction, over a network in two."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection

from kizuna.channels import all_channels
from kizuna.consent.section import Consent
from kizuna.core import clock, ids
from kizuna.core.errors import Invalid
from kizuna.engine.append import append_statements
from kizuna.engine.moment import Item
from kizuna.engine.slice import Workspace
from kizuna.messages import policy, store
from kizuna.messages.claim import Deferred, Person, Refused, decide, defer
from kizuna.messages.compose import Composed, compose
from kizuna.messages.links import Links, Signer
from kizuna.messages.message import Claimed, Ending
from kizuna.messages.quiet_hours import QuietHours
from kizuna.messages.report import of_deferral, of_sender
from kizuna.profiles.section import Profile
from kizuna.providers import Accepted, Ambiguous, Outcome, Rejected, Unavailable, all_providers, vault
from kizuna.templates import definition

LEASE_SECONDS = 60.0
BACK_OFF_FIRST, BACK_OFF_MOST = 1 * clock.SECOND, 15 * clock.MINUTE

_profile = msgspec.msgpack.Decoder(Profile).decode
_consent = msgspec.msgpack.Decoder(Consent).decode


class Judged(Struct, frozen=True):
    """A claimed message, to whom it goes, and what is to become of it."""

    message: Claimed
    profile: bytes
    verdict: Refused | Deferred | Composed
    at: int


class Desk:
    """What deliveries need to know of the installation."""

    def __init__(self, partitions: int, secrets: Sequence[bytes], public_url: str) -> None:
        self.partitions = partitions
        self.secrets = list(secrets)
        self.signer = Signer(self.secrets)
        self.public_url = public_url
        self._templates = lru_cache(1024)(definition.read_stored)
        self._policies = lru_cache(64)(policy.read_stored)

    @classmethod
    def of(cls, connection: Connection[Any], public_url: str, secret: str) -> Desk:
        with connection.transaction(), connection.cursor(binary=True) as cursor:
            partitions, installed = store.installation(cursor)
        return cls(partitions, vault.secrets_of(installed, secret), public_url)

    def judge(
        self, cursor: Any, workspace: Workspace, messages: Sequence[Claimed], now: int, *, with_text: bool = True
    ) -> list[Judged]:
        """Look at what each claim may refuse for, and compose the rest."""
        vetoes = store.vetoes(cursor, workspace.id)  # first: see there
        people = self._people(cursor, workspace.id, {message.profile for message in messages})
        templates = self._read_templates(cursor, workspace.id, messages)
        if any("segments" in str(body) for body in templates.values()):
            found = store.segments_of(cursor, workspace.id, [person.id for person in people.values()])
            people = {
                asked: msgspec.structs.replace(person, segments=found.get(person.id, []))
                for asked, person in people.items()
            }
        suppressed = store.suppressed(cursor, workspace.id, _addresses(people.values()))
        quiet, neutral = self._ruling(cursor, workspace)
        judged: list[Judged] = []
        for message in messages:
            person = people.get(message.profile)
            at = message.due_at if workspace.clock == "test" else now
            said = vetoes.get(message.profile, set()) | (vetoes.get(person.id, set()) if person else set())
            default = neutral.get(message.topic or "", workspace.consent)
            verdict = decide(message, person, said, suppressed, at, default)
            if isinstance(verdict, str) and person and (wait := defer(message, person, quiet, at, workspace)):
                verdict = wait
            if isinstance(verdict, str):
                assert person is not None  # noqa: S101  # an address belongs to somebody
                body = templates.get((message.template, message.template_version))
                verdict = self._compose(message, person, verdict, body, workspace, at, with_text)
            judged.append(Judged(message, person.id if person else message.profile, verdict, at))
        return judged

    def _ruling(self, cursor: Any, workspace: Workspace) -> tuple[QuietHours | None, dict[str, str]]:
        """The quiet hours that rule, and what `neutral` means for topics that say so."""
        found = store.ruling(cursor, workspace.id)
        neutral = {name: body["default"] for kind, name, body in found if kind == "topic" and "default" in body}
        policies = [self._policies(msgspec.json.encode(body)) for kind, _, body in found if kind == "policy"]
        return policies[0].quiet_hours if policies else None, neutral

    def _compose(
        self,
        message: Claimed,
        person: Person,
        address: str,
        body: bytes | None,
        workspace: Workspace,
        at: int,
        with_text: bool,
    ) -> Composed | Refused:
        try:
            if body is None:
                return Refused("skipped", "template_error")
            links = Links(self.signer, self.public_url, workspace.id, message.id)
            template = self._templates(body)
            return compose(message, person, address, template, workspace, links, at, with_text=with_text)
        except Invalid:
            return Refused("skipped", "template_error")

    def _read_templates(
        self, cursor: Any, workspace: int, messages: Sequence[Claimed]
    ) -> dict[tuple[str, int], bytes | None]:
        wanted = {(message.template, message.template_version) for message in messages}
        found = {key: store.template(cursor, workspace, *key) for key in wanted}
        return {key: msgspec.json.encode(body) if body is not None else None for key, body in found.items()}

    def _people(self, cursor: Any, workspace: int, profiles: set[bytes]) -> dict[bytes, Person]:
        """By the id asked for; merged records lead to the one that lives."""
        rows: dict[bytes, tuple[bytes | None, Any, bytes, bytes]] = {}
        missing = profiles
        while missing:
            found = store.people(cursor, workspace, list(missing))
            rows.update(found)
            missing = {row[0] for row in found.values() if row[0] is not None} - rows.keys()
        people: dict[bytes, Person] = {}
        for asked in profiles:
            living = asked
            for _ in range(100):
                if living not in rows or rows[living][0] is None:
                    break
                living = rows[living][0] or living
            if living in rows:
                people[asked] = _person(living, rows[living])
        return people

    # reports ---------------------------------------------------------------------------------------------------------

    def append(self, cursor: Any, workspace: int, items: Sequence[Item], root: int) -> None:
        """At the end of the transaction. The oldest root stands for all: a reader rather waits too long."""
        for statement in append_statements(workspace, items, self.partitions, root):
            cursor.execute(*statement)
        cursor.execute("NOTIFY kizuna_log")


def _addresses(people: Iterable[Person]) -> list[str]:
    channels = all_channels().values()
    return [found.lower() for person in people for each in channels if (found := each.address(person.traits))]


def _person(profile: bytes, row: tuple[bytes | None, Any, bytes | None, bytes | None]) -> Person:
    _, traits, raw_profile, raw_consent = row
    known = _profile(raw_profile) if raw_profile else Profile()
    return Person(
        id=profile,
        traits=traits,
        consent=_consent(raw_consent) if raw_consent else Consent(),
        known=known,
        locale=known.locale or str(traits.get("locale") or ""),
        zone=known.zone,
    )


# the built-in outbox -------------------------------------------------------------------------------------------------


def deliver_local(
    connection: Connection[Any], desk: Desk, workspace: Workspace, channels: list[str], now: int, limit: int
) -> int:
    """Claim, render, keep and report in one transaction: exactly once. Answers how many messages it took."""
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        messages = store.claim(cursor, workspace.id, channels, now, limit)
        if not messages:
            return 0
        judged = desk.judge(cursor, workspace, messages, now, with_text=False)  # it shows the HTML alone
        sent = [one for one in judged if isinstance(one.verdict, Composed)]
        if sent:
            store.put_in_outbox(cursor, workspace.id, [_outbox_item(one) for one in sent])
            store.keep_contents(cursor, workspace.id, [_content(one) for one in sent])
        store.finish(cursor, workspace.id, [_ending(one) for one in judged])
        reports = [_report(one) for one in judged]
        desk.append(cursor, workspace.id, reports, min(message.root for message in messages))
        return len(messages)


def _ending(one: Judged) -> Ending:
    message = one.message
    if isinstance(one.verdict, Refused):
        state, reason = one.verdict.state, one.verdict.reason
        return Ending(id=message.id, fence=message.fence, state=state, reason=reason, history=[(state, one.at)])
    if isinstance(one.verdict, Deferred):
        return Ending(id=message.id, fence=message.fence, state="planned", due_at=one.verdict.until)
    return Ending(
        id=message.id, fence=message.fence, state="sent", provider="outbox", address=one.verdict.delivery.address,
        attempt=1, history=[("claimed", one.at), ("handed", one.at), ("sent", one.at)],
    )  # fmt: skip


def _report(one: Judged, provider: str = "outbox") -> Item:
    if isinstance(one.verdict, Refused):
        return of_sender(one.message, one.profile, one.verdict.state, one.at, reason=one.verdict.reason)
    if isinstance(one.verdict, Deferred):
        return of_deferral(one.message, one.profile, one.verdict.until, one.at)
    address = one.verdict.delivery.address
    return of_sender(one.message, one.profile, "sent", one.at, address=address, provider=provider)


def _content(one: Judged) -> tuple[bytes, str | None, str, list[str]]:
    assert isinstance(one.verdict, Composed)  # noqa: S101
    return one.message.id, one.verdict.delivery.subject, one.verdict.body, one.verdict.links


def _outbox_item(one: Judged) -> tuple[bytes, int, bytes]:
    assert isinstance(one.verdict, Composed)  # noqa: S101
    delivery, message = one.verdict.delivery, one.message
    item: dict[str, Any] = {
        "message_id": delivery.message,
        "profile": ids.show("prf", one.profile),
        "channel": delivery.channel,
        "to": delivery.address,
        "subject": delivery.subject,
        "body": one.verdict.body,
        "headers": {
            "To": delivery.address,
            "Subject": delivery.subject,
            "Message-ID": f"<{delivery.message}@kizuna.invalid>",
            **delivery.headers,
        },
        "template": message.template,
        "step": message.step,
    }
    for name in ("journey", "campaign", "variant"):
        if value := getattr(message, name):
            item[name] = value
    return message.id, one.at, msgspec.json.encode(item)


# over a network ------------------------------------------------------------------------------------------------------


def deliver_remote(
    connection: Connection[Any],
    desk: Desk,
    workspace: Workspace,
    channel: str,
    now: int,
    *,
    lease: float = LEASE_SECONDS,
    checkpoint: Callable[[str], None] = lambda _: None,
) -> Outcome | None:
    """One message: write down the hand-over, touch the network, write down the outcome. None: nothing was due.

    `checkpoint` hears the name of each point at which a crash means something else.
    """
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        messages = store.claim(cursor, workspace.id, [channel], now, 1)
        carrier = store.providers(cursor, workspace.id).get(channel)
        if not messages or carrier is None:
            return None
        one = desk.judge(cursor, workspace, messages, now)[0]
        if not isinstance(one.verdict, Composed):
            store.finish(cursor, workspace.id, [_ending(one)])
            desk.append(cursor, workspace.id, [_report(one)], one.message.root)
            return Rejected("not handed over")
        store.keep_contents(cursor, workspace.id, [_content(one)])
        address = one.verdict.delivery.address
        store.hand(cursor, one.message, carrier["name"], address, one.at, lease)
    checkpoint("handed")
    outcome = _carry(desk, workspace, carrier, one.verdict)
    checkpoint("carried")
    message = msgspec.structs.replace(
        one.message, fence=one.message.fence + 1, attempts=one.message.attempts + 1
    )  # as `hand` wrote them
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        _conclude(cursor, desk, workspace, msgspec.structs.replace(one, message=message), carrier["name"], outcome)
    return outcome


def _carry(desk: Desk, workspace: Workspace, carrier: dict[str, Any], composed: Composed) -> Outcome:
    provider = all_providers().get(carrier["kind"])
    if provider is None:
        return Unavailable(f"this release knows no provider {carrier['kind']!r}")
    try:
        values = dict(carrier.get("settings") or {})
        if carrier.get("sealed"):
            values |= vault.unseal_any(desk.secrets, workspace.id, carrier["sealed"])
        settings = msgspec.convert(values, provider.settings)
    except (Invalid, msgspec.ValidationError) as error:
        return Unavailable(str(error))
    return provider.deliver(composed.delivery, settings)


def _conclude(cursor: Any, desk: Desk, workspace: Workspace, one: Judged, provider: str, outcome: Outcome) -> None:
    message, at = one.message, one.at
    assert isinstance(one.verdict, Composed)  # noqa: S101
    address = one.verdict.delivery.address
    again = at + back_off(message.attempts) if isinstance(outcome, Unavailable) else None
    if isinstance(outcome, Unavailable) and outcome.retry_after:
        again = at + max(outcome.retry_after, 1) * clock.SECOND
    state, reason, reports = "planned", None, list[Item]()
    match outcome:
        case Accepted():
            state = "sent"
            reports = [of_sender(message, one.profile, "sent", at, address=address, provider=provider)]
        case Rejected(reason=why, bounce=bounce):
            state, reason = "rejected", why
            reports = [of_sender(message, one.profile, "rejected", at, address=address, reason=why)]
            if bounce is not None:
                bounced = {"address": address, "class": bounce, "reason": why}
                reports.append(of_sender(message, one.profile, "bounced", at, **bounced))
        case Ambiguous(reason=why):
            if message.transactional:
                again = at + back_off(message.attempts)  # at least once, under the same Message-ID
            else:
                state, reason = "unknown", why
                reports = [of_sender(message, one.profile, "unknown", at, reason=why)]
        case Unavailable():
            pass
    ending = Ending(
        id=message.id, fence=message.fence, state=state, reason=reason, provider=provider, address=address,
        due_at=again, history=[(state, at)],
    )  # fmt: skip
    ours = store.finish(cursor, workspace.id, [ending])
    if ours and reports:
        desk.append(cursor, workspace.id, reports, message.root)


def back_off(attempts: int) -> int:
    """Doubling with full jitter; the row's `expires_at` ends it."""
    most = min(BACK_OFF_FIRST << min(attempts - 1, 20), BACK_OFF_MOST)
    return random.randint(most // 4, most)  # noqa: S311  # spreads load, hides nothing


def recover(connection: Connection[Any], desk: Desk, limit: int = 200) -> int:
    """After a crash: marketing between hand-over and answer is `unknown` for ever, transactional is sent again."""
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        lost = store.overdue(cursor, limit)
        for workspace in sorted({message.workspace for message in lost}):
            messages = [message for message in lost if message.workspace == workspace]
            now = store.now(cursor, workspace)
            endings = [_lost(message, now) for message in messages]
            store.finish(cursor, workspace, endings)
            gone = [message for message in messages if not message.transactional]
            reports = [of_sender(message, message.profile, "unknown", now, reason="sender_lost") for message in gone]
            if reports:
                desk.append(cursor, workspace, reports, min(message.root for message in gone))
        return len(lost)


def _lost(message: Claimed, now: int) -> Ending:
    state, reason = ("planned", None) if message.transactional else ("unknown", "sender_lost")
    return Ending(id=message.id, fence=message.fence, state=state, reason=reason, history=[(state, now)])
