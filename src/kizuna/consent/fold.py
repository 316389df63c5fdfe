"""The fold of consent: choices, reports of opt-outs, complaints and bounces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from kizuna.consent import store
from kizuna.consent.apply import Choice, apply, ask_to_confirm, join, lapse
from kizuna.consent.decide import OPTED_IN, OPTED_OUT, TRACKING
from kizuna.consent.law import EXPRESS
from kizuna.consent.preferences import CHANNEL, TOLD_BY, is_unfollowed, preferences, refused_in, veto_name
from kizuna.consent.proof import KeepProof
from kizuna.consent.section import SOFT_BOUNCES_IN_A_ROW, Consent
from kizuna.consent.standing import PENDING
from kizuna.consent.terms import Terms, read_terms
from kizuna.core import clock
from kizuna.core.problems import Problems
from kizuna.engine.moment import Item, Moment
from kizuna.engine.slice import Definition, Scope, Section, Workspace, Writer


class ConsentSlice:
    """Keeps `Consent`; what it changes is a fact."""

    name: ClassVar[str] = "consent"
    section: ClassVar[type[Section]] = Consent
    writers: ClassVar[Mapping[type, Writer]] = {
        store.DropVeto: store.drop_vetoes,
        store.Suppress: store.suppress,
        KeepProof: store.keep_proofs,
    }

    def compile(
        self, workspace: Workspace, definitions: Sequence[Definition], lower: Mapping[str, Any]
    ) -> Terms | None:
        """What the policy that rules says about consent; None where there is no policy."""
        rules_at = lower.get("version", 0)
        ruling = [d for d in definitions if d.kind == "policy" and (d.retired is None or d.retired > rules_at)]
        return read_terms(ruling[-1].body, Problems()) if ruling else None

    def hears(self, part: Terms | None, kind: str, name: str) -> bool:
        return kind in ("consent", TOLD_BY) or (kind == "report" and name in _REPORTS)

    def fold(self, moment: Moment, scope: Scope) -> None:
        if moment.type == "consent":
            _choose(moment, scope)
        elif moment.type == "report" and moment.name in _REPORTS:
            _REPORTS[moment.name](moment, scope)
        elif moment.type == TOLD_BY and moment.item.context:
            _take_preferences(moment, scope)

    def wake(self, scope: Scope) -> None:
        lapse(scope)

    def repeated(self, item: Item) -> Sequence[Any]:
        return [store.DropVeto(veto_name(item))] if refused_in(item) else []

    def absorb(self, other: Section, scope: Scope) -> None:
        join(cast("Consent", other), scope)


def _choose(moment: Moment, scope: Scope) -> None:
    said = moment.properties
    choice = Choice(
        channel=str(said.get("channel") or ""),
        topic=str(said.get("topic") or ""),
        state=str(said.get("state") or ""),
        source=str(said.get("source") or ""),
        proof=said.get("proof"),
        basis=str(said.get("basis") or EXPRESS),
        until=clock.read_time(str(said["until"])) or 0 if said.get("until") else 0,
    )
    terms: Terms | None = scope.program.get("consent")
    if said.get("confirm") and choice.state == PENDING and terms is not None:
        ask_to_confirm(choice, moment, scope, terms)
    else:
        apply(choice, moment, scope)
    if choice.state == OPTED_OUT:
        scope.ask(store.DropVeto(moment.id))


def _unsubscribed(moment: Moment, scope: Scope) -> None:
    said = moment.properties
    choice = Choice(
        channel=str(said.get("channel") or "email"),
        topic=str(said.get("topic") or ""),
        state=OPTED_OUT,
        source=str(said.get("source") or "unsubscribe"),
    )
    apply(choice, moment, scope)
    scope.ask(store.DropVeto(moment.id))


def _complained(moment: Moment, scope: Scope) -> None:
    channel = str(moment.properties.get("channel") or "email")
    mine: Consent = scope.record["consent"]
    mine.suppressed.setdefault(channel, "complaint")
    scope.record.touch("consent")
    apply(Choice(channel=channel, topic="", state=OPTED_OUT, source="complaint"), moment, scope)
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


def _take_preferences(moment: Moment, scope: Scope) -> None:
    if is_unfollowed(moment.context):
        apply(Choice(TRACKING, "", OPTED_OUT, "gpc"), moment, scope)
    refuses = False
    for topic, allowed in preferences(moment.context):
        refuses |= not allowed
        apply(Choice(CHANNEL, topic, OPTED_IN if allowed else OPTED_OUT, TOLD_BY), moment, scope)
    if refuses:
        scope.ask(store.DropVeto(veto_name(moment.item)))
