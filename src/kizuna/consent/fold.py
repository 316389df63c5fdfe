"""The fold of consent: choices, reports of opt-outs, complaints and bounces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from msgspec import Struct

from kizuna.consent import store
from kizuna.consent.decide import NEUTRAL, OPTED_OUT, STATES, STRICTEST_FIRST, state
from kizuna.consent.section import SOFT_BOUNCES_IN_A_ROW, Consent
from kizuna.engine.moment import Moment
from kizuna.engine.slice import Definition, Scope, Section, Workspace, Writer

CATEGORY_CHANNEL = "email"  # consent managers name purposes, not channels: they become topics of mail


class ConsentSlice:
    """Keeps `Consent`; what it changes is a fact."""

    name: ClassVar[str] = "consent"
    section: ClassVar[type[Section]] = Consent
    writers: ClassVar[Mapping[type, Writer]] = {
        store.DropVeto: store.drop_vetoes,
        store.Suppress: store.suppress,
    }

    def compile(self, workspace: Workspace, definitions: Sequence[Definition], lower: Mapping[str, Any]) -> None:
        return None

    def hears(self, part: None, kind: str, name: str) -> bool:
        return kind in ("consent", "identify") or (kind == "report" and name in _REPORTS)

    def fold(self, moment: Moment, scope: Scope) -> None:
        if moment.type == "consent":
            _choose(moment, scope)
        elif moment.type == "report" and moment.name in _REPORTS:
            _REPORTS[moment.name](moment, scope)
        elif moment.type == "identify" and moment.item.context:
            _take_categories(moment, scope)

    def wake(self, scope: Scope) -> None:
        scope.record["consent"].wake_at = 0

    def absorb(self, other: Section, scope: Scope) -> None:
        """The stricter choice wins, unless the other has a newer proof; suppressions unite."""
        mine: Consent = scope.record["consent"]
        given = cast("Consent", other)
        choices = [(channel, "", said) for channel, said in given.channels.items()]
        for channel, topics in given.topics.items():
            choices += [(channel, topic, said) for topic, said in topics.items()]
        for channel, topic, theirs in choices:
            key = _key(channel, topic)
            ours = state(mine, channel, topic)
            is_new = key not in mine.chosen_at
            newer_proof = given.proven_at.get(key, 0) > mine.chosen_at.get(key, 0)
            proven = mine.proven_at.get(key, 0) > given.chosen_at.get(key, 0)
            stricter = STRICTEST_FIRST.index(theirs) < STRICTEST_FIRST.index(ours)
            if is_new or newer_proof or (stricter and not proven):
                at, proof = given.chosen_at.get(key, scope.now), given.proven_at.get(key, 0)
                _set(mine, channel, topic, theirs, at, proof)
                if theirs != ours:
                    _announce(scope, channel, topic, theirs, "merge")
        for channel, reason in given.suppressed.items():
            mine.suppressed.setdefault(channel, reason)
            if channel in given.suppressed_address:
                mine.suppressed_address.setdefault(channel, given.suppressed_address[channel])
        if choices or given.suppressed:
            scope.record.touch("consent")


class Choice(Struct, frozen=True):
    """One act of consent as it came in."""

    channel: str
    topic: str
    state: str
    source: str
    proof: Any = None


def _choose(moment: Moment, scope: Scope) -> None:
    said = moment.properties
    choice = Choice(
        channel=str(said.get("channel") or ""),
        topic=str(said.get("topic") or ""),
        state=str(said.get("state") or ""),
        source=str(said.get("source") or ""),
        proof=said.get("proof"),
    )
    _apply(choice, moment, scope)
    if choice.state == OPTED_OUT:
        scope.ask(store.DropVeto(moment.id))


def _apply(choice: Choice, moment: Moment, scope: Scope) -> None:
    mine: Consent = scope.record["consent"]
    if not choice.channel or choice.state not in STATES:
        return
    before = state(mine, choice.channel, choice.topic)
    if before == OPTED_OUT and choice.state != OPTED_OUT and not choice.proof:
        return  # an opt-out is undone by the person's own act only, and that leaves a proof
    key = _key(choice.channel, choice.topic)
    if moment.timestamp < mine.chosen_at.get(key, 0) and choice.state != OPTED_OUT:
        return  # said before what we already know
    if before == choice.state and not choice.proof:
        return
    proof_at = moment.timestamp if choice.proof else 0
    _set(mine, choice.channel, choice.topic, choice.state, moment.timestamp, proof_at)
    if choice.proof and choice.state != OPTED_OUT and mine.suppressed.get(choice.channel) == "complaint":
        del mine.suppressed[choice.channel]
    scope.record.touch("consent")
    if before != choice.state:
        _announce(scope, choice.channel, choice.topic, choice.state, choice.source)


def _set(mine: Consent, channel: str, topic: str, said: str, at: int, proof_at: int) -> None:
    states = mine.topics.setdefault(channel, {}) if topic else mine.channels
    name = topic or channel
    if said == NEUTRAL:
        states.pop(name, None)
    else:
        states[name] = said
    key = _key(channel, topic)
    mine.chosen_at[key] = max(at, mine.chosen_at.get(key, 0))
    if proof_at:
        mine.proven_at[key] = proof_at
    else:
        mine.proven_at.pop(key, None)


def _announce(scope: Scope, channel: str, topic: str, said: str, source: str) -> None:
    scope.emit("consent_changed", {"channel": channel, "topic": topic or None, "state": said, "source": source})


def _unsubscribed(moment: Moment, scope: Scope) -> None:
    said = moment.properties
    choice = Choice(
        channel=str(said.get("channel") or "email"),
        topic=str(said.get("topic") or ""),
        state=OPTED_OUT,
        source=str(said.get("source") or "unsubscribe"),
    )
    _apply(choice, moment, scope)
    scope.ask(store.DropVeto(moment.id))


def _complained(moment: Moment, scope: Scope) -> None:
    channel = str(moment.properties.get("channel") or "email")
    mine: Consent = scope.record["consent"]
    mine.suppressed.setdefault(channel, "complaint")
    scope.record.touch("consent")
    _apply(Choice(channel=channel, topic="", state=OPTED_OUT, source="complaint"), moment, scope)
    scope.ask(store.DropVeto(moment.id))


def _bounced(moment: Moment, scope: Scope) -> None:
    said = moment.properties
    channel, address = str(said.get("channel") or "email"), str(said.get("address") or "").lower()
    mine: Consent = scope.record["consent"]
    if said.get("class") == "hard":
        reason = "hard_bounce"
    elif said.get("class") == "soft":
        mine.soft_bounces[channel] = mine.soft_bounces.get(channel, 0) + 1
        scope.record.touch("consent")
        if mine.soft_bounces[channel] < SOFT_BOUNCES_IN_A_ROW:
            return
        reason = "soft_bounces"
    else:
        return
    mine.suppressed[channel] = reason
    mine.suppressed_address[channel] = address
    scope.record.touch("consent")
    if address:
        scope.ask(store.Suppress(channel, address, reason, scope.now))


def _arrived(moment: Moment, scope: Scope) -> None:
    """Delivered, or opened or clicked by a person: the address works."""
    mine: Consent = scope.record["consent"]
    if moment.name != "message_delivered" and moment.properties.get("actor") != "human":
        return
    if mine.soft_bounces.pop(str(moment.properties.get("channel") or "email"), None) is not None:
        scope.record.touch("consent")


_REPORTS = {
    "message_unsubscribed": _unsubscribed,
    "message_complained": _complained,
    "message_bounced": _bounced,
    "message_delivered": _arrived,
    "message_opened": _arrived,
    "message_clicked": _arrived,
}


def _take_categories(moment: Moment, scope: Scope) -> None:
    """`context.consent.categoryPreferences`: true or false per purpose, as consent managers write it."""
    consent = moment.context.get("consent")
    preferences = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    if not isinstance(preferences, dict):
        return
    for category, allowed in preferences.items():
        if isinstance(allowed, bool):
            said = "opted_in" if allowed else OPTED_OUT
            _apply(Choice(CATEGORY_CHANNEL, str(category), said, "identify"), moment, scope)


def _key(channel: str, topic: str) -> str:
    return f"{channel}/{topic}" if topic else channel
