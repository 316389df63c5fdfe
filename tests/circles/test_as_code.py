"""Definitions as code, over the whole product: export, plan, apply; and that a plan's numbers are what then happens."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kizuna.core import strict_yaml
from kizuna.testing.shop import Shop, identify, track

Command = Callable[..., subprocess.CompletedProcess[str]]
VIP = {"trait": "plan", "is": "vip"}
BUYERS = {"did": "Order Completed", "count": {"gte": 2}, "within": "30d"}
BOTH = {"all": [{"in_segment": "vip"}, {"in_segment": "buyers"}]}
WELCOME = {
    "entry": {"on": {"segment_entered": "vip"}, "again": "always"},
    "goal": {"event": "Order Completed", "within": "14d", "value": "properties.total"},
    "steps": [{"id": "wait", "delay": "2h"}, {"id": "mail", "send": {"channel": "email", "template": "hello"}}],
}
MAIL = {
    "channel": "email",
    "format": "liquid+html",
    "subject": "Hi {{ profile.traits.name }}",
    "body": "<p>\n  Hello\n</p>\n",
    "locales": {"ja": {"subject": "こんにちは", "body": "<p>\n  やあ\n</p>\n"}},
}


@pytest.fixture
def kizuna(data_folder: Path) -> Command:
    """Runs a command on the running product's folder, as a user would."""

    def run(shop: Shop, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", "kizuna", *arguments, "--data", str(data_folder)]
        environment = {**os.environ, "KIZUNA_WORKSPACE": shop.made["name"]}
        found = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment)
        assert found.returncode == expect, f"{found.returncode}: {found.stdout}{found.stderr}"
        return found

    return run


def furnish(shop: Shop) -> None:
    """Twelve customers, and one definition of every kind."""
    people = [f"p{n}" for n in range(12)]
    shop.send(*(identify(who, plan="vip" if n % 3 == 0 else "basic", name=who) for n, who in enumerate(people)))
    shop.send(*(track(who, "Order Completed", total=n) for n, who in enumerate(people) for _ in range(n % 4)))
    shop.ask("PUT", "/api/v1/templates/hello", MAIL)
    shop.ask("PUT", "/api/v1/segments/vip", {"title": "Our best", "where": VIP})
    shop.segment("buyers", BUYERS)
    shop.segment("both", BOTH)
    shop.journey("welcome", WELCOME)
    shop.ask("PUT", "/api/v1/journeys/welcome", {**WELCOME, "exit": [{"event": "Unsubscribed"}]})
    shop.ask("PUT", "/api/v1/journeys/someday", {"entry": {"on": {"api": True}}, "steps": []})
    send = {"channel": "email", "template": "hello", "topic": "news", "expires": "48h"}
    shop.ask("PUT", "/api/v1/campaigns/news", {"segment": "buyers", "send": send, "schedule": "now", "holdout": 2.5})
    mail = {"host": "127.0.0.1", "port": 1, "tls": "none", "from": "a@example.com", "username": "u", "password": "pw!"}
    shop.ask("PUT", "/api/v1/providers/post", {"kind": "smtp", "channel": "email", "settings": mail})


def test_export_then_plan_is_no_difference_and_files_are_stable(shop: Shop, kizuna: Command, tmp_path: Path) -> None:
    furnish(shop)
    kizuna(shop, "export", str(tmp_path / "one"))
    files = {
        path.relative_to(tmp_path / "one").as_posix(): path.read_bytes() for path in (tmp_path / "one").rglob("*.yaml")
    }
    assert set(files) == {
        "templates/hello.yaml", "providers/post.yaml", "segments/vip.yaml", "segments/buyers.yaml",
        "segments/both.yaml",
        "journeys/welcome.yaml", "journeys/welcome.draft.yaml", "journeys/someday.draft.yaml", "campaigns/news.yaml",
    }  # fmt: skip
    assert b"pw!" not in b"".join(files.values())
    assert "body: |\n      <p>\n        やあ" in files["templates/hello.yaml"].decode()
    assert kizuna(shop, "plan", str(tmp_path / "one")).stdout == "no difference\n"
    assert kizuna(shop, "apply", str(tmp_path / "one"), "--yes").stdout == "no difference\n"
    commented = tmp_path / "one" / "segments" / "vip.yaml"
    commented.write_text("# ours\n" + commented.read_text())
    assert "0 files written, 9 unchanged" in kizuna(shop, "export", str(tmp_path / "one")).stdout
    assert commented.read_text().startswith("# ours\n")
    kizuna(shop, "export", str(tmp_path / "two"))
    again = {
        path.relative_to(tmp_path / "two").as_posix(): path.read_bytes() for path in (tmp_path / "two").rglob("*.yaml")
    }
    assert again == files


def test_a_folder_makes_another_workspace_the_same(
    open_shop: Callable[..., Shop], kizuna: Command, tmp_path: Path
) -> None:
    one, other = open_shop(), open_shop()
    furnish(one)
    kizuna(one, "export", str(tmp_path))
    done = kizuna(other, "apply", str(tmp_path), "--yes").stdout
    assert "9 created, 0 changed, 0 removed, 0 unchanged" in done
    assert kizuna(other, "plan", str(tmp_path)).stdout == "no difference\n"
    assert other.get("/api/v1/definitions") == one.get("/api/v1/definitions")
    assert other.get("/api/v1/journeys/welcome")["status"] == "active"
    assert other.get("/api/v1/journeys/someday")["status"] == "draft"
    assert one.get("/api/v1/providers/post")["secrets"] == ["password"]
    assert other.get("/api/v1/providers/post")["secrets"] == []


def test_secrets_stay_when_a_provider_is_changed_by_a_file(shop: Shop, kizuna: Command, tmp_path: Path) -> None:
    furnish(shop)
    kizuna(shop, "export", str(tmp_path))
    file = tmp_path / "providers" / "post.yaml"
    file.write_text(file.read_text().replace("port: 1", "port: 2"))
    assert "settings.port: 1 → 2" in kizuna(shop, "apply", str(tmp_path), "--yes").stdout
    found = shop.get("/api/v1/providers/post")
    assert (found["settings"]["port"], found["secrets"]) == (2, ["password"])
    file.write_text(file.read_text() + "  password: told\n")
    refused = kizuna(shop, "plan", str(tmp_path), expect=1)
    assert "providers/post.yaml#/settings/password: files keep no secrets" in refused.stderr


def said(shop: Shop, *definitions: dict[str, Any]) -> dict[str, Any]:
    """The workspace's definitions with some replaced or added."""
    before = shop.get("/api/v1/definitions")["definitions"]
    named = {(each["kind"], each["name"], each.get("draft", False)): each for each in [*before, *definitions]}
    return {"definitions": list(named.values())}


def without(shop: Shop, *names: str) -> dict[str, Any]:
    before = shop.get("/api/v1/definitions")["definitions"]
    return {"definitions": [each for each in before if each["name"] not in names]}


def moved(shop: Shop, people: list[str]) -> dict[tuple[str, str], int]:
    """Facts of entering and leaving by (fact, segment)."""
    counted: dict[tuple[str, str], int] = {}
    for who in people:
        for each in shop.timeline(who):
            if each["type"] == "fact" and each["event"] in ("segment_entered", "segment_left"):
                key = (each["event"], each["properties"]["segment"])
                counted[key] = counted.get(key, 0) + 1
    return counted


def test_the_numbers_of_a_plan_are_what_then_happens(shop: Shop) -> None:
    furnish(shop)
    people = [f"p{n}" for n in range(12)]
    wanted = said(
        shop,
        {"kind": "segment", "name": "vip", "body": {"where": {"any": [VIP, {"trait": "name", "in": ["p1", "p2"]}]}}},
        {"kind": "segment", "name": "buyers", "body": {"where": {**BUYERS, "count": {"gte": 3}}}},
        {"kind": "segment", "name": "quiet", "body": {"where": {"not": {"in_segment": "buyers"}}}},
    )
    planned = shop.ask("POST", "/api/v1/plan", wanted)
    assert planned["settled"]
    reach = {each["name"]: each["reach"] for each in planned["changes"]}
    assert [(each["name"], each["action"]) for each in planned["changes"]] == [
        ("both", "unchanged"), ("buyers", "changed"), ("quiet", "created"), ("vip", "changed"),
    ]  # fmt: skip
    assert reach["vip"] == {"members": 6, "enter": 2, "leave": 0, "starts": ["welcome"]}
    assert (reach["buyers"]["enter"], reach["buyers"]["leave"]) == (0, 3)
    assert (reach["quiet"]["enter"], reach["quiet"]["leave"]) == (9, 0)
    assert (reach["both"]["enter"], reach["both"]["leave"]) == (0, 1)
    before, runs = moved(shop, people), shop.counts("welcome")["entered"]
    shop.ask("POST", "/api/v1/apply", {**wanted, "mark": planned["mark"]})
    shop.advance("0s")
    after = moved(shop, people)
    for name, numbers in reach.items():
        for fact, word in (("segment_entered", "enter"), ("segment_left", "leave")):
            assert after.get((fact, name), 0) - before.get((fact, name), 0) == numbers[word], (fact, name)
        assert shop.get(f"/api/v1/segments/{name}")["size"] == numbers["members"]
    assert shop.counts("welcome")["entered"] - runs == reach["vip"]["enter"]
    assert shop.ask("POST", "/api/v1/plan", wanted)["changes"] == []


def test_a_new_segment_and_a_journey_that_begins_with_it_start_nobody(shop: Shop) -> None:
    furnish(shop)
    gold = {"kind": "segment", "name": "gold", "body": {"where": {"trait": "plan", "is": "vip"}}}
    greet = {"kind": "journey", "name": "greet", "body": {**WELCOME, "entry": {"on": {"segment_entered": "gold"}}}}
    wanted = said(shop, gold, greet)
    reach = {each["name"]: each["reach"] for each in shop.ask("POST", "/api/v1/plan", wanted)["changes"]}
    assert reach == {"gold": {"members": 4, "enter": 4, "leave": 0}, "greet": {"open_runs": 0, "waiting": 4}}
    shop.ask("POST", "/api/v1/apply", wanted)
    shop.advance("1d")
    assert shop.counts("greet")["entered"] == 0
    shop.identify("p1", plan="vip")
    assert shop.counts("greet")["entered"] == 1


def test_a_campaign_and_a_journey_say_whom_they_touch(shop: Shop) -> None:
    furnish(shop)
    shop.identify("p1", plan="vip")  # one run of `welcome` is open from here on
    news = next(each for each in shop.get("/api/v1/definitions")["definitions"] if each["name"] == "news")
    steps = [{"id": "wait", "delay": "3h"}, WELCOME["steps"][1]]
    wanted = said(
        shop,
        {**news, "body": {**news["body"], "holdout": 5}},
        {"kind": "journey", "name": "welcome", "body": {**WELCOME, "steps": steps}},
        {"kind": "template", "name": "hello", "body": {**MAIL, "subject": "Hey"}},
    )
    lines = {each["name"]: each for each in shop.ask("POST", "/api/v1/plan", wanted)["changes"]}
    assert lines["news"]["reach"] == {"members": 6}
    assert lines["news"]["fields"] == [{"path": "holdout", "was": 2.5, "becomes": 5}]
    assert lines["welcome"]["reach"] == {"open_runs": 1, "waiting": 5}
    assert lines["welcome"]["fields"] == [{"path": "steps[wait].delay", "was": "2h", "becomes": "3h"}]
    assert lines["hello"]["reach"] == {"used_by": ["journeys/welcome", "campaigns/news"]}
    assert len(shop.ask("POST", "/api/v1/apply", wanted)["applied"]) == 3
    assert shop.ask("POST", "/api/v1/campaigns/news/launch", None, expect=202)["members"] == 6


def test_what_no_file_names_is_removed_and_what_is_needed_is_refused(shop: Shop) -> None:
    furnish(shop)
    refused = shop.call("POST", "/api/v1/apply", without(shop, "vip", "hello"))
    assert refused.status == 422
    needs = sorted(each["message"] for each in refused.body["errors"] if each["code"] == "in_use")
    assert len(needs) == len(refused.body["errors"]) == 4  # both and welcome need vip, welcome and news need hello
    assert len(shop.get("/api/v1/segments")["items"]) == 3
    wanted = without(shop, "vip", "both", "welcome")
    planned = shop.ask("POST", "/api/v1/plan", wanted)
    assert [(each["name"], each["action"]) for each in planned["changes"]] == [
        ("both", "removed"), ("vip", "removed"), ("welcome", "removed"),
    ]  # fmt: skip
    assert planned["changes"][1]["reach"] == {"members": 0, "enter": 0, "leave": 4}
    done = shop.ask("POST", "/api/v1/apply", wanted)["applied"]
    assert [each["name"] for each in done] == ["welcome", "both", "vip"]
    assert shop.get("/api/v1/journeys/welcome")["status"] == "stopped"
    assert shop.ask("POST", "/api/v1/plan", wanted)["changes"] == []
    assert shop.call("POST", "/api/v1/apply", {"definitions": []}).body["code"] == "no_definitions"


def test_every_error_is_said_with_its_file_before_anything_changes(shop: Shop, kizuna: Command, tmp_path: Path) -> None:
    furnish(shop)
    kizuna(shop, "export", str(tmp_path))
    (tmp_path / "segments" / "ring.yaml").write_text("where:\n  in_segment: ring\n")
    (tmp_path / "segments" / "bad.yaml").write_text("where:\n  trait: plan\n  is_like: 1\n")
    (tmp_path / "journeys" / "lost.yaml").write_text(
        "entry:\n  on:\n    segment_entered: nowhere\nsteps:\n  - id: a\n    delay: 1d\n"
    )
    (tmp_path / "templates" / "broken.yaml").write_text("body: '{% if %}'\nlocales:\n  ja:\n    body: '{{'\n")
    (tmp_path / "segments" / "fine.yaml").write_text("where:\n  trait: plan\n  is: vip\n")
    for command in (["plan"], ["apply", "--yes"]):
        refused = kizuna(shop, command[0], str(tmp_path), *command[1:], expect=1).stderr
        for place in (
            "segments/ring.yaml#/where",
            "segments/bad.yaml#/where",
            "journeys/lost.yaml#/entry/on",
            "templates/broken.yaml#/body",
        ):
            assert place in refused, refused
    assert {each["name"] for each in shop.get("/api/v1/segments")["items"]} == {"vip", "buyers", "both"}
    for name in ("ring", "bad"):
        (tmp_path / "segments" / f"{name}.yaml").unlink()
    (tmp_path / "segments" / "bomb.yaml").write_text(
        "a: &a [x, x]\n"
        + "".join(
            f"b{n}: &b{n} [*{'a' if not n else f'b{n - 1}'}, *{'a' if not n else f'b{n - 1}'}]\n" for n in range(40)
        )
    )
    (tmp_path / "segment").mkdir()
    (tmp_path / "segment" / "typo.yaml").write_text("where: {}\n")
    refused = kizuna(shop, "plan", str(tmp_path), expect=1).stderr
    assert "segments/bomb.yaml: line" in refused
    assert "segment: no kind has this folder" in refused


def test_a_plan_that_has_grown_old_is_refused(shop: Shop) -> None:
    furnish(shop)
    wanted = said(shop, {"kind": "segment", "name": "vip", "body": {"where": {"trait": "plan", "is": "gold"}}})
    mark = shop.ask("POST", "/api/v1/plan", wanted)["mark"]
    shop.segment("buyers", {"did": "Order Completed"})
    refused = shop.call("POST", "/api/v1/apply", {**wanted, "mark": mark})
    assert (refused.status, refused.body["code"]) == (409, "plan_is_old")
    assert shop.get("/api/v1/segments/vip")["where"] == VIP


def test_a_paused_journey_stays_paused_and_a_draft_somebody_works_on_is_kept(shop: Shop) -> None:
    furnish(shop)
    shop.ask("POST", "/api/v1/journeys/welcome/pause")
    steps = [{"id": "wait", "delay": "3h"}, WELCOME["steps"][1]]
    shop.ask(
        "POST", "/api/v1/apply", said(shop, {"kind": "journey", "name": "welcome", "body": {**WELCOME, "steps": steps}})
    )
    found = shop.get("/api/v1/journeys/welcome")
    assert (found["status"], found["version"]) == ("paused", 2)
    assert found["definition"]["steps"][0]["delay"] == "3h"
    assert found["draft"]["exit"] == [{"event": "Unsubscribed"}]


def test_apply_asks_and_changes_nothing_when_nobody_answers(shop: Shop, kizuna: Command, tmp_path: Path) -> None:
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "vip.yaml").write_text(strict_yaml.encode({"where": VIP}))
    refused = kizuna(shop, "apply", str(tmp_path), expect=1)
    assert "+ segments/vip: created; 0 enter, 0 leave, 0 afterwards" in refused.stdout
    assert "say --yes" in refused.stderr
    assert shop.get("/api/v1/segments")["items"] == []
    assert "created segments/vip" in kizuna(shop, "apply", str(tmp_path), "--yes").stdout
    assert [each["name"] for each in shop.get("/api/v1/segments")["items"]] == ["vip"]


DIGEST = {
    "entry": {"on": {"schedule": "0 9 * * mon", "zone": "profile"}, "audience": {"in_segment": "staff"}},
    "steps": [{"id": "mail", "send": {"channel": "email", "template": "hello", "topic": "news"}}],
}
BIRTHDAY = {
    "entry": {"on": {"anniversary": "birthday", "at": "09:00"}, "holdout": 2.5},
    "goal": {"event": "Order Completed", "within": "14d"},
    "steps": [
        {"id": "ab", "split": [{"next": "a"}, {"weight": 1, "next": "b"}], "bandit": {"goal": "goal"}},
        {"id": "a", "send": {"channel": "email", "template": "hello"}, "next": "end"},
        {"id": "b", "enter": {"journey": "called"}},
    ],
}
CALLED = {"entry": {"on": {"api": True}}, "steps": [{"id": "wait", "delay": "1d"}]}
RULES = {
    "caps": [{"channel": "email", "topic": "news", "max": 2, "per": "7d", "then": "hold", "hold_for": "24h"}],
    "quiet_hours": {"from": "21:00", "to": "08:00", "then": "hold"},
    "daily_ceiling": 3,
    "holdout": 0.5,
    "limits": {"complaints": {"pause": 0.001, "over": 500}},
}
SPRING = {
    "title": "春",
    "where": {"all": [{"in_segment": "staff"}, {"trait": "plan", "is": "vip"}]},
    "send": {"channel": ["email"], "template": "hello", "topic": "news", "seeds": {"list": "ours", "mark": "[Seed] "}},
    "schedule": {"local": "2026-04-01T09:00"},
    "holdout": 10,
    "variants": [{"name": "a"}, {"name": "b", "weight": 2, "template": "hello"}],
    "goal": {"event": "Order Completed", "where": [{"property": "total", "gt": 1}], "value": "properties.total"},
}


def furnish_all(shop: Shop) -> None:
    """One of everything beside what `furnish` has."""
    furnish(shop)
    shop.ask("PUT", "/api/v1/topics/news", {"title": "News", "default": "opt_in"})
    shop.ask("PUT", "/api/v1/topics/新着", {})
    shop.ask("PUT", "/api/v1/policy", RULES)
    shop.ask("PUT", "/api/v1/seed-lists/ours", {"addresses": ["one@seed.example"]})
    shop.ask("PUT", "/api/v1/segments/staff", {"title": "Our own", "list": ["user:p0", "user:p1", "user:p3"]})
    shop.segment("others", {"all": [{"not": {"in_segment": "staff"}}, VIP]})
    shop.journey("called", CALLED)
    shop.journey("digest", DIGEST)
    shop.journey("birthday", BIRTHDAY)
    shop.ask("PUT", "/api/v1/campaigns/spring", SPRING)
    at = {"segment": "staff", "send": {"template": "hello"}, "schedule": "2026-04-01T09:00:00+09:00"}
    shop.ask("PUT", "/api/v1/campaigns/later", at)


def test_one_of_everything_makes_another_workspace_the_same(
    open_shop: Callable[..., Shop], kizuna: Command, tmp_path: Path
) -> None:
    one, other = open_shop(), open_shop()
    furnish_all(one)
    kizuna(one, "export", str(tmp_path))
    files = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*.yaml")}
    assert len(files) == 20
    assert files["policy/policy.yaml"].startswith("caps:\n")
    assert files["topics/新着.yaml"] == "{}\n"
    assert files["segments/staff.yaml"] == "title: Our own\nlist: uploaded\n"
    assert kizuna(one, "plan", str(tmp_path)).stdout == "no difference\n"
    assert "20 created" in kizuna(other, "apply", str(tmp_path), "--yes").stdout
    assert kizuna(other, "plan", str(tmp_path)).stdout == "no difference\n"
    assert other.get("/api/v1/definitions") == one.get("/api/v1/definitions")
    ruling = {"caps": RULES["caps"], "quiet_hours": RULES["quiet_hours"]}
    assert {key: other.get("/api/v1/policy")[key] for key in ruling} == ruling
    assert other.get("/api/v1/topics/news")["default"] == "opt_in"
    assert other.get("/api/v1/segments/staff")["size"] == 0  # who is on a list is no definition
    assert other.get("/api/v1/campaigns/spring")["definition"] == SPRING


def test_who_is_on_a_list_stays_through_every_apply(shop: Shop) -> None:
    furnish_all(shop)
    assert shop.ask("POST", "/api/v1/plan", said(shop))["changes"] == []
    titled = said(shop, {"kind": "segment", "name": "staff", "body": {"title": "Team", "list": "uploaded"}})
    planned = shop.ask("POST", "/api/v1/plan", titled)["changes"]
    assert [(each["name"], each["action"], each.get("reach")) for each in planned] == [("staff", "changed", None)]
    shop.ask("POST", "/api/v1/apply", titled)
    assert shop.members("staff") == {"p0", "p1", "p3"}
    assert shop.get("/api/v1/segments/staff")["title"] == "Team"
    ruled = said(shop, {"kind": "segment", "name": "staff", "body": {"where": {"trait": "name", "in": ["p3", "p6"]}}})
    reach = {each["name"]: each["reach"] for each in shop.ask("POST", "/api/v1/plan", ruled)["changes"]}
    assert reach["staff"] == {"members": 2, "enter": 1, "leave": 2}
    assert (reach["others"]["enter"], reach["others"]["leave"]) == (1, 1)
    shop.ask("POST", "/api/v1/apply", ruled)
    assert shop.members("staff") == {"p3", "p6"}
    listed = said(shop, {"kind": "segment", "name": "staff", "body": {"list": "uploaded"}})
    assert shop.ask("POST", "/api/v1/plan", listed)["changes"][1]["reach"] == {"members": 0, "enter": 0, "leave": 2}
    shop.ask("POST", "/api/v1/apply", listed)
    assert shop.members("staff") == set()
    shop.ask("PUT", "/api/v1/segments/staff", {"list": ["user:p5"]})
    assert shop.members("staff") == {"p5"}


def test_a_campaign_by_rule_says_whom_it_would_reach(shop: Shop) -> None:
    furnish_all(shop)
    vips = {"kind": "segment", "name": "vip", "body": {"where": {"trait": "name", "in": ["p0", "p1", "p2"]}}}
    where = {"all": [{"in_segment": "vip"}, {"in_segment": "staff"}]}
    wanted = said(shop, vips, {"kind": "campaign", "name": "spring", "body": {**SPRING, "where": where}})
    lines = {each["name"]: each for each in shop.ask("POST", "/api/v1/plan", wanted)["changes"]}
    assert lines["spring"]["reach"] == {"members": 2}
    shop.ask("POST", "/api/v1/apply", wanted)
    now = {"kind": "campaign", "name": "spring", "body": {**SPRING, "where": where, "schedule": "now"}}
    shop.ask("POST", "/api/v1/apply", said(shop, now))
    assert shop.ask("POST", "/api/v1/campaigns/spring/launch", None, expect=202)["members"] == 2


def test_a_campaign_under_way_is_not_removed_and_a_paused_one_stays_paused(shop: Shop) -> None:
    furnish_all(shop)
    shop.ask("POST", "/api/v1/campaigns/later/launch", None, expect=202)
    refused = shop.call("POST", "/api/v1/plan", without(shop, "later"))
    assert (refused.status, refused.body["errors"][0]["code"]) == (422, "under_way")
    shop.ask("POST", "/api/v1/campaigns/later/pause")
    later = next(each for each in shop.get("/api/v1/definitions")["definitions"] if each["name"] == "later")
    shop.ask("POST", "/api/v1/apply", said(shop, {**later, "body": {**later["body"], "holdout": 5}}))
    assert shop.get("/api/v1/campaigns/later")["state"] == "paused"
    assert shop.call("POST", "/api/v1/apply", without(shop, "later")).body["errors"][0]["code"] == "under_way"
    shop.ask("POST", "/api/v1/campaigns/later/cancel")
    shop.advance("0s")
    done = shop.ask("POST", "/api/v1/apply", without(shop, "later"))["applied"]
    assert [(each["name"], each["action"]) for each in done] == [("later", "removed")]


def test_errors_of_every_kind_are_said_with_their_place(shop: Shop, kizuna: Command, tmp_path: Path) -> None:
    furnish_all(shop)
    kizuna(shop, "export", str(tmp_path))
    wrong = {
        "policy/policy.yaml": "caps:\n  - channel: email\n    max: 0\n    per: 1d\n",
        "policy/other.yaml": "caps: []\n",
        "topics/news.yaml": "default: maybe\n",
        "segments/staff.yaml": "list:\n  - user:p0\n",
        "campaigns/spring.yaml": "where:\n  in_segment: nobody\nsend:\n  template: hello\n",
        "campaigns/later.yaml": "segment: staff\nsend:\n  template: hello\nschedule: tomorrow\n",
        "journeys/digest.yaml": "entry:\n  on:\n    schedule: 0 9 * *\nsteps:\n  - id: a\n    delay: 1d\n",
        "journeys/birthday.yaml": (
            "entry:\n  on:\n    anniversary: birthday\nsteps:\n  - id: ab\n    split:\n"
            "      - weight: 1\n    bandit:\n      goal: luck\n"
        ),
    }
    for file, text in wrong.items():
        (tmp_path / file).write_text(text)
    refused = kizuna(shop, "apply", str(tmp_path), "--yes", expect=1).stderr
    for place in (
        "policy/policy.yaml#/caps/0/max: ", "policy/other.yaml: ", "topics/news.yaml#/default: ",
        "segments/staff.yaml#/list: ", "campaigns/spring.yaml#/where: ", "campaigns/later.yaml#/schedule: ",
        "journeys/digest.yaml#/entry/on/schedule: ", "journeys/birthday.yaml#/steps/0/bandit/goal: ",
    ):  # fmt: skip
        assert place in refused, refused
    assert shop.get("/api/v1/topics/news")["default"] == "opt_in"


def test_a_seed_list_in_use_stays_and_one_that_is_not_there_is_named(shop: Shop) -> None:
    furnish_all(shop)
    refused = shop.call("POST", "/api/v1/plan", without(shop, "ours"))
    assert (refused.status, refused.body["errors"][0]["code"]) == (422, "in_use")
    wrong = {**SPRING, "send": {**SPRING["send"], "seeds": "theirs"}}
    refused = shop.call("POST", "/api/v1/plan", said(shop, {"kind": "campaign", "name": "spring", "body": wrong}))
    assert [(each["pointer"][-11:], each["code"]) for each in refused.body["errors"]] == [("/send/seeds", "unknown")]


def test_a_topic_in_use_stays_and_the_policy_goes_with_its_file(shop: Shop) -> None:
    furnish_all(shop)
    refused = shop.call("POST", "/api/v1/plan", without(shop, "news"))
    assert refused.status == 422
    assert {each["code"] for each in refused.body["errors"]} == {"in_use"}
    changed = said(shop, {"kind": "topic", "name": "news", "body": {"default": "opt_out"}})
    line = shop.ask("POST", "/api/v1/plan", changed)["changes"][0]
    assert line["reach"] == {"used_by": ["policy/policy", "journeys/digest", "campaigns/news", "campaigns/spring"]}
    shop.ask("POST", "/api/v1/apply", without(shop, "policy", "新着"))
    assert shop.get("/api/v1/policy")["version"] is None
    assert [each["name"] for each in shop.get("/api/v1/topics")["items"]] == ["news"]


def test_a_message_that_a_cap_held_back_goes_when_the_policy_is_removed(shop: Shop) -> None:
    furnish(shop)
    shop.ask("PUT", "/api/v1/policy", {"caps": [{"channel": "email", "max": 1, "per": "7d", "then": "hold"}]})
    said_now = {"profile": "user:p1", "channel": "email", "template": "hello"}
    shop.ask("PUT", "/api/v1/providers/post", {"kind": "outbox", "channel": "email", "settings": {}})
    shop.identify("p1", email="p1@example.com")
    for _ in range(2):
        shop.ask("POST", "/api/v1/messages", said_now, expect=202)
    assert len(shop.outbox()) == 1
    shop.ask("POST", "/api/v1/apply", without(shop, "policy"))
    assert len(shop.outbox()) == 2


def test_a_paused_journey_that_came_to_begin_by_the_calendar_takes_everybody_once_resumed(shop: Shop) -> None:
    furnish(shop)
    shop.identify("p0", name="p0")
    shop.ask("POST", "/api/v1/journeys/welcome/pause")
    daily = {**WELCOME, "entry": {"on": {"schedule": "0 9 * * *"}}}
    shop.ask("POST", "/api/v1/apply", said(shop, {"kind": "journey", "name": "welcome", "body": daily}))
    shop.advance("1d")
    assert shop.counts("welcome")["entered"] == 0
    shop.ask("POST", "/api/v1/journeys/welcome/resume")
    shop.advance("1d")
    assert shop.counts("welcome")["entered"] == 12


# items in a file beside their catalog -------------------------------------------------------------------------------

GOODS = "fields:\n  price: number\nitems: goods.csv\n"


def goods(folder: Path, text: str, declared: str = GOODS) -> None:
    (folder / "catalogs").mkdir(exist_ok=True)
    (folder / "catalogs" / "shop.yaml").write_text(declared)
    (folder / "catalogs" / "goods.csv").write_bytes(text.encode("cp932"))


def test_wrong_items_change_nothing_and_over_http_items_stay(shop: Shop, kizuna: Command, tmp_path: Path) -> None:
    goods(tmp_path, "id,price\na,1\n")
    kizuna(shop, "apply", str(tmp_path), "--yes")
    goods(tmp_path, "id,price\na,2\na,3\nb,cheap\n")
    refused = kizuna(shop, "apply", str(tmp_path), "--yes", expect=1).stderr
    assert "catalogs/shop.yaml#/items: goods.csv line 3: id: 'a' stands on a line before" in refused
    assert "goods.csv line 4: price: 'cheap' is no number" in refused
    goods(tmp_path, "id,price\na,2\n", "items: ../goods.csv\n")
    assert "catalogs/shop.yaml#/items: the name of a file" in kizuna(shop, "plan", str(tmp_path), expect=1).stderr
    said_again = {"definitions": shop.get("/api/v1/definitions")["definitions"]}
    assert shop.ask("POST", "/api/v1/plan", said_again)["changes"] == []
    said_again["definitions"][0]["body"]["items"] = "others.csv"
    shop.ask("POST", "/api/v1/apply", said_again)
    assert shop.get("/api/v1/catalogs/shop/items")["items"] == [{"id": "a", "price": 1}]
