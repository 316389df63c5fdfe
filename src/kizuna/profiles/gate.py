"""What reaches the folds of a profile: parked, forwarded and future items do not, until their time."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping
from typing import cast

from kizuna.core import ids
from kizuna.engine.folder import Folder
from kizuna.engine.moment import RULING, Moment
from kizuna.engine.record import decoder_of, encode_section
from kizuna.engine.slice import Record, Scope, Section
from kizuna.profiles import identity
from kizuna.profiles.device import SHOWN, moved_item, read_shown
from kizuna.profiles.identity import Absorb, Claim, Link, Meet
from kizuna.profiles.section import Profile, Waiting

MOST_CLAIMED = 100  # external ids of one profile
MOST_REFUSED = 20  # ids of one profile whose refusal is recorded; more are only counted
ACTS_AT_ITS_TIME = frozenset(("track", "page", "screen"))


class ProfileGate:
    """Joins profiles: asks for an unmet id, parks what comes meanwhile, forwards what comes after."""

    # Only known profiles wait: anonymous ones and the records of external ids answer at once, so there is no ring.

    def __init__(self, sections: Mapping[str, type[Section]]) -> None:
        self.sections = sections
        self.decoders = {name: decoder_of(kind) for name, kind in sections.items()}

    def is_parked(self, record: Record) -> bool:
        return bool(record["profiles"].waiting_for)

    def admit(self, moment: Moment, scope: Scope, folder: Folder) -> Moment | None:
        profile: Profile = scope.record["profiles"]
        if moment.type == "absorb":
            self._absorb(moment, profile, scope, folder)
            return None
        if moment.type == "link":
            self._answer(moment, profile, scope)
            return None
        if moment.type == "claim":
            _tell_holder(moment, profile, scope)
            return None
        if moment.type == SHOWN:
            _note_holder(moment, profile, scope)
            return None
        if profile.merged_into:
            is_sent_on = moment.type == "forward"  # it stays as it was first said, however far it goes
            waited = identity.read_waiting(moment) if is_sent_on else _waiting(moment, scope.record)
            scope.relay(identity.forward_item(profile.merged_into, waited))
            return None
        if moment.type == "forward":
            moment = identity.read_forward(moment)
            scope.cause = moment.id
            if moment.item.user_id or moment.item.anonymous_id:  # said by the customer
                scope.record.seen_at = max(scope.record.seen_at, min(moment.timestamp, moment.at))
        if profile.waiting_for:
            profile.parked.append(_waiting(moment, scope.record))
            scope.record.touch("profiles")
            return None
        if moment.type == "meet":
            self._meet(moment, profile, scope, folder)
            return None
        unmet = identity.id_to_join(moment, profile)
        reason = identity.refusal(unmet, moment.item.user_id, profile, moment.at) if unmet else ""
        if reason:
            _refuse(("anonymous_id", unmet), reason, scope, folder)
        elif unmet:
            self._ask(unmet, moment, profile, scope)
            return None
        if moment.timestamp > moment.at and moment.type in ACTS_AT_ITS_TIME:
            self._keep_for_later(moment, profile, scope)
            return None
        return None if self._claim(moment, profile, scope, folder) else moment

    def _ask(self, anonymous_id: str, moment: Moment, profile: Profile, scope: Scope) -> None:
        _note_met(profile, anonymous_id, moment.at)
        _park(anonymous_id, moment, profile, scope)
        asked = ids.profile_id(scope.workspace.id, "anon", anonymous_id)
        scope.relay(identity.link_item(asked, Link(anonymous_id, scope.record.id), moment.id, moment.at))

    def _claim(self, moment: Moment, profile: Profile, scope: Scope, folder: Folder) -> bool:
        """Say which external ids it goes by; whether it must wait until it has what another knew by one."""
        user_id = moment.item.user_id or profile.user_id
        for named in identity.ids_to_claim(moment, profile):
            own = "" if user_id else _own_name(scope, (*profile.anonymous_ids, moment.item.anonymous_id))
            reason = identity.refusal(named[1], user_id or own, profile, moment.at)
            if reason:
                _refuse(named, reason, scope, folder)
            elif len(profile.claimed) < MOST_CLAIMED:
                profile.claimed.append(named)
                profile.refused = [each for each in profile.refused if each != named]  # for a limit, a while ago
                scope.record.touch("profiles")
                claim = Claim(named, scope.record.id, own)
                scope.relay(identity.claim_item(scope.workspace.id, claim, moment.id, moment.at))
                if user_id:
                    _park(identity.waits_for(named), moment, profile, scope)
                    return True
        return False

    def _meet(self, moment: Moment, profile: Profile, scope: Scope, folder: Folder) -> None:
        """Another anonymous profile is this one: take it over, or be taken over by it."""
        record, asked = scope.record, identity.read_meet(moment)
        if asked.other == record.id or asked.anonymous_id in profile.met:
            return
        if not profile.user_id:
            own = _own_name(scope, profile.anonymous_ids)
            if record.id > asked.other:
                self._hand_over(Link(own, asked.other), moment, scope, is_asked=False)
            else:
                scope.relay(identity.meet_item(asked.other, Meet(record.id, own), moment.id, moment.at))
            return
        reason = identity.refusal(asked.anonymous_id, profile.user_id, profile, moment.at)
        if reason:
            _refuse(("anonymous_id", asked.anonymous_id), reason, scope, folder)
        else:
            self._ask(asked.anonymous_id, moment, profile, scope)

    def _answer(self, moment: Moment, profile: Profile, scope: Scope) -> None:
        """Hand this record over and become a pointer; an id that is another's is refused. Never waits."""
        asked = identity.read_link(moment)
        if profile.merged_into:
            scope.relay(identity.link_item(profile.merged_into, asked, moment.id, moment.at))
        elif profile.user_id or profile.waiting_for:
            is_own = scope.record.id == asked.survivor  # it was joined to the one that asks already
            answer = Absorb(asked.anonymous_id, refused=not is_own, waits_for=asked.waits_for)
            scope.relay(identity.absorb_item(asked.survivor, answer, moment.id, moment.at))
        else:
            self._hand_over(asked, moment, scope)

    def _hand_over(self, asked: Link, moment: Moment, scope: Scope, *, is_asked: bool = True) -> None:
        record = scope.record
        is_empty = record.is_new and not record.touched  # new may also be what this batch has folded already
        kept = ("profiles",) if is_empty else self.sections  # a join is a fact even when empty
        sections = {name: encode_section(record[name]) for name in kept}
        answer = Absorb(
            asked.anonymous_id, record.created_at, record.seen_at, sections, waits_for=asked.waits_for,
            merged=record.id, is_asked=is_asked,
        )  # fmt: skip
        for name, kind in self.sections.items():
            record.sections[name] = kind()
            record.touch(name)
        record["profiles"].merged_into = asked.survivor
        scope.relay(identity.absorb_item(asked.survivor, answer, moment.id, moment.at))

    def _absorb(self, moment: Moment, profile: Profile, scope: Scope, folder: Folder) -> None:
        """Take the answer, then fold what was parked on the united state, each item at its own instant."""
        answer = identity.read_absorb(moment)
        record = scope.record
        if profile.merged_into:  # it was given to this one, which was taken over itself meanwhile
            scope.relay(identity.absorb_item(profile.merged_into, answer, moment.id, moment.at))
            return
        if answer.is_asked:
            if profile.waiting_for != (answer.waits_for or answer.anonymous_id):
                return
            profile.waiting_for = ""
        record.touch("profiles")
        waited_since = profile.parked[0].at if answer.is_asked and profile.parked else moment.at
        scope.restart(waited_since, moment.root, moment.id)
        if answer.refused:
            by_external = identity.read_waits_for(answer.waits_for) if answer.waits_for else None
            named = by_external or ("anonymous_id", answer.anonymous_id)
            _refuse(named, identity.OTHER_CUSTOMER, scope, folder)
        else:
            if answer.anonymous_id and answer.anonymous_id not in profile.anonymous_ids:
                profile.anonymous_ids.append(answer.anonymous_id)
            if answer.merged and answer.anonymous_id not in profile.met:
                _note_met(profile, answer.anonymous_id, moment.at)
            if answer.created_at:
                record.created_at = min(record.created_at or answer.created_at, answer.created_at)
                record.seen_at = max(record.seen_at, answer.seen_at)
            sections = {name: self.decoders[name](raw) for name, raw in answer.sections.items()}
            if answer.merged:
                cast("Profile", sections["profiles"]).merged_into = answer.merged  # says whose it was
            folder.absorb(scope, sections)
        folder.set_wake(record)
        while profile.parked and not profile.waiting_for:
            waited = profile.parked.pop(0)
            folder.advance(_release(waited), scope)
        scope.restart(moment.at, moment.root, moment.id)

    def _keep_for_later(self, moment: Moment, profile: Profile, scope: Scope) -> None:
        bisect.insort(profile.future, _waiting(moment, scope.record), key=lambda kept: kept.item.timestamp)
        profile.wake_at = profile.future[0].item.timestamp
        scope.record.touch("profiles")


def _refuse(named: tuple[str, str], reason: str, scope: Scope, folder: Folder) -> None:
    """Nobody is joined: said once for each id, and counted each time."""
    scope.count("identity:refused")
    profile: Profile = scope.record["profiles"]
    if named in profile.refused or len(profile.refused) >= MOST_REFUSED:
        return
    profile.refused.append(named)
    scope.record.touch("profiles")
    fact = scope.emit("identity_refused", {"type": named[0], "id": named[1], "reason": reason})
    scope.emitted = []
    outer, scope.cause = scope.cause, fact.id
    folder.take(Moment(fact, scope.now, scope.root), scope)
    scope.cause = outer


def _park(waits_for: str, moment: Moment, profile: Profile, scope: Scope) -> None:
    """In front of what came after it, for it may have been parked before, for another id."""
    profile.waiting_for = waits_for
    profile.parked.insert(0, _waiting(moment, scope.record))
    scope.record.touch("profiles")


def _own_name(scope: Scope, names: Iterable[str]) -> str:
    return identity.own_name(scope.record.id, scope.workspace.id, names)


def _note_met(profile: Profile, anonymous_id: str, at: int) -> None:
    profile.met.append(anonymous_id)
    profile.met_at = [*profile.met_at, at][-identity.MAX_MONTHLY :]


def _tell_holder(moment: Moment, profile: Profile, scope: Scope) -> None:
    """At the record of an external id: the first who claims it holds it, whoever claims it later is the same person."""
    claim = identity.read_claim(moment)
    scope.record.touch("profiles")
    if not profile.merged_into:
        profile.merged_into = claim.by
        profile.anonymous_ids = [claim.anonymous_id] if claim.anonymous_id else []
    holder, is_own = profile.merged_into, profile.merged_into == claim.by
    if claim.anonymous_id:
        if not is_own and identity.refusal(claim.anonymous_id, claim.anonymous_id, profile, moment.at):
            scope.count("identity:refused")  # one id that so many share is nobody's
        elif not is_own:
            _note_met(profile, claim.anonymous_id, moment.at)
            meet = Meet(claim.by, claim.anonymous_id)
            scope.relay(identity.meet_item(holder, meet, moment.id, moment.at))
        return
    waits_for = identity.waits_for(claim.named)
    if profile.anonymous_ids and not is_own:  # whoever that has become says whether it may be taken over
        link = Link(profile.anonymous_ids[0], claim.by, waits_for)
        scope.relay(identity.link_item(holder, link, moment.id, moment.at))
        return
    answer = Absorb("", refused=not is_own, waits_for=waits_for)
    scope.relay(identity.absorb_item(claim.by, answer, moment.id, moment.at))


def _note_holder(moment: Moment, profile: Profile, scope: Scope) -> None:
    """At the record of a device: it is with the profile that showed it last, and with no other."""
    holder, before = read_shown(moment.item.properties), profile.merged_into
    if before == holder.by:
        return
    profile.merged_into = holder.by
    scope.record.touch("profiles")
    if before:
        scope.relay(moved_item(before, holder, moment.id, moment.at))


def let_through(profile: Profile, scope: Scope) -> None:
    """Future items whose time has come happen now."""
    while profile.future and profile.future[0].item.timestamp <= scope.now:
        waited = profile.future.pop(0)
        moment = _release(waited)
        moment.at = waited.item.timestamp
        scope.again.append(moment)
        scope.record.seen_at = max(scope.record.seen_at, waited.item.timestamp)
    profile.wake_at = profile.future[0].item.timestamp if profile.future else 0
    scope.record.touch("profiles")


def _waiting(moment: Moment, record: Record) -> Waiting:
    program = record.program if moment.program == RULING else moment.program
    return Waiting(moment.item, moment.at, moment.root, moment.arrival & 4095, program)


def _release(waited: Waiting) -> Moment:
    moment = Moment(waited.item, waited.at, waited.root, waited.index)
    moment.program = waited.program
    return moment
