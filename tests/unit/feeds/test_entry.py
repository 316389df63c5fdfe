from __future__ import annotations

import json

import msgspec

from kizuna.engine.moment import Item
from kizuna.feeds.entry import Choice, entries_of, type_of
from kizuna.runtime.lake.said import LogRow

ADA, BOB = b"a" * 16, b"b" * 16
ALL = Choice.of(["*"])


def row(*items: Item, partition: int = 0, offset: int = 1, at: int = 1, duplicates: tuple[int, ...] = ()) -> LogRow:
    return LogRow(partition, offset, at, msgspec.msgpack.encode(items), duplicates)


def test_names_and_beginnings_choose() -> None:
    choice = Choice.of(["Order Completed", "message_*"])
    names = ("Order Completed", "Order", "message_sent", "message_", "amessage_")
    assert [name for name in names if choice.takes(name)] == ["Order Completed", "message_sent", "message_"]
    assert Choice.of(["*"]).takes("anything")
    assert not Choice.of(["Order"]).takes("Orders")


def test_types_are_those_of_rules() -> None:
    said = [
        ("track", "Paid"),
        ("page", "Home"),
        ("screen", ""),
        ("identify", ""),
        ("fact", "message_sent"),
        ("alias", "x"),
    ]
    assert [type_of(*each) for each in said] == [
        "Paid", "Page Viewed", "Screen Viewed", "identify", "message_sent", "alias",
    ]  # fmt: skip


def test_an_entry_says_all_of_an_item_and_its_place() -> None:
    item = Item(
        ADA, "m1", "track", "Paid", 1_700_000_000_000_000, b'{"total":12.50}', b'{"ip":"::1"}', "ada", "an1", 0, 0, "c"
    )
    [entry] = entries_of([row(item, partition=3, offset=9)], ALL)
    assert entry.id == "evt_3-9-0"
    assert entry.profile == ADA
    assert b'"total":12.50' in entry.body  # exactly as it was said
    assert b"\n" not in entry.body
    assert json.loads(entry.body) == {
        "id": "evt_3-9-0", "type": "Paid", "timestamp": "2023-11-14T22:13:20Z",
        "data": {
            "id": "m1", "kind": "track", "profile": f"prf_{ADA.hex()}", "user_id": "ada", "anonymous_id": "an1",
            "name": "Paid", "timestamp": "2023-11-14T22:13:20Z", "received_at": None, "properties": {"total": 12.5},
            "context": {"ip": "::1"}, "caused_by": "c",
        },
    }  # fmt: skip


def test_the_order_is_the_logs_and_repetitions_and_inner_talk_are_left_out() -> None:
    first = row(Item(ADA, "1", "track", "A"), Item(ADA, "2", "tick"), Item(BOB, "3", "track", "B"), at=5, partition=1)
    second = row(
        Item(BOB, "4", "consent"), Item(ADA, "5", "track", "C"), Item(ADA, "6", "fact", "d"), at=4, duplicates=(1,)
    )
    assert [entry.id for entry in entries_of([first, second], ALL)] == ["evt_0-1-2", "evt_1-1-0", "evt_1-1-2"]
