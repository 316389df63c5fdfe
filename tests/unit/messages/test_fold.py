from __future__ import annotations

import json
from typing import Any

from kizuna.core import ids
from kizuna.engine.moment import Item, Moment
from kizuna.engine.slice import Definition, Effects, Record, Scope, Workspace
from kizuna.messages.fold import MessagesSlice
from kizuna.messages.message import AdvanceMessage, NoteHarm, RestateMessage
from kizuna.messages.section import Messages

MESSAGE = ids.show("msg", b"m" * 16)
SHOP = Workspace(1, "shop", "test", "UTC", "JPY", "opt_out")


def fold(kind: str, name: str, **said: Any) -> Effects:
    scope = Scope(SHOP, {}, Effects())
    scope.record = Record(b"a" * 16, 0, {"messages": Messages()}, is_new=False)
    item = Item(b"a" * 16, "e1", kind, name, 5, json.dumps(said).encode())
    MessagesSlice().fold(Moment(item, 9, 1), scope)
    return scope.effects


def test_reports_of_others_advance_the_ledger() -> None:
    effects = fold("report", "message_opened", message=MESSAGE, channel="email")
    assert effects.other[AdvanceMessage] == [AdvanceMessage(b"m" * 16, "opened", 5, None)]
    assert effects.counts == {"messages:opened": 1}


def test_the_sender_wrote_its_own_reports_already() -> None:
    effects = fold("report", "message_sent", message=MESSAGE, channel="email")
    assert effects.other == {}
    assert effects.counts == {"messages:sent": 1}


def test_what_customers_send_is_no_report() -> None:
    assert fold("track", "message_opened", message=MESSAGE).counts == {}
    assert fold("report", "message_opened", message="msg_nonsense").other == {}


def test_the_newest_version_that_rules_is_compiled() -> None:
    def version(number: int, introduced: int, retired: int | None) -> Definition:
        return Definition("template", "hello", number, "active", {}, introduced, retired)

    versions = [version(1, 1, 4), version(2, 4, 9)]
    compiled = MessagesSlice().compile(SHOP, versions, {"version": 5})
    assert compiled == {"templates": {"hello": 2}}
    assert MessagesSlice().compile(SHOP, versions, {"version": 9}) == {"templates": {}}
    assert MessagesSlice().compile(SHOP, versions[:1], {"version": 3}) == {"templates": {"hello": 1}}


def test_a_refusal_is_noted_as_harm_where_it_blames_what_was_said_or_us() -> None:
    def noted(state: str, **said: str) -> list[str]:
        return [
            each.what for each in fold("report", f"message_{state}", message=MESSAGE, **said).other.get(NoteHarm, [])
        ]

    assert noted("rejected", reason="550 5.7.1 blocked") == ["refused_sender"]
    assert noted("rejected", reason="552 5.3.4 too big") == ["refused_content"]
    assert noted("rejected", reason="550 5.1.1 no such user") == []
    assert noted("bounced", reason="refused_content") == ["refused_content"]
    assert noted("bounced", **{"reason": "blocked", "class": "hard"}) == ["hard_bounce"]
    assert noted("bounced", **{"reason": "mailbox_full", "class": "soft"}) == []


def test_what_a_machine_did_is_told_to_the_ledger_as_its_own() -> None:
    effects = fold("report", "message_clicked", message=MESSAGE, channel="email", actor="machine")
    assert effects.other[AdvanceMessage] == [AdvanceMessage(b"m" * 16, "clicked", 5, None, "machine")]
    items = [{"id": "e7", "state": "clicked", "at": 4}]
    effects = fold("report", "message_restated", message=MESSAGE, actor="machine", items=items)
    assert effects.other == {RestateMessage: [RestateMessage(b"m" * 16, (("clicked", 4),))]}
