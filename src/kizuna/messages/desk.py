"""What becomes of claimed messages: to whom each goes, whether it still may, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import msgspec
import structlog
from msgspec import Struct
from psycopg import Connection

from kizuna.channels import InPage, address_of, all_channels, key_of
from kizuna.consent.section import Consent
from kizuna.consent.terms import Sender
from kizuna.core import ids
from kizuna.core.errors import Invalid
from kizuna.engine.append import append_statements
from kizuna.engine.moment import Item
from kizuna.engine.record import decoder_of
from kizuna.engine.slice import Workspace
from kizuna.messages import policy, sql_halves, sql_sending
from kizuna.messages.claim import DUPLICATE, Deferred, Person, Refused, decide, defer
from kizuna.messages.compose import Composed, as_brought, compose
from kizuna.messages.draft import Draft, Parsed
from kizuna.messages.fetching import IN_LINE_SECONDS, Fetching, Waiting
from kizuna.messages.links import Links, Signer
from kizuna.messages.message import Claimed
from kizuna.messages.policy import Policy
from kizuna.messages.rehearsal import sample_of, shown_as
from kizuna.messages.supply import Supply, in_rounds
from kizuna.profiles.section import Profile
from kizuna.providers import vault
from kizuna.providers.http import Outside
from kizuna.templates import blocks, definition
from kizuna.templates.extra_tags import Aborted
from kizuna.templates.lookups import Lookups, Missing
from kizuna.templates.variables import locale_of

MOST_TEMPLATES = 1_000
_NOTHING: frozenset[tuple[str, str]] = frozenset()
_profile = decoder_of(Profile)
_consent = decoder_of(Consent)
log = structlog.get_logger()


class Judged(Struct, frozen=True):
    """A claimed message, to whom it goes, and what is to become of it."""

    message: Claimed
    profile: bytes
    verdict: Refused | Deferred | Composed
    at: int


class Judgement(Struct, frozen=True):
    """Of a batch: what is decided, and what waits for the answers of other servers, which are asked after the commit.
    What is in neither is left as it was."""

    decided: list[Judged]
    waiting: list[Waiting]


# Which drafts need not be worded, and what is to become of them instead.
Hold = Callable[[Sequence[Draft]], Mapping[bytes, Refused | Deferred]]


class Desk:
    """What deliveries need to know of the installation."""

    def __init__(
        self,
        partitions: int,
        secrets: Sequence[bytes],
        public_url: str,
        outside: Outside | None = None,
        fetching: Fetching | None = None,
    ) -> None:
        self.partitions = partitions
        self.secrets = list(secrets)
        self.signer = Signer(self.secrets)
        self.public_url = public_url
        self.outside = outside  # connections to HTTP APIs; None: each delivery its own
        self.fetching = fetching  # asks servers that templates name; None: nobody does
        if fetching is not None:
            fetching.secrets = self.secrets
        self._parsed: dict[tuple[int, str, int], Parsed] = {}  # versions never change: read once
        self._policies = lru_cache(64)(policy.read_stored)

    @classmethod
    def of(
        cls,
        connection: Connection[Any],
        public_url: str,
        secret: str,
        outside: Outside | None = None,
        fetching: Fetching | None = None,
    ) -> Desk:
        with connection.transaction(), connection.cursor(binary=True) as cursor:
            partitions, installed = sql_sending.installation(cursor)
        return cls(partitions, vault.secrets_of(installed, secret), public_url, outside, fetching)

    def judge(
        self, cursor: Any, workspace: Workspace, claims: Sequence[sql_sending.Claim], now: int, hold: Hold | None = None
    ) -> Judgement:
        """Look at what each claim may refuse for, and at what is to be held, and compose the rest."""
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
        ruling, neutral, has_codes = self._ruling(cursor, workspace)
        sender, utm = (ruling.terms.sender, ruling.utm) if ruling is not None else (None, None)
        halves = {
            message.id: person.id
            for message, _, _ in claims
            if (person := people.get(message.profile)) and person.id != message.profile
        }
        seconds = sql_halves.second_halves(cursor, workspace.id, halves) if halves else set[bytes]()
        verdicts: dict[bytes, Refused | Deferred | Composed] = {}
        drafts: list[Draft] = []
        for message, _, _ in claims:
            person = people.get(message.profile)
            at = message.due_at if workspace.clock == "test" else now
            said = vetoes.get(message.profile, _NOTHING)
            if person is not None and person.id != message.profile:
                said = said | vetoes.get(person.id, _NOTHING)
            default = neutral.get(message.topic or "", workspace.consent) if neutral else workspace.consent
            if ruling is not None and person is not None:
                default = ruling.terms.neutral(default, message.channel, message.topic, person.traits)
            verdict = decide(message, person, said, suppressed, at, default)
            if message.id in seconds and isinstance(verdict, str):
                verdict = Refused("skipped", DUPLICATE)
            if isinstance(verdict, str) and person and (wait := defer(message, person, ruling, at, workspace)):
                verdict = wait
            if isinstance(verdict, str):
                assert person is not None  # noqa: S101  # an address belongs to somebody
                parsed = templates.get((message.template, message.template_version))
                drafts.append(Draft(message, person, verdict, parsed, at))
            else:
                verdicts[message.id] = verdict
        if hold is not None and (held := hold(drafts)):
            verdicts |= held
            drafts = [each for each in drafts if each.message.id not in held]
        supply = Supply(cursor, workspace, self.fetching)
        verdicts |= in_rounds(
            drafts, lambda each, found: self._compose(each, partials, workspace, sender, utm, found), supply
        )
        decided: list[Judged] = []
        for message, _, _ in claims:
            if message.id in verdicts:
                person = people.get(message.profile)
                at = message.due_at if workspace.clock == "test" else now
                decided.append(Judged(message, person.id if person else message.profile, verdicts[message.id], at))
        if has_codes and (gone := [one.message.id for one in decided if isinstance(one.verdict, Refused)]):
            supply.release(gone)
        return Judgement(decided, supply.let_wait(IN_LINE_SECONDS))

    def _ruling(self, cursor: Any, workspace: Workspace) -> tuple[Policy | None, dict[str, str], bool]:
        """The policy that rules, what `neutral` means for topics that say so, and whether there are promotions."""
        found = sql_sending.ruling(cursor, workspace.id)
        neutral = {name: body["default"] for kind, name, body in found if kind == "topic" and "default" in body}
        policies = [self._policies(msgspec.json.encode(body)) for kind, _, body in found if kind == "policy"]
        has_codes = any(kind == "promotion" for kind, _, _ in found)
        return policies[0] if policies else None, neutral, has_codes

    def _compose(
        self,
        draft: Draft,
        partials: dict[str, definition.Template],
        workspace: Workspace,
        sender: Sender | None,
        utm: Mapping[str, str] | None,
        lookups: Lookups,
    ) -> Composed | Refused:
        """Raises `Missing`."""
        message, parsed = draft.message, draft.parsed
        if message.is_answer or not message.template:
            return as_brought(message, draft.address)
        if parsed is None:
            return Refused("skipped", "template_error")
        try:
            links = Links(self.signer, self.public_url, workspace.id, message.id)
            used = partials if parsed.blocks else None
            person, address, at = draft.person, draft.address, draft.at
            return compose(message, person, address, parsed.template, workspace, links, at, used, sender, lookups, utm)
        except Aborted as aborted:
            return Refused("skipped", aborted.reason)
        except Invalid:
            return Refused("skipped", "template_error")
        except Missing:
            raise
        except Exception:  # whatever it is: one message must not keep all others from going
            log.exception("message_failed", workspace=workspace.id, message=ids.show("msg", message.id))
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
        if samples := {sample[0] for claim in claims if (sample := sample_of(claim.message))}:
            rows.update(sql_sending.people(cursor, workspace, list(samples)))
        if missing := {row[0] for row in rows.values() if row[0] is not None} - rows.keys():
            for profile, said in sql_sending.vetoes(cursor, workspace).items():  # before the records, as the claim did
                vetoes.setdefault(profile, set()).update(said)
            while missing:
                found = sql_sending.people(cursor, workspace, list(missing))
                rows.update(found)
                missing = {row[0] for row in found.values() if row[0] is not None} - rows.keys()
        people: dict[bytes, Person] = {}
        for profile in asked:
            if (living := _living(rows, profile)) in rows:
                people[profile] = _person(living, rows[living])
        for claim in claims:
            if claim.message.to is not None:  # said to an address: it needs no record
                people.setdefault(claim.message.profile, _of_address(claim.message, rows))
        return vetoes, people

    def fetch(self, workspace: Workspace, waiting: Sequence[Waiting]) -> None:
        """After the commit: ask the servers that messages wait for."""
        if waiting and self.fetching is not None:
            self.fetching.start(workspace.id, waiting)

    # reports ---------------------------------------------------------------------------------------------------------

    def append(self, cursor: Any, workspace: int, items: Sequence[Item], root: int) -> None:
        """At the end of the transaction; who commits it tells `kizuna_log`. The oldest root stands for all: a reader
        rather waits too long."""
        for statement in append_statements(workspace, items, self.partitions, root):
            cursor.execute(*statement)


def _readable(found: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, definition.Template]:
    made: dict[str, definition.Template] = {}
    for name, body in found:
        with suppress(Invalid):
            made[name] = definition.read(body)
    return made


def _addresses(people: Iterable[Person], claims: Iterable[sql_sending.Claim]) -> list[str]:
    """The keys by which what they are reached at may be suppressed."""
    known = [each for each in all_channels().values() if not isinstance(each, InPage)]  # nobody can suppress a page
    found = [(each.name, address_of(each, one.traits, one.known.devices)) for one in people for each in known]
    found += [(claim.message.channel, claim.message.to) for claim in claims]
    return [key_of(channel, address) for channel, address in found if address]


def _living(rows: Mapping[bytes, sql_sending.PersonRow], profile: bytes) -> bytes:
    """Whom a record was merged into, as far as `rows` say."""
    for _ in range(100):
        if profile not in rows or rows[profile][0] is None:
            break
        profile = rows[profile][0] or profile
    return profile


def _of_address(message: Claimed, rows: Mapping[bytes, sql_sending.PersonRow]) -> Person:
    """Nobody who chose anything: with the traits of a test, or those that the sample of a copy has now."""
    sample = sample_of(message)
    if sample is None:
        traits = shown_as(message)
        return Person(id=message.profile, traits=traits, consent=Consent(), locale=locale_of(traits, Profile()))
    row = rows.get(_living(rows, sample[0]))
    shown = _person(message.profile, row) if row else Person(id=message.profile, traits={}, consent=Consent())
    return Person(id=shown.id, traits=shown.traits, consent=Consent(), locale=sample[1], zone=shown.zone)


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
