from __future__ import annotations

import json
from typing import Any

import pytest

from kizuna.consent.section import Consent
from kizuna.core import ids
from kizuna.core.clock import HOUR
from kizuna.engine.slice import Effects, Record, Scope, Workspace
from kizuna.messages.grant import SendRequest, cancel, message_id, request
from kizuna.messages.message import CancelPlanned, PlanMessage
from kizuna.profiles.section import Profile

ADA = b"a" * 16
NOW = 1_000_000_000_000_000


def a_scope(*, consent: Consent | None = None, default: str = "opt_out", **traits: Any) -> Scope:
    sections = {"profiles": Profile(traits={"email": "ada@example.com", **traits}), "consent": consent or Consent()}
    program = {"messages": {"templates": {"hello": 3}}}
    scope = Scope(Workspace(1, "shop", "test", "UTC", "JPY", default), program, Effects())
    scope.record = Record(ADA, 0, sections, is_new=False)
    scope.restart(NOW, 9, "evt_cause")
    return scope


def a_request(**changes: Any) -> SendRequest:
    given: dict[str, Any] = {
        "channels": ["email"], "template": "hello", "purpose": "journey:welcome:mail", "occurrence": "r1",
        "journey": "welcome", "run": "r1", "step": "mail",
    }  # fmt: skip
    return SendRequest(**{**given, **changes})


def the_row(scope: Scope) -> PlanMessage:
    (row,) = scope.effects.other[PlanMessage]
    return row


def test_a_granted_message_is_planned_with_its_fact() -> None:
    scope = a_scope()
    message = request(scope, a_request(topic="news", event=b"{}"))
    row = the_row(scope)
    assert message == row.id == message_id(ADA, "journey:welcome:mail", "r1", "email")
    assert (row.state, row.address, row.template_version, row.root) == ("planned", "ada@example.com", 3, 9)
    assert (row.due_at, row.expires_at) == (NOW, NOW + 72 * HOUR)
    ((_, fact, _),) = scope.effects.facts
    assert fact.name == "message_planned"
    assert row.caused_by == fact.id
    assert json.loads(fact.properties) == {
        "message": ids.show("msg", row.id), "channel": "email", "template": "hello", "journey": "welcome", "run": "r1",
        "step": "mail", "topic": "news",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "changes", "reason"),
    [
        (a_scope(), {"holdout": True}, "holdout"),
        (a_scope(email=None), {}, "no_address"),
        (a_scope(email="nonsense"), {}, "invalid_address"),
        (a_scope(consent=Consent(channels={"email": "opted_out"})), {}, "no_consent"),
        (a_scope(default="opt_in"), {}, "no_consent"),
        (a_scope(consent=Consent(suppressed={"email": "complaint"})), {}, "suppressed"),
        (a_scope(), {"template": "missing"}, "template_error"),
        (a_scope(), {"channels": ["pigeon"]}, "no_provider"),
    ],
)
def test_a_refused_message_is_skipped_with_its_reason(scope: Scope, changes: dict[str, Any], reason: str) -> None:
    assert request(scope, a_request(**changes)) is None
    row = the_row(scope)
    assert (row.state, row.reason) == ("skipped", reason)
    ((_, fact, _),) = scope.effects.facts
    assert fact.name == "message_skipped"
    assert json.loads(fact.properties)["reason"] == reason


def test_the_first_reachable_channel_is_taken() -> None:
    scope = a_scope()
    request(scope, a_request(channels=["pigeon", "email"]))
    assert the_row(scope).channel == "email"


def test_transactional_messages_need_no_consent() -> None:
    scope = a_scope(consent=Consent(channels={"email": "opted_out"}))
    assert request(scope, a_request(transactional=True)) is not None


def test_leaving_a_run_cancels_what_it_planned() -> None:
    scope = a_scope()
    cancel(scope, "r1")
    assert scope.effects.other[CancelPlanned] == [CancelPlanned(ADA, "r1", NOW)]
