"""Imports over the whole product: by command and by HTTP, broken off and gone on with, and never twice."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kizuna.core import strict_yaml
from kizuna.testing.shop import Shop

ORDERS = {
    "kind": "events",
    "columns": {
        "Customer": "userId",
        "Date": {"to": "timestamp", "format": "%d.%m.%Y %H:%M", "zone": "Asia/Tokyo"},
        "Total": {"to": "properties.total", "type": "number"},
    },
    "constants": {"event": "Order Completed"},
}
PEOPLE = {
    "kind": "profiles",
    "columns": {"Id": "userId", "Name": "traits.name", "Plan": "traits.plan"},
    "consent": {"column": "News", "channel": "email", "states": {"yes": "opted_in", "no": "opted_out"}},
}
COUNT = "SELECT count(*) AS n FROM events WHERE type = 'track'"


@pytest.fixture
def command(data_folder: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """The words of `kizuna import` of a text."""

    def words(content: str | bytes, said: dict[str, Any], name: str = "file.csv") -> list[str]:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        (tmp_path / "map.yaml").write_text(strict_yaml.encode(said))
        files = [str(tmp_path / name), "--map", str(tmp_path / "map.yaml"), "--json"]
        return [sys.executable, "-P", "-m", "kizuna", "import", *files, "--data", str(data_folder)]

    return words


def run(shop: Shop, words: list[str], expect: int = 0) -> Any:
    environment = {**os.environ, "KIZUNA_WORKSPACE": shop.made["name"]}
    found = subprocess.run(words, capture_output=True, text=True, env=environment)
    assert found.returncode == expect, found.stderr
    return msgspec.json.decode(found.stdout) if not expect else found.stderr


def settle(shop: Shop) -> None:
    """Positions of commands are not this client's: let the clock stand until all is folded."""
    shop.advance("0s")


def count(shop: Shop) -> int:
    settle(shop)
    answer = shop.ask("POST", "/api/v1/insight/sql", {"sql": COUNT})
    return int(answer["rows"][0][0] if isinstance(answer["rows"][0], list) else answer["rows"][0]["n"])


def orders(number: int) -> str:
    rows = [f"c{n % 50},{1 + n % 28:02d}.01.2026 {n % 24:02d}:00,{n}.5" for n in range(number)]
    return "\n".join(["Customer,Date,Total", *rows]) + "\n"


def test_history_counts_and_starts_nothing_and_again_does_nothing(
    shop: Shop, command: Callable[..., list[str]], tmp_path: Path
) -> None:
    shop.template()
    shop.segment("buyers", {"did": "Order Completed", "count": {"gte": 2}})
    steps = [{"id": "hi", "send": {"channel": "email", "template": "hello"}}]
    shop.journey("thanks", {"entry": {"on": {"event": "Order Completed"}, "max_age": "90d"}, "steps": steps})
    text = orders(200) + 'c1,32.01.2026 00:00,1\n,01.01.2026 00:00,1\n=c2,01.01.2026 00:00,=1+1\n"c3"x,,\n'
    words = command(text, ORDERS)
    dry = run(shop, [*words, "--dry-run"])
    assert (dry["rows"], dry["taken"], dry["rejected"]) == (204, 200, 4)
    assert [(each["line"], each["code"]) for each in dry["first_rejected"]] == [
        (202, "invalid_time"), (203, "no_identity"), (204, "invalid_number"), (205, "invalid_csv"),
    ]  # fmt: skip
    assert count(shop) == 0 and not (tmp_path / "file.csv.rejected.csv").exists()
    found = run(shop, words)
    assert (found["rows"], found["taken"], found["rejected"], found["state"]) == (204, 200, 4, "finished")
    with (tmp_path / "file.csv.rejected.csv").open(newline="") as file:
        kept = list(csv.reader(file))
    assert kept[0] == ["line", "code", "reason", "Customer", "Date", "Total"]
    assert kept[3][3:] == ["'=c2", "01.01.2026 00:00", "'=1+1"]
    assert count(shop) == 200
    assert len(shop.members("buyers")) == 50
    assert shop.counts("thanks")["entered"] == 0
    assert run(shop, words)["taken"] == 200
    assert count(shop) == 200
    assert run(shop, command(text, {**ORDERS, "backfill": False}))["taken"] == 200  # the same rows by another map
    assert count(shop) == 200
    told = {each["properties"]["total"]: each["timestamp"] for each in shop.timeline("c7") if each["type"] == "track"}
    assert told[7.5] == "2026-01-07T22:00:00Z"  # seven in the morning of the eighth in Tokyo


def test_an_import_never_makes_an_opt_in_of_an_opt_out(shop: Shop, command: Callable[..., list[str]]) -> None:
    shop.send({"type": "identify", "userId": "ada", "traits": {"name": "Ada"}})
    shop.profile("ada")
    out = {"channel": "email", "state": "opted_out", "source": "test"}
    shop.ask("PUT", "/api/v1/profiles/user:ada/consent", out)
    people = "Id,Name,Plan,News\nada,Ada,gold,yes\ngrace,Grace,gold,yes\nlinus,Linus,basic,no\nempty,,,\n"
    found = run(shop, command(people, PEOPLE))
    assert (found["taken"], found["consents"], found["rejected"]) == (4, 2, 1)
    settle(shop)
    states = {who: shop.profile(who)["consent"] for who in ("ada", "grace", "linus", "empty")}
    assert "opted_in" not in str(states["ada"]) and "opted_out" in str(states["ada"])
    assert "opted_in" in str(states["grace"]) and "opted_out" in str(states["linus"])
    assert shop.profile("ada")["traits"] == {"name": "Ada", "plan": "gold"}


def test_one_that_is_killed_goes_on_and_nothing_comes_twice(
    shop: Shop, command: Callable[..., list[str]], tmp_path: Path
) -> None:
    number = 30_000
    words = command(orders(number) + "x,never,1\n", ORDERS)
    environment = {**os.environ, "KIZUNA_WORKSPACE": shop.made["name"]}
    first = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    while not (items := shop.get("/api/v1/imports")["items"]) or not items[0]["rows"]:
        assert first.poll() is None
        time.sleep(0.02)  # looking is all there is: another process does it
    first.kill()
    first.wait()
    [broken] = shop.get("/api/v1/imports")["items"]
    assert broken["state"] == "running" and 0 < broken["rows"] < number
    found = run(shop, words)
    assert (found["id"], found["rows"], found["taken"], found["rejected"]) == (broken["id"], number + 1, number, 1)
    assert count(shop) == number
    assert len((tmp_path / "file.csv.rejected.csv").read_text().splitlines()) == 2


def upload(shop: Shop, content: bytes, said: Any, **query: str) -> tuple[int, Any]:
    text = said if isinstance(said, str) else msgspec.json.encode(said).decode()
    found = shop.http.post(
        "/api/v1/imports", params={"map": text, **query}, content=content,
        headers={"Authorization": f"Bearer {shop.made['api_key']}", "Content-Type": "text/csv"},
    )  # fmt: skip
    return found.status_code, found.json()


def finished(shop: Shop, shown: str) -> Any:
    while (found := shop.get(f"/api/v1/imports/{shown}"))["state"] == "running":
        time.sleep(0.02)
    return found


def test_a_file_may_be_uploaded(shop: Shop) -> None:
    text = orders(3000) + "x,never,1\n"
    status, began = upload(shop, text.encode("cp932"), strict_yaml.encode(ORDERS), name="orders.csv")
    assert (status, began["name"], began["kind"]) == (202, "orders.csv", "events")
    found = finished(shop, began["id"])
    assert (found["state"], found["rows"], found["taken"], found["rejected"]) == ("finished", 3001, 3000, 1)
    assert count(shop) == 3000
    again = upload(shop, text.encode("cp932"), ORDERS, name="orders.csv")[1]
    assert (again["id"], again["state"]) == (began["id"], "finished")
    kept = shop.get(f"/api/v1/imports/{began['id']}/rejected")
    assert [row[1] for row in csv.reader(io.StringIO(kept, newline=""))] == ["code", "invalid_time"]
    dry = upload(
        shop,
        b'{"Id": "ada"}\n{"Id": 5}\n{"Id": true}\n',
        {"kind": "profiles", "columns": {"Id": "userId"}},
        dry_run="true",
    )
    found = finished(shop, dry[1]["id"])
    assert (found["dry_run"], found["taken"], found["rejected"]) == (True, 2, 1)
    assert shop.call("GET", "/api/v1/profiles/user:ada").status == 404
    assert count(shop) == 3000


@pytest.mark.parametrize(
    ("content", "said", "code"),
    [
        (b"a,b\n1,2\n", ORDERS, "no_column"),
        (b"a,b\n1,2\n", "kind: events\n", "invalid_map"),
        (b"a,b\n1,2\n", "a: &a [*a]\n", "invalid_yaml"),
        (b"a,b\n1,2\n", "", "no_map"),
        (b"PAR1" + b"x" * 100, ORDERS, "invalid_file"),
        ("Customer,Date,Total\nJosé,1,2\n".encode("cp1252"), ORDERS, "encoding"),
        (b"", ORDERS, "invalid_header"),
    ],
)
def test_what_cannot_be_imported_is_refused_and_leaves_nothing(
    shop: Shop, data_folder: Path, content: bytes, said: Any, code: str
) -> None:
    def left() -> set[str]:
        folder = data_folder / "imports"
        return {path.name for path in folder.iterdir() if "-new_" in path.name} if folder.exists() else set()

    status, answer = upload(shop, content, said)
    assert (400 <= status < 500, answer["code"]) == (True, code)
    assert shop.get("/api/v1/imports")["items"] == []
    assert left() == set()


def test_a_restarted_server_goes_on_with_what_it_holds(open_house: Callable[..., Any], tmp_path: Path) -> None:
    first = open_house(data=tmp_path)
    made = first.workspace(clock="test", start="2026-03-01T00:00:00Z")
    headers = first.bearer(made)
    content = orders(5000).encode()
    query = {"map": msgspec.json.encode(ORDERS).decode(), "name": "orders.csv"}
    began = first.client.post("/api/v1/imports", params=query, content=content, headers=headers).json()

    def ended(house: Any) -> Any:
        """Once its upload is let go of, which is the last it does."""
        while True:
            found = house.client.get(f"/api/v1/imports/{began['id']}", headers=headers).json()
            if found["state"] != "running" and not kept.exists():
                return found
            time.sleep(0.02)

    kept = tmp_path / "imports" / f"{made['id'].removeprefix('wsp_')}-{began['id'].removeprefix('imp_')}"
    assert ended(first)["taken"] == 5000
    first.sql("UPDATE import SET state = 'running', rows = 4000, taken = 4000")
    kept.write_bytes(content)
    assert ended(open_house(data=tmp_path))["taken"] == 5000
    [(items,)] = first.sql("SELECT sum(items)::bigint FROM log")
    assert items == 6000  # the last thousand are there again under their ids, which the fold takes once
