"""Segments from outside: sizes over time, uploaded lists, engagement with our messages, doctor's comparison."""

from __future__ import annotations

from typing import Any

import msgspec
import psycopg
import pytest

from kizuna.folds import deep_questions
from kizuna.runtime.doctor import Patient, check, questions
from kizuna.runtime.folder import Running
from kizuna.segments.section import Segments
from kizuna.testing.shop import Shop, identify, link_of, ref, track


def sizes(shop: Shop, name: str, **asked: Any) -> list[tuple[str, int, int, int]]:
    series = shop.get(f"/api/v1/segments/{name}/history", **asked)["series"]
    return [(each["start"], each["value"], each["entered"], each["left"]) for each in series]


def test_sizes_over_time_are_cut_in_the_workspaces_zone(open_shop: Any) -> None:
    shop: Shop = open_shop(zone="Asia/Tokyo")  # the clock begins on 2 March, 19:00 there
    shop.segment("recent", {"did": "Visit", "within": "2d"})
    shop.send(*(track(who, "Visit") for who in ("ada", "grace")))
    shop.to("2026-03-03T14:59:59Z")  # a second before midnight in Tokyo
    shop.track("kay", "Visit")
    shop.advance("1s")
    shop.track("may", "Visit")
    shop.advance("5d")
    assert sizes(shop, "recent") == [
        ("2026-03-02", 2, 2, 0), ("2026-03-03", 3, 1, 0), ("2026-03-04", 2, 1, 2), ("2026-03-05", 1, 0, 1),
        ("2026-03-06", 0, 0, 1), ("2026-03-07", 0, 0, 0), ("2026-03-08", 0, 0, 0), ("2026-03-09", 0, 0, 0),
    ]  # fmt: skip
    assert sizes(shop, "recent", step="1mo") == [("2026-03-01", 0, 4, 4)]
    assert sizes(shop, "recent", step="1w", **{"from": "2026-03-04", "to": "2026-03-06"}) == [("2026-03-02", 1, 4, 3)]
    assert len(sizes(shop, "recent", step="12h", **{"from": "2026-03-04", "to": "2026-03-06"})) == 4
    refused = shop.ask("GET", "/api/v1/segments/recent/history?step=1x", expect=400)
    assert refused["code"] == "invalid_step"
    assert shop.ask("GET", "/api/v1/segments/nobody/history", expect=404)["code"] == "not_found"


def test_two_members_found_to_be_one_are_one_from_then_on(shop: Shop) -> None:
    shop.segment("visitors", {"did": "Visit"})
    shop.send(*(track(who, "Visit") for who in ("ada", "~a1", "~a2", "~a3")))
    shop.advance("1d")
    shop.send(identify("ada~a1"), identify("grace~a2"))
    shop.advance("1d")
    assert [(each[1], each[2], each[3]) for each in sizes(shop, "visitors")] == [(4, 4, 0), (3, 0, 0), (3, 0, 0)]
    assert shop.get("/api/v1/segments/visitors")["size"] == 3
    assert shop.members("visitors") == {"ada", "grace", "~a3"}


def test_members_come_page_by_page(shop: Shop) -> None:
    shop.segment("visitors", {"did": "Visit"})
    shop.send(*(track(f"u{number}", "Visit") for number in range(7)))
    page = shop.get("/api/v1/segments/visitors/members", limit=3)
    assert len(page["items"]) == 3
    assert set(page["items"][0]) == {"id", "identities", "entered_at"}
    assert page["items"][0]["entered_at"] == "2026-03-02T10:00:00Z"
    assert len(shop.all("/api/v1/segments/visitors/members", limit=3)) == 7


# -- uploaded lists ----------------------------------------------------------------------------------------------------


def put_list(shop: Shop, name: str, *who: str) -> Any:
    return shop.ask("PUT", f"/api/v1/segments/{name}?after={shop.position}", {"list": list(who)})


def moves(shop: Shop, who: str) -> list[str]:
    names = ("segment_entered", "segment_left")
    return [each["event"][8:] for each in shop.timeline(who)[::-1] if each["event"] in names
            and each["properties"]["segment"] == "vip"]  # fmt: skip


def test_a_list_makes_members_and_a_later_one_replaces_it(shop: Shop) -> None:
    shop.send(*(identify(who, email=f"{who}@shop.example") for who in ("ada", "grace", "kay", "may", "twin")))
    shop.send(identify("twin2", email="twin@shop.example"), track("~a1", "Visit"))
    kay = shop.profile("kay")["id"]
    told = put_list(
        shop, "vip", "user:ada", "email:Grace@shop.example", kay, "anon:a1", "user:nobody", "email:twin@shop.example",
        "x", "user:ada",
    )  # fmt: skip
    assert (told["kind"], told["listed"], told["added"], told["removed"]) == ("list", 4, 4, 0)
    assert (told["unknown"], told["ambiguous"]) == (["user:nobody", "x"], ["email:twin@shop.example"])
    shop.segment("vip_buyers", {"all": [{"in_segment": "vip"}, {"did": "Order"}]})
    assert shop.members("vip") == {"ada", "grace", "kay", "~a1"}
    shop.track("ada", "Order")
    assert shop.members("vip_buyers") == {"ada"}
    again = put_list(shop, "vip", "user:may", "user:ada")
    assert (again["version"], again["added"], again["removed"]) == (1, 1, 3)
    assert shop.members("vip") == {"ada", "may"}
    assert shop.get("/api/v1/segments/vip")["size"] == 2
    assert [moves(shop, who) for who in ("ada", "grace", "may")] == [["entered"], ["entered", "left"], ["entered"]]
    preview = shop.ask("POST", f"/api/v1/segments/preview?after={shop.position}", {"where": again["where"]})
    assert preview["count"] == 2
    put_list(shop, "vip")
    assert shop.members("vip") == shop.members("vip_buyers") == set()


def test_a_list_survives_joins_and_forgets_by_the_name_it_listed(shop: Shop) -> None:
    shop.send(track("~a1", "Visit"), track("~a2", "Visit"), identify("ada"), identify("grace"))
    put_list(shop, "vip", "anon:a1", "user:ada", "anon:a2")
    shop.send(identify("ada~a1"), identify("grace~a2"))
    assert shop.members("vip") == {"ada", "grace"}
    put_list(shop, "vip", "anon:a1", "user:grace")  # a1 is ada now; a2 was listed and is no more
    assert shop.members("vip") == {"ada", "grace"}
    put_list(shop, "vip", "user:grace")
    assert shop.members("vip") == {"grace"}
    assert moves(shop, "ada")[-1] == "left"
    preview = {"where": shop.get("/api/v1/segments/vip")["where"]}
    assert shop.ask("POST", f"/api/v1/segments/preview?after={shop.position}", preview)["count"] == 1


def test_a_list_may_take_the_place_of_a_rule_and_a_rule_that_of_a_list(shop: Shop) -> None:
    shop.send(track("ada", "Visit"), identify("grace"), identify("kay"))
    shop.segment("vip", {"did": "Visit"})
    put_list(shop, "vip", "user:grace")
    assert shop.members("vip") == {"grace"}
    shop.segment("vip", {"did": "Visit"})
    assert shop.members("vip") == {"ada"}
    put_list(shop, "vip", "user:kay")
    assert shop.members("vip") == {"kay"}
    shop.ask("DELETE", "/api/v1/segments/vip", expect=204)
    put_list(shop, "vip", "user:ada")
    assert shop.members("vip") == {"ada"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"list": ["user:a"] * 100_001}, "list_too_long"),
        ({"list": ["user:a"], "where": {"did": "A"}}, "invalid_segment"),
        ({"title": "nothing"}, "invalid_segment"),
    ],
)
def test_what_cannot_be_a_segment_is_refused(shop: Shop, body: Any, code: str) -> None:
    assert shop.ask("PUT", "/api/v1/segments/vip", body, expect=400)["code"] == code


# -- engagement --------------------------------------------------------------------------------------------------------


def test_engagement_counts_messages_once_each(shop: Shop) -> None:
    shop.template(body="<p>Hello <a href='https://shop.example/x'>there</a></p>")
    shop.segment("fans", {"opened": {"channel": "email"}, "count": {"gte": 2}})
    shop.segment("reached", {"received": {"channel": "email", "journey": "welcome"}, "within": "7d"})
    shop.segment("clickers", {"clicked": {"channel": "email"}})
    shop.segment("silent", {"all": [{"received": {}}, {"not": {"opened": {}}}]})
    send = {"channel": "email", "template": "hello"}
    shop.journey("welcome", {
        "entry": {"on": {"event": "Hi"}, "again": "always"}, "steps": [{"id": "mail", "send": send}],
    })  # fmt: skip
    shop.identify("ada", email="ada@shop.example")
    for day in range(2):
        shop.track("ada", "Hi")
        shop.advance("1d" if day else "1h")
    assert shop.profile("ada")["segments"] == ["reached", "silent"]
    second, first = (each["body"] for each in shop.outbox())
    person = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"}
    assert shop.http.get(link_of(first, "o"), headers=person).status_code == 200
    shop.http.get(link_of(first, "o"), headers=person)
    shop.http.get(link_of(second, "o"))  # by a program
    shop.advance("1h")
    assert "fans" not in shop.profile("ada")["segments"]
    shop.http.get(link_of(second, "o"), headers=person)
    shop.http.get(link_of(second, "c"), headers=person, follow_redirects=False)
    shop.advance("1h")
    assert shop.profile("ada")["segments"] == ["clickers", "fans", "reached"]
    shop.advance("8d")
    assert shop.profile("ada")["segments"] == ["clickers", "fans"]


# -- doctor ------------------------------------------------------------------------------------------------------------


def test_doctor_finds_a_size_a_row_and_a_record_that_do_not_agree(shop: Shop, running: Running) -> None:
    shop.segment("visitors", {"did": "Visit"})
    shop.send(*(track(f"u{number}", "Visit") for number in range(5)))
    shop.advance("0s")
    with psycopg.connect(running.database_url, autocommit=True) as connection:
        workspace = connection.execute("SELECT id FROM workspace WHERE name = %s", [shop.made["name"]]).fetchone()
        assert workspace
        [u1] = connection.execute(
            "SELECT id FROM profile WHERE workspace = %s ORDER BY id LIMIT 1", workspace
        ).fetchone() or (b"",)

        asked = {question.name: question for question in (*questions(), *deep_questions())}
        three = [asked[name] for name in ("memberships_miscounted", "memberships_differ", "records_large")]

        def found() -> list[bool]:
            return [check(Patient(connection), question).found == 0 for question in three]

        assert found() == [True, True, True]
        connection.execute(
            "UPDATE counter SET value = value + 1 WHERE workspace = %s AND name = 'segment:visitors'", workspace
        )
        assert found() == [False, True, True]
        connection.execute(
            "UPDATE counter SET value = value - 1 WHERE workspace = %s AND name = 'segment:visitors'", workspace
        )
        row = connection.execute(
            "DELETE FROM membership WHERE workspace = %s AND profile = %s RETURNING *", [*workspace, u1]
        ).fetchone()
        assert found() == [False, False, True]
        connection.execute("INSERT INTO membership VALUES (%s, %s, %s, %s)", row)
        kept: Any = connection.execute("SELECT segments FROM profile WHERE id = %s", [u1]).fetchone()
        section = msgspec.msgpack.decode(kept[0], type=Segments)
        section.leaves["x"] = list(range(1 << 40, (1 << 40) + 9_000))
        connection.execute("UPDATE profile SET segments = %s WHERE id = %s", [msgspec.msgpack.encode(section), u1])
        assert found() == [True, True, False]
        connection.execute("UPDATE profile SET segments = %s WHERE id = %s", [kept[0], u1])
    assert ref("u1") == "user:u1"
