"""What reaches the folds of a profile: parked, forwarded and future items do not, until their time."""

from __future__ import annotations

import bisect
from collections.abc import Mapping

from kizuna.engine.folder import Folder
from kizuna.engine.moment import RULING, Moment
from kizuna.engine.record import decoder_of, encode_section
from kizuna.engine.slice import Record, Scope, Section
from kizuna.profiles import identity
from kizuna.profiles.section import Profile, Waiting

ACTS_AT_ITS_TIME = frozenset(("track", "page", "screen"))


class ProfileGate:
    """Joins profiles: asks for an unmet anonymous id, parks what comes meanwhile, forwards what comes after."""

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
        if profile.merged_into:
            waited = _waiting(moment, scope.record)
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
        unmet = identity.id_to_join(moment, profile)
        if unmet:
            self._ask(unmet, moment, profile, scope)
            return None
        if moment.timestamp > moment.at and moment.type in ACTS_AT_ITS_TIME:
            self._keep_for_later(moment, profile, scope)
            return None
        return moment

    def _ask(self, anonymous_id: str, moment: Moment, profile: Profile, scope: Scope) -> None:
        profile.met.append(anonymous_id)
        profile.waiting_for = anonymous_id
        profile.parked.append(_waiting(moment, scope.record))
        scope.record.touch("profiles")
        scope.relay(identity.link_item(scope.workspace.id, anonymous_id, scope.record.id, moment.id, moment.at))

    def _answer(self, moment: Moment, profile: Profile, scope: Scope) -> None:
        """Hand this record over and become a pointer; an id that is another's is refused. Never waits."""
        asked = identity.read_link(moment)
        record = scope.record
        if profile.merged_into or profile.user_id or profile.waiting_for:
            answer = identity.Absorb(asked.anonymous_id, refused=True)
        else:
            is_empty = record.is_new and not record.touched  # new may also be what this batch has folded already
            kept = ("profiles",) if is_empty else self.sections  # a join is a fact even when empty
            sections = {name: encode_section(record[name]) for name in kept}
            answer = identity.Absorb(asked.anonymous_id, record.created_at, record.seen_at, sections)
            for name, kind in self.sections.items():
                record.sections[name] = kind()
                record.touch(name)
            record["profiles"].merged_into = asked.survivor
        scope.relay(identity.absorb_item(asked.survivor, answer, moment.id, moment.at))

    def _absorb(self, moment: Moment, profile: Profile, scope: Scope, folder: Folder) -> None:
        """Take the answer, then fold what was parked on the united state, each item at its own instant."""
        answer = identity.read_absorb(moment)
        record = scope.record
        if profile.waiting_for != answer.anonymous_id:
            return
        profile.waiting_for = ""
        record.touch("profiles")
        scope.restart(profile.parked[0].at if profile.parked else moment.at, moment.root, moment.id)
        if answer.refused:
            scope.count("identity:refused")
        else:
            if answer.anonymous_id not in profile.anonymous_ids:
                profile.anonymous_ids.append(answer.anonymous_id)
            if answer.created_at:
                record.created_at = min(record.created_at or answer.created_at, answer.created_at)
                record.seen_at = max(record.seen_at, answer.seen_at)
            folder.absorb(
                scope,
                {name: self.decoders[name](raw) for name, raw in answer.sections.items()},
            )
        folder.set_wake(record)
        while profile.parked and not profile.waiting_for:
            waited = profile.parked.pop(0)
            folder.advance(_release(waited), scope)
        scope.restart(moment.at, moment.root, moment.id)

    def _keep_for_later(self, moment: Moment, profile: Profile, scope: Scope) -> None:
        bisect.insort(profile.future, _waiting(moment, scope.record), key=lambda kept: kept.item.timestamp)
        profile.wake_at = profile.future[0].item.timestamp
        scope.record.touch("profiles")


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
