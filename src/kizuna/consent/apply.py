"""Acts of consent taken into a record: what stands then, what is kept as its proof, and when it runs out. Pure."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from kizuna.consent.decide import OPTED_IN, OPTED_OUT, STATES
from kizuna.consent.law import EXPRESS
from kizuna.consent.proof import KeepProof
from kizuna.consent.section import Asked, Consent, key_of, said_state, standing
from kizuna.consent.standing import NEUTRAL, PENDING, Act, Standing
from kizuna.consent.terms import Terms
from kizuna.core import clock, exact_json, ids
from kizuna.core.clock import DAY
from kizuna.engine.moment import Moment
from kizuna.engine.slice import Scope

ASKED_WITHIN = 30 * DAY  # confirmations are counted so long


class Choice(Struct, frozen=True):
    """One act as it came in. `until` is when an opt-in runs out by itself, 0 for never."""

    channel: str
    topic: str
    state: str
    source: str
    proof: Any = None
    basis: str = EXPRESS
    until: int = 0

    @property
    def is_proven(self) -> bool:
        """Whether it may undo an opt-out. Who was only asked has not answered yet."""
        return bool(self.proof) and self.state != PENDING


def apply(choice: Choice, moment: Moment, scope: Scope) -> None:
    mine: Consent = scope.record["consent"]
    if not choice.channel or "/" in choice.channel or choice.state not in STATES:
        return
    before = said_state(mine, choice.channel, choice.topic)
    stood = standing(mine, choice.channel, choice.topic)
    act = _act(choice, moment, stood, before, scope)
    stands = stood.take(act, is_proven=choice.is_proven)
    if stands == stood:
        return
    _set(mine, choice.channel, choice.topic, stands, scope.now)
    _forget_asking(mine, choice, stands)
    if choice.is_proven and stands.state != OPTED_OUT and mine.suppressed.get(choice.channel) == "complaint":
        del mine.suppressed[choice.channel]
    scope.record.touch("consent")
    after = said_state(mine, choice.channel, choice.topic)
    if before != after:
        announce(scope, choice.channel, choice.topic, after, choice.source)


def _act(choice: Choice, moment: Moment, stood: Standing, before: str, scope: Scope) -> Act:
    """With a row that proves it, unless it only repeats what stands (then that has one) or is no evidence: an opt-in
    after an opt-out, without a proof."""
    until = choice.until or _runs_out(choice, moment.timestamp, scope)
    act = Act(moment.timestamp, max(moment.arrival, stood.next_arrival), choice.state, until=until)
    rules = stood.rules
    if rules is not None and act.place > rules.place and not choice.is_proven:
        if before == choice.state and not until:
            return msgspec.structs.replace(act, proof=rules.proof)
        if rules.state == OPTED_OUT:
            return act
    act = msgspec.structs.replace(act, proof=_proof_id(choice, moment, scope))
    scope.ask(_row(choice, act, moment, scope))
    return act


def join(given: Consent, scope: Scope) -> None:
    """As if all had been said to one customer; suppressions unite."""
    mine: Consent = scope.record["consent"]
    parts = {*_parts(given), *_parts(mine)}
    for channel, topic in sorted(parts):
        ours = said_state(mine, channel, topic)
        stands = standing(mine, channel, topic).joined(standing(given, channel, topic))
        _set(mine, channel, topic, stands, scope.now)
        after = said_state(mine, channel, topic)
        if after != ours:
            announce(scope, channel, topic, after, "merge")
    _join_asking(mine, given)
    for channel, reason in given.suppressed.items():
        mine.suppressed.setdefault(channel, reason)
        if channel in given.suppressed_address:
            mine.suppressed_address.setdefault(channel, given.suppressed_address[channel])
    if parts or given.suppressed:
        scope.record.touch("consent")


def _join_asking(mine: Consent, given: Consent) -> None:
    """Who was asked under either record may answer, unless the other record knows the answer already."""
    for key in {*mine.asked, *given.asked}:
        both = [section.asked[key] for section in (mine, given) if key in section.asked]
        times = tuple(sorted({at for each in both for at in each.times}))
        channel, _, topic = key.partition("/")
        rules = standing(mine, channel, topic).rules
        is_answered = rules is not None and (
            rules.state == OPTED_IN or (rules.state == OPTED_OUT and rules.at > times[-1])
        )
        if is_answered:
            mine.asked.pop(key, None)
        else:
            mine.asked[key] = Asked(max(each.until for each in both), times)


def lapse(scope: Scope) -> None:
    """Opt-ins whose time is over are neutral again, by name; every claim refuses them all the same."""
    mine: Consent = scope.record["consent"]
    for channel, topic in sorted(_parts(mine)):
        stands = standing(mine, channel, topic)
        if stands.has_lapsed(scope.now) and said_state(mine, channel, topic) != NEUTRAL:
            _set(mine, channel, topic, stands, scope.now)
            announce(scope, channel, topic, NEUTRAL, "expired")
    _wake_for_lapses(mine, scope.now)
    scope.record.touch("consent")


def ask_to_confirm(choice: Choice, moment: Moment, scope: Scope, terms: Terms) -> None:
    """A confirmation is to be sent, unless they are in already or were asked too often."""
    mine: Consent = scope.record["consent"]
    double = terms.double_opt_in
    stands = standing(mine, choice.channel, choice.topic)
    if double is None or stands.state_at(scope.now) == OPTED_IN:
        return
    apply(choice, moment, scope)
    key = key_of(choice.channel, choice.topic)
    about = {"channel": choice.channel, "topic": choice.topic or None, "source": choice.source}
    asked = mine.asked.get(key)
    recent = tuple(at for at in asked.times if at > scope.now - ASKED_WITHIN) if asked else ()
    if len(recent) >= double.most:
        scope.emit("consent_not_asked", {**about, "reason": "asked_often"})
        return
    until = clock.after(scope.now, double.expires, scope.workspace.zone)
    mine.asked[key] = Asked(until, (*recent, scope.now))
    scope.record.touch("consent")
    more = {"proof": choice.proof} if choice.proof else {}
    scope.emit("consent_asked", {**about, **more, "until": clock.show(until)})


def announce(scope: Scope, channel: str, topic: str, said: str, source: str) -> None:
    scope.emit("consent_changed", {"channel": channel, "topic": topic or None, "state": said, "source": source})


def _set(mine: Consent, channel: str, topic: str, stands: Standing, now: int) -> None:
    said = stands.state_at(now)
    states = mine.topics.setdefault(channel, {}) if topic else mine.channels
    name = topic or channel
    if said == NEUTRAL:
        states.pop(name, None)
        if topic and not states:
            del mine.topics[channel]
    else:
        states[name] = said
    mine.stands[key_of(channel, topic)] = stands
    _wake_for_lapses(mine, now)


def _wake_for_lapses(mine: Consent, now: int) -> None:
    due = (each.rules.until for each in mine.stands.values() if each.rules is not None)
    mine.wake_at = min((until for until in due if until > now), default=0)


def _runs_out(choice: Choice, at: int, scope: Scope) -> int:
    """When an opt-in that rests on a purchase or an inquiry ends, where a law says so."""
    terms: Terms | None = scope.program.get("consent")
    if terms is None or choice.basis == EXPRESS or choice.state != OPTED_IN:
        return 0
    traits = scope.record["profiles"].traits
    length = terms.law_for(choice.channel, choice.topic or None, traits).lasts(choice.basis)
    return clock.after(at, length, scope.workspace.zone) if length else 0


def _forget_asking(mine: Consent, choice: Choice, stands: Standing) -> None:
    """An answer ends the asking: a link of before an opt-out undoes nothing."""
    if choice.state == OPTED_OUT and stands.state == OPTED_OUT:
        ended = [key for key in mine.asked if not choice.topic and key.startswith(f"{choice.channel}/")]
        for key in (*ended, key_of(choice.channel, choice.topic)):
            mine.asked.pop(key, None)
    elif choice.state == OPTED_IN and stands.state == OPTED_IN:
        mine.asked.pop(key_of(choice.channel, choice.topic), None)


def _proof_id(choice: Choice, moment: Moment, scope: Scope) -> bytes:
    return ids.derive("consent", scope.record.id, moment.id, moment.timestamp, choice.channel, choice.topic)


def _row(choice: Choice, act: Act, moment: Moment, scope: Scope) -> KeepProof:
    return KeepProof(
        id=act.proof, profile=scope.record.id, channel=choice.channel, topic=choice.topic, state=choice.state,
        source=choice.source, proof=exact_json.encode(choice.proof).decode() if choice.proof else None,
        basis=choice.basis, at=act.at, known_at=scope.now, until=act.until or None, item=moment.id,
    )  # fmt: skip


def _parts(section: Consent) -> set[tuple[str, str]]:
    """(channel, topic) of all that was ever said."""
    found = {(channel, "") for channel in section.channels}
    found |= {(channel, topic) for channel, topics in section.topics.items() for topic in topics}
    for key in (*section.stands, *section.chosen_at):
        channel, _, topic = key.partition("/")
        found.add((channel, topic))
    return found
