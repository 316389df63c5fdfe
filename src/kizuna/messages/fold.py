"""The fold of messages: counts what was said, and takes reports into the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from kizuna.core import ids
from kizuna.core.errors import Invalid
from kizuna.engine.moment import Moment
from kizuna.engine.slice import Definition, Scope, Section, Workspace, Writer
from kizuna.messages import store
from kizuna.messages.grant import EXPIRES_DEFAULT, SendRequest, request
from kizuna.messages.message import REPORTED, AdvanceMessage, CancelPlanned, PlanMessage
from kizuna.messages.section import Messages

PREFIX = "message_"
SAY = "say"  # the type of items that ask for one message
API = "api"  # their purpose


class MessagesSlice:
    """Hears the facts of grants and the reports of senders and providers."""

    name: ClassVar[str] = "messages"
    section: ClassVar[type[Section]] = Messages
    writers: ClassVar[Mapping[type, Writer]] = {
        PlanMessage: store.plan,
        CancelPlanned: store.cancel,
        AdvanceMessage: store.advance,
    }

    def compile(
        self, workspace: Workspace, definitions: Sequence[Definition], lower: Mapping[str, Any]
    ) -> dict[str, dict[str, int]]:
        """The version of each template that rules; a message is pinned to it when it is granted."""
        rules_at = lower.get("version", 0)
        templates: dict[str, int] = {}
        for definition in definitions:  # oldest first
            if definition.kind == "template" and (definition.retired is None or definition.retired > rules_at):
                templates[definition.name] = definition.version
        return {"templates": templates}

    def hears(self, part: Any, kind: str, name: str) -> bool:
        return kind == SAY or (kind in ("fact", "report") and name.startswith(PREFIX))

    def fold(self, moment: Moment, scope: Scope) -> None:
        if moment.type == SAY:
            _say(moment, scope)
            return
        if moment.type not in ("fact", "report") or not moment.name.startswith(PREFIX):
            return
        state = moment.name.removeprefix(PREFIX)
        scope.count(f"messages:{state}")
        if moment.type == "report" and state in REPORTED:
            _advance(moment, scope, state)

    def wake(self, scope: Scope) -> None:
        scope.record["messages"].wake_at = 0

    def absorb(self, other: Section, scope: Scope) -> None:
        return None


def _say(moment: Moment, scope: Scope) -> None:
    """One thing to say now, asked for by the API."""
    said = moment.properties
    wanted = SendRequest(
        channels=(str(said["channel"]),),
        template=str(said["template"]),
        purpose=API,
        occurrence=moment.id,
        topic=said.get("topic"),
        transactional=bool(said.get("transactional")),
        data=said.get("data") or {},
        expires=said.get("expires") or EXPIRES_DEFAULT,
    )
    request(scope, wanted)


def _advance(moment: Moment, scope: Scope, state: str) -> None:
    try:
        message = ids.read("msg", str(moment.properties.get("message") or ""))
    except Invalid:
        return  # a report about something that we did not send
    reason = moment.properties.get("reason")
    scope.ask(AdvanceMessage(message, state, moment.timestamp, str(reason) if reason else None))
