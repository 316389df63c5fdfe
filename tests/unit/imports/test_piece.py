"""Rows as items."""

from __future__ import annotations

from typing import Any

from kizuna.consent.subjects import Subjects
from kizuna.core import clock, exact_json, ids
from kizuna.engine.moment import BACKFILL
from kizuna.engine.slice import Workspace
from kizuna.imports.formats import Broken, Row
from kizuna.imports.map import parse
from kizuna.imports.piece import Piece, Translator

SPACE = Workspace(1, "shop", "test", "Asia/Tokyo", "JPY", "opt_out")
NOW = 1_800_000_000_000_000
EVENTS: dict[str, Any] = {
    "kind": "events",
    "columns": {
        "id": "userId", "at": "timestamp", "total": {"to": "properties.total", "type": "number"},
        "note": "properties.deep.note", "zone": "timezone",
    },
    "constants": {"event": "Order Completed", "properties.currency": "JPY"},
}  # fmt: skip
PROFILES: dict[str, Any] = {
    "kind": "profiles",
    "columns": {"id": "userId", "plan": "traits.plan"},
    "consent": {
        "column": "news",
        "channel": "email",
        "topic": "news",
        "states": {"Yes": "opted_in", "no": "opted_out"},
    },
}


def piece(said: dict[str, Any], *rows: Any, digest: bytes = b"d" * 16) -> Piece:
    translator = Translator(parse(said), SPACE, digest, 512 << 10)
    made = [row if isinstance(row, Broken) else Row(number + 2, row) for number, row in enumerate(rows)]
    return translator.piece(made, 1, NOW)


def order(**cells: Any) -> dict[str, Any]:
    return {"id": "ada", "at": "2026-01-01 09:00", "total": "5", "note": "x", "zone": "Europe/Paris", **cells}


def test_a_row_becomes_an_event_that_starts_nothing() -> None:
    [item] = piece(EVENTS, order()).items
    assert (item.type, item.name, item.user_id, item.flags & BACKFILL) == ("track", "Order Completed", "ada", BACKFILL)
    assert item.profile == ids.profile_id(1, "user", "ada")
    assert item.timestamp == 1_767_225_600_000_000  # nine in Tokyo is midnight in UTC
    assert exact_json.decode(item.properties) == {"currency": "JPY", "total": 5, "deep": {"note": "x"}}
    assert exact_json.decode(item.context) == {"timezone": "Europe/Paris"}
    [live] = piece({**EVENTS, "backfill": False}, order()).items
    assert not live.flags & BACKFILL


def test_ids_come_from_content_and_place() -> None:
    rows = [order(), order()]
    one = [item.id for item in piece(EVENTS, *rows).items]
    assert one == [item.id for item in piece(EVENTS, *rows).items] and len(set(one)) == 2
    assert one == [item.id for item in piece({**EVENTS, "backfill": False}, *rows).items]  # an event happened once
    assert one != [item.id for item in piece(EVENTS, *rows, digest=b"e" * 16).items]
    named = {**EVENTS, "columns": {**EVENTS["columns"], "key": "messageId"}}
    assert [item.id for item in piece(named, order(key="k1"), order(key=7.0)).items] == ["k1", "7"]


def test_what_cannot_be_taken_is_kept_with_its_reason_and_costs_nobody_else() -> None:
    made = piece(
        EVENTS,
        order(total="abc"), order(), order(id=" "), order(at="soon"), Broken(6, "invalid_csv", "why", "raw \udcff"),
        order(note="a\x00b"), order(note="\udcff"), order(id="x" * 300), order(id=12346.0), order(note="y" * 600_000),
    )  # fmt: skip
    assert [item.user_id for item in made.items] == ["ada", "12346"]
    assert [(each.line, each.code) for each in made.rejected] == [
        (2, "invalid_number"), (4, "no_identity"), (5, "invalid_time"), (6, "invalid_csv"), (7, "invalid_text"),
        (8, "broken_text"), (9, "too_long"), (11, "too_large"),
    ]  # fmt: skip
    assert made.taken + len(made.rejected) == 10
    assert made.rejected[3].cells == ["raw \ufffd"]


def test_consent_follows_its_profile_without_a_proof() -> None:
    made = piece(
        PROFILES,
        {"id": "a", "plan": "x", "news": "YES "}, {"id": "b", "plan": "", "news": "No"},
        {"id": "c", "plan": "x", "news": ""}, {"id": "d", "plan": "x", "news": "maybe"},
        {"id": "", "plan": "x", "news": "yes"},
    )  # fmt: skip
    assert [item.type for item in made.items] == ["identify", "consent", "identify", "consent", "identify"]
    assert [made.items[0].profile, made.items[2].profile] == [made.items[1].profile, made.items[3].profile]
    assert exact_json.decode(made.items[1].properties) == {
        "channel": "email", "state": "opted_in", "source": "import", "topic": "news",
    }  # fmt: skip
    assert (made.taken, [each.item.id for each in made.agreed]) == (3, [made.items[1].id, made.items[3].id])
    assert [each.code for each in made.rejected] == ["unknown_consent", "no_identity"]


def test_a_row_with_a_misspelt_channel_is_rejected() -> None:
    said = PROFILES | {"consent": PROFILES["consent"] | {"channel": {"column": "by"}}}
    rows = [{"id": name, "plan": "a", "news": "no", "by": name} for name in ("emial", "sms")]
    translator = Translator(parse(said, Subjects(("email", "sms"))), SPACE, b"d" * 16, 512 << 10)
    made = translator.piece([Row(number + 2, row) for number, row in enumerate(rows)], 1, NOW)
    assert [(each.line, each.code) for each in made.rejected] == [(2, "unknown_channel")]
    assert [each.choice.channel for each in made.agreed] == ["sms"]


def test_consent_may_bring_its_channel_time_and_proof() -> None:
    said = {
        **PROFILES,
        "consent": {
            "column": "news", "states": {"yes": "opted_in"}, "channel": {"column": "by"}, "source": "old shop",
            "proof": "how", "at": "when",
        },
    }  # fmt: skip
    row = {"id": "a", "plan": "x", "news": "yes", "by": "sms", "how": '{"form": 7}', "when": "2019-04-01 09:00"}
    plain = {**row, "id": "b", "how": "paper form 12", "when": ""}
    made = piece(said, row, plain, {**row, "id": "c", "when": "soon"}, {**row, "id": "d", "by": ""})
    first, second = (exact_json.decode(each.item.properties) for each in made.agreed)
    assert first == {"channel": "sms", "state": "opted_in", "source": "old shop", "proof": {"form": 7}}
    assert second["proof"] == {"text": "paper form 12"}
    assert made.agreed[0].item.timestamp == clock.read_time("2019-04-01 09:00", SPACE.zone)
    assert made.agreed[1].item.timestamp == made.items[2].timestamp
    assert [each.code for each in made.rejected] == ["invalid_time", "unknown_consent"]
