"""A backup of a real database and lake, put back elsewhere."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from kizuna.config import Config
from kizuna.core import ids
from kizuna.core.errors import Conflict, Invalid, KizunaError
from kizuna.engine.moment import Item
from kizuna.messages import sql_sending
from kizuna.messages.desk import Desk
from kizuna.messages.unlock import unlock_sending
from kizuna.runtime import migrate
from kizuna.runtime.archiver import Archiver
from kizuna.runtime.backup import archive, lake_files
from kizuna.runtime.backup.make import backup
from kizuna.runtime.backup.restore import restore
from kizuna.runtime.database import connect
from kizuna.runtime.lake.place import folder_of
from kizuna.runtime.lake.query import Lake
from kizuna.testing.mail import TEMPLATE, plan, put_definition, put_profile, state_of
from kizuna.testing.tenant import make_workspace

from .lake_builder import START, History


def config(url: str, data: Path) -> Config:
    return Config(database_url=url, data=data, lake_url=str(data / "lake"))


@pytest.fixture
def original(database_url: str, tmp_path: Path) -> Config:
    return config(database_url, tmp_path / "original")


@pytest.fixture
def copy(empty_database_url: str, tmp_path: Path) -> Config:
    return config(empty_database_url, tmp_path / "copy 絆")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kizuna.backup"


def an_item(number: int) -> Item:
    profile = ids.profile_id(1, "user", f"p{number % 7}")
    return Item(profile=profile, id=f"e{number}", type="track", name="Opened", timestamp=START + number)


def everything(url: str) -> dict[str, Counter[Any]]:
    """All rows of all tables."""
    with connect(url) as connection:
        tables = connection.execute("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {
            name: Counter(row[0] for row in connection.execute(f"SELECT t::text FROM {name} t"))  # type: ignore[arg-type]
            for (name,) in tables
        }


def test_every_row_comes_back_and_sending_is_locked(
    original: Config, copy: Config, file: Path, connection: psycopg.Connection[Any]
) -> None:
    workspace = make_workspace(connection)
    put_profile(connection, workspace, "ada", zone="Asia/Tokyo", note="tab\tline\n\\ 絆")
    connection.execute("INSERT INTO member (email, name, password, role, created_at) VALUES ('a', 'A', '', 'owner', 1)")
    connection.execute("INSERT INTO session VALUES ('\\x00ff', 1, 1, 1)")
    connection.execute("SELECT nextval('position') FROM generate_series(1, 41)")
    connection.commit()
    assert "tables" in backup(original, str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    said = restore(copy, str(file))
    assert any("unlock-sending" in line for line in said)
    was, is_now = everything(original.database_url), everything(copy.database_url)
    assert was.pop("installation") != is_now.pop("installation")
    assert is_now == was
    with connect(copy.database_url) as restored:
        assert restored.execute("SELECT nextval('position')").fetchone() == (42,)
        assert make_workspace(restored, "next") == workspace + 1
        assert restored.execute("SELECT sending_locked_at IS NOT NULL FROM installation").fetchone() == (True,)


def test_lake_and_log_together_hold_each_event_once(
    original: Config, copy: Config, file: Path, connection: psycopg.Connection[Any]
) -> None:
    connection.autocommit = True
    history = History(connection)
    for number in range(60):
        history.say([an_item(number)])
        if number in (20, 40):
            Archiver(original, connection).turn()
    backup(original, str(file))
    for number in range(60, 80):
        history.say([an_item(number)])
    Archiver(original, connection).turn()
    restore(copy, str(file))
    with connect(copy.database_url, autocommit=True) as restored:
        for _ in range(2):  # from lake and log, then from the lake alone
            asked = Lake(copy).query_sync(restored, history.workspace, "SELECT id FROM events", {})
            assert sorted(row[0] for row in asked) == sorted(f"e{number}" for number in range(60))
            Archiver(copy, restored).turn()
        heads = restored.execute("SELECT bool_and(archived = applied) FROM log_head WHERE applied > 0").fetchone()
        assert heads == (True,)


def test_the_archivers_note_is_no_newer_than_the_copied_lake(
    original: Config, copy: Config, file: Path, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is archived between the look at the lake and the snapshot would else never reach the copy's lake."""
    connection.autocommit = True
    history = History(connection)
    history.say([an_item(1)])
    Archiver(original, connection).turn()
    look = lake_files.take_table

    def look_and_go_on(*given: Any) -> None:
        look(*given)
        if given[0].name == "profiles":  # the last one
            history.say([an_item(2)])
            Archiver(original, connection).turn()

    monkeypatch.setattr(lake_files, "take_table", look_and_go_on)
    backup(original, str(file))
    restore(copy, str(file))
    with connect(copy.database_url, autocommit=True) as restored:
        Archiver(copy, restored).turn()
        restored.execute("DELETE FROM log")
        asked = Lake(copy).query_sync(restored, history.workspace, "SELECT id FROM events ORDER BY id", {})
    assert asked == [("e1",), ("e2",)]


def test_files_cleaned_away_meanwhile_are_still_copied(
    original: Config, copy: Config, file: Path, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.autocommit = True
    history = History(connection)
    archiver = Archiver(original, connection)
    for number in range(5):
        history.say([an_item(number)])
        archiver.turn()
    look = lake_files.take_table

    def look_and_tidy(*given: Any) -> None:
        look(*given)
        if given[0].name == "profiles":
            table = archiver.writer(history.workspace).events
            assert table.optimize.compact()["numFilesRemoved"]
            assert table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)

    monkeypatch.setattr(lake_files, "take_table", look_and_tidy)
    backup(original, str(file))
    restore(copy, str(file))
    with connect(copy.database_url, autocommit=True) as restored:
        restored.execute("DELETE FROM log")
        asked = Lake(copy).query_sync(restored, history.workspace, "SELECT count(*) FROM events", {})
    assert asked == [(5,)]
    assert not list(folder_of(original, history.workspace).parent.glob(".backup-*"))


def test_a_long_commit_log_is_copied_from_its_checkpoint_on(
    original: Config, copy: Config, file: Path, connection: psycopg.Connection[Any]
) -> None:
    connection.autocommit = True
    history = History(connection)
    archiver = Archiver(original, connection)
    for number in range(55):
        history.say([an_item(number)])
        archiver.turn()
    backup(original, str(file))
    manifest = archive.verify(file)
    assert any(".checkpoint." in member.name for member in manifest.members)
    assert sum("events/_delta_log" in member.name for member in manifest.members) < 50
    restore(copy, str(file))
    with connect(copy.database_url, autocommit=True) as restored:
        again = Archiver(copy, restored)
        again.turn()
        restored.execute("DELETE FROM log")
        asked = Lake(copy).query_sync(
            restored, history.workspace, "SELECT count(*), count(DISTINCT id) FROM events", {}
        )
    assert asked == [(55, 55)]


def test_a_damaged_file_touches_nothing(original: Config, copy: Config, file: Path) -> None:
    backup(original, str(file))
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(Invalid):
        restore(copy, str(file))
    with connect(copy.database_url) as restored:
        assert restored.execute("SELECT to_regclass('installation')").fetchone() == (None,)
    assert not copy.data.exists()


def test_a_newer_schema_is_refused(original: Config, copy: Config, file: Path) -> None:
    with file.open("wb") as out:
        archive.Writer(out).close(
            archive.Manifest(
                format=1, kizuna="9", schema="9999_pre", taken_at=1, tables={}, sequences={}, lakes=[], has_secret=False
            )
        )
    with pytest.raises(Invalid, match="install a newer one"):
        restore(copy, str(file))


def test_an_older_schema_is_migrated(postgres_url: str, copy: Config, file: Path, tmp_path: Path) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute("CREATE DATABASE old_one")
    url = postgres_url.replace("/kizuna?", "/old_one?")
    with connect(url, binary=False) as old:
        migrate.create(old, "0001_pre")
        old.execute("INSERT INTO installation (partitions, secret, created_at) VALUES (8, '\\x01', 7)")
        old.execute("INSERT INTO veto VALUES (1, '\\x02', 'v', 'email', '')")
        old.commit()
    backup(config(url, tmp_path / "old"), str(file))
    assert archive.verify(file).schema == "0001_pre"
    restore(copy, str(file))
    with connect(copy.database_url) as restored:
        migrate.require_current(restored)
        assert restored.execute("SELECT partitions, secret FROM installation").fetchone() == (8, b"\x01")
        assert restored.execute("SELECT id, at > 0 FROM veto").fetchone() == ("v", True)
    assert migrate.is_sending_locked(copy.database_url)


def test_a_place_that_is_not_empty_is_refused(original: Config, copy: Config, file: Path) -> None:
    backup(original, str(file))
    with pytest.raises(Conflict, match="holds something already"):
        restore(original, str(file))
    lake = copy.data / "lake"
    (lake / "1").mkdir(parents=True)
    with pytest.raises(Conflict, match="lake folder"):
        restore(copy, str(file))


def test_a_restore_that_fails_leaves_an_empty_place(
    original: Config, copy: Config, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(original, str(file))

    def fail(*_: Any) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr(migrate, "run_after", fail)
        restore(copy, str(file))
    restore(copy, str(file))


def test_settings_come_without_secrets(
    original: Config, copy: Config, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kizuna.toml").write_text(
        'secret = "hidden"\ndatabase_url = "postgresql://me:hidden@db/x"\n'
        'port = 9000\nallow_private_targets = ["::1"]\n'
    )
    backup(msgspec.structs.replace(original, secret="hidden"), str(file))
    said = restore(copy, str(file))
    kept = copy.data / "kizuna.toml.restored"
    assert kept.read_text() == 'allow_private_targets = ["::1"]\nport = 9000\n'
    assert any(str(kept) in line for line in said)
    assert any("KIZUNA_SECRET" in line for line in said)


def test_nothing_to_back_up_is_one_line(copy: Config, file: Path) -> None:
    with pytest.raises(KizunaError, match="no installation"):
        backup(copy, str(file))
    assert not file.exists()


# sending -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def locked(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A copy with one message due."""
    workspace = make_workspace(connection)
    put_definition(connection, workspace, "template", "hello", TEMPLATE)
    plan(connection, workspace, put_profile(connection, workspace, "ada"))
    connection.execute("UPDATE installation SET sending_locked_at = 1")
    connection.commit()
    return connection


def claimed(connection: psycopg.Connection[Any]) -> int:
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        return len(sql_sending.due(cursor)) + len(sql_sending.claim(cursor, 1, "email", 1 << 60, 10))


def test_a_locked_copy_claims_nothing(locked: psycopg.Connection[Any]) -> None:
    assert claimed(locked) == 0
    assert unlock_sending(locked, Desk.of(locked, "", ""), "send") == "sending is unlocked"
    assert claimed(locked) == 2
    assert unlock_sending(locked, Desk.of(locked, "", ""), None) == "sending was not locked"


def test_what_the_original_may_have_sent_needs_a_word(locked: psycopg.Connection[Any]) -> None:
    desk = Desk.of(locked, "", "")
    with pytest.raises(Conflict, match="1 marketing messages are due"):
        unlock_sending(locked, desk, None)
    assert claimed(locked) == 0
    assert "1 messages ended as unknown" in unlock_sending(locked, desk, "drop")
    row = locked.execute("SELECT id FROM message").fetchone()
    assert row
    assert state_of(locked, row[0]) == ("unknown", "restored")
    assert locked.execute("SELECT count(*) FROM log").fetchone() == (1,)  # the fact that releases what was reserved
    assert claimed(locked) == 0
