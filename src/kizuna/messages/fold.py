"""The fold of messages: counts what was said, takes reports into the ledger, gives back what was not said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from kizuna.consent.section import standing
from kizuna.consent.terms import Terms
from kizuna.core import clock, ids
from kizuna.core.errors import Invalid
from kizuna.engine.moment import Moment
from kizuna.engine.slice import Definition, Scope, Section, Workspace, Writer
from kizuna.messages import store
from kizuna.messages.answer import EXPIRES, kept, refusal
from kizuna.messages.blame import blame_of
from kizuna.messages.grant import WEBHOOK, SendRequest, request
from kizuna.messages.hold import give_back, move, policy_of, release
from kizuna.messages.message import (
    ANSWER,
    COMPLAINT,
    CONFIRMATION,
    HARD_BOUNCE,
    REPORTED,
    RESTATED,
    TEST,
    TO,
    UNSAID,
    AdvanceMessage,
    CancelPlanned,
    EndPlanned,
    MovePlanned,
    NoteHarm,
    PlanMessage,
    RestateMessage,
)
from kizuna.messages.policy import parse
from kizuna.messages.section import Answered, Messages

PREFIX = "message_"
SAY = "say"  # the type of items that ask for one message
API = "api"  # their purpose
ASKED = "consent_asked"  # the fact that somebody is to confirm an opt-in


class MessagesSlice:
    """Hears the facts of grants and the reports of senders and providers."""

    name: ClassVar[str] = "messages"
    section: ClassVar[type[Section]] = Messages
    writers: ClassVar[Mapping[type, Writer]] = {
        PlanMessage: store.plan,
        MovePlanned: store.move,
        EndPlanned: store.end,
        CancelPlanned: store.cancel,
        AdvanceMessage: store.advance,
        RestateMessage: store.restate,  # after the reports that it is about
        NoteHarm: store.note_harm,
    }

    def compile(
        self, workspace: Workspace, definitions: Sequence[Definition], lower: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The version of each template that rules (a message is pinned to it when it is granted), and only where
        there are any: the policy, what `neutral` means for topics that say so, and the web hooks."""
        rules_at = lower.get("version", 0)
        ruling = [each for each in definitions if each.retired is None or each.retired > rules_at]  # oldest first
        compiled: dict[str, Any] = {"templates": {d.name: d.version for d in ruling if d.kind == "template"}}
        policies = [parse(each.body) for each in ruling if each.kind == "policy"]
        if policies:
            compiled["policy"] = policies[-1]
        topics = {each.name: each.body["default"] for each in ruling if each.kind == "topic" and "default" in each.body}
        hooks = {d.name for d in ruling if d.kind == "provider" and d.body.get("channel") == WEBHOOK}
        return compiled | ({"topics": topics} if topics else {}) | ({"hooks": frozenset(hooks)} if hooks else {})

    def hears(self, part: Any, kind: str, name: str) -> bool:
        is_ours = name.startswith(PREFIX) or (kind == "fact" and name == ASKED)
        return kind == SAY or (kind in ("fact", "report") and is_ours)

    def fold(self, moment: Moment, scope: Scope) -> None:
        if moment.type == SAY:
            (_answer if "answers" in moment.properties else _say)(moment, scope)
            return
        if moment.type == "fact" and moment.name == ASKED:
            _ask_to_confirm(moment, scope)
            return
        if moment.type not in ("fact", "report") or not moment.name.startswith(PREFIX):
            return
        state = moment.name.removeprefix(PREFIX)
        scope.count(f"messages:{state}")
        if moment.type == "report":
            if state in REPORTED:
                _advance(moment, scope, state)
            if state == "rejected":
                _rejected(moment, scope)
            if state == RESTATED:
                _restate(moment, scope)
            if state in UNSAID or state == "deferred":
                _take_back(moment, scope, state)

    def wake(self, scope: Scope) -> None:
        release(scope)

    def absorb(self, other: Section, scope: Scope) -> None:
        """What counted against either counts against the one they are; the queues are joined."""
        assert isinstance(other, Messages)  # noqa: S101  # the engine gives each slice its own section
        section: Messages = scope.record["messages"]
        if other.answered:
            section.answered = kept(sorted([*section.answered, *other.answered], key=lambda each: each.at), scope.now)
            scope.record.touch("messages")
        if not other.grants and not other.held:
            return
        section.grants = sorted([*section.grants, *other.grants], key=lambda each: each.at)
        section.held = [*other.held, *section.held]  # the anonymous record is the older one
        release(scope)


def _say(moment: Moment, scope: Scope) -> None:
    """One thing to say now, asked for by the API."""
    said = moment.properties
    wanted = SendRequest(
        channels=(str(said["channel"]),),
        template=str(said["template"]),
        purpose=TEST if said.get("test") else TO if said.get("to") else API,
        occurrence=moment.id,
        topic=said.get("topic"),
        to=said.get("to"),
        transactional=bool(said.get("transactional")),
        data=said.get("data") or {},
        expires=said.get("expires") or "",
    )
    request(scope, wanted)


def _answer(moment: Moment, scope: Scope) -> None:
    """What is said to a word such as STOP: to the number it came from, unless it was said before, or so often."""
    said, section = moment.properties, scope.record["messages"]
    channel, keyword = str(said["channel"]), str(said["answers"])
    yes = standing(scope.record["consent"], channel, None).latest
    word = Answered(keyword, scope.now, -1 if yes is None else yes.arrival)
    wanted = SendRequest(
        channels=(channel,), template=f"{ANSWER}:{keyword}", purpose=ANSWER, occurrence=moment.id, to=str(said["to"]),
        transactional=True, data={"body": said["body"]}, expires=EXPIRES, refused=refusal(section.answered, word),
    )  # fmt: skip
    if request(scope, wanted) is not None:
        section.answered = kept([*section.answered, word], scope.now)
        scope.record.touch("messages")


def _ask_to_confirm(moment: Moment, scope: Scope) -> None:
    """A mail with the link that confirms an opt-in: asked for by the customer, it is transactional."""
    terms: Terms | None = scope.program.get("consent")
    if terms is None or terms.double_opt_in is None:
        return
    said = moment.properties
    wanted = SendRequest(
        channels=(str(said["channel"]),), template=terms.double_opt_in.template, purpose=CONFIRMATION,
        occurrence=moment.id, topic=said.get("topic"), transactional=True, data={"topic": said.get("topic")},
    )  # fmt: skip
    request(scope, wanted)


def _advance(moment: Moment, scope: Scope, state: str) -> None:
    message = _message(moment)
    if message is None:
        return  # a report about something that we did not send
    said = moment.properties
    reason = said.get("reason")
    actor = str(said.get("actor") or "human")
    scope.ask(AdvanceMessage(message, state, moment.timestamp, str(reason) if reason else None, actor))
    what = COMPLAINT if state == "complained" else HARD_BOUNCE if said.get("class") == "hard" else ""
    if what := what or (_blame(moment) if state == "bounced" else ""):
        scope.ask(NoteHarm(message, what, moment.timestamp))


def _restate(moment: Moment, scope: Scope) -> None:
    """A machine did what a person was thought to have done."""
    message = _message(moment)
    if message is not None:
        acts = tuple((str(each["state"]), int(each["at"])) for each in moment.properties["items"])
        scope.ask(RestateMessage(message, acts))


def _rejected(moment: Moment, scope: Scope) -> None:
    """Refused at once: of the address the report of the bounce speaks, that the sender sends along."""
    message, what = _message(moment), _blame(moment)
    if message is not None and what:
        scope.ask(NoteHarm(message, what, moment.timestamp))


def _blame(moment: Moment) -> str:
    said = moment.properties
    return blame_of(str(said.get("reason") or ""), str(said.get("status") or ""))


def _take_back(moment: Moment, scope: Scope, state: str) -> None:
    """The sender refused it, or puts it off: what it had reserved is given back, or moved."""
    if policy_of(scope) is None:
        return
    message = _message(moment)
    if message is not None and state == "deferred":
        move(scope, message, clock.read_time(str(moment.properties.get("due_at"))) or moment.timestamp)
    elif message is not None:
        give_back(scope, message)


def _message(moment: Moment) -> bytes | None:
    try:
        return ids.read("msg", str(moment.properties.get("message") or ""))
    except Invalid:
        return None
