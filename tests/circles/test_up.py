"""`kizuna up` with a small stand-in product: starts, restarts what dies, stops cleanly, leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psycopg
import pytest

from kizuna.config import load
from kizuna.runtime.folder import Running
from kizuna.supervisor import started

STAND_IN = (str(Path(__file__).with_name("stand_in.py")),)
PRODUCT = ("-P", "-m", "kizuna")
PATIENCE = 60.0


class Up:
    """A running `kizuna up`."""

    def __init__(
        self, program: tuple[str, ...], data: Path, options: tuple[str, ...], settings: dict[str, str]
    ) -> None:
        command = [sys.executable, *program, "up", "--data", str(data), *options]
        pipe = subprocess.PIPE
        environment = {**os.environ, **settings}
        self.data = data
        self.process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment)

    def line(self) -> str:
        """The next line it prints."""
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], PATIENCE)[0], "it printed nothing"
        return self.process.stdout.readline()

    def ready(self) -> dict[str, str]:
        line = self.line()
        assert line.startswith("ready "), self.end()
        return dict(word.split("=", 1) for word in line.split()[1:])

    def running(self) -> Running:
        return msgspec.json.decode((self.data / "run.json").read_bytes(), type=Running)

    def children(self) -> dict[str, int]:
        """Process ids by name: postgres, serve, work."""
        listing = subprocess.run(
            ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=True,
        )
        found = {}
        for line in listing.stdout.splitlines():
            number, _, arguments = line.strip().partition(" ")
            for name in ("postgres", "serve", "work"):
                if f"bin/{name} " in arguments or f"stand_in.py {name}" in arguments:
                    found[name] = int(number)
        return found

    def end(self, wish: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code and what it said on standard error."""
        self.process.send_signal(wish)
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    """Starts an `up`; what still runs is stopped at the end."""
    begun: list[Up] = []

    def begin(
        *options: str,
        data: Path = tmp_path / "data",
        port: int = 0,
        program: tuple[str, ...] = STAND_IN,
        **settings: str,
    ) -> Up:
        begun.append(Up(program, data, ("--port", str(port), *options), settings))
        return begun[-1]

    yield begin
    for one in begun:
        if one.process.poll() is None:
            one.process.terminate()
        one.process.communicate(timeout=PATIENCE)


def until(condition: Callable[[], bool]) -> None:
    last = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < last, "it never came true"
        time.sleep(0.02)


def is_gone(process: int) -> bool:
    """Ended, or ended and not yet waited for by whoever inherited it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
        return answer.status == 200
    return False


def test_it_prints_ready_and_stops_cleanly(start: Callable[..., Up]) -> None:
    up = start()
    ready = up.ready()
    assert answers(ready["url"])
    assert ready["setup"].startswith(f"{ready['url']}/setup?token=")
    run, children = up.running(), up.children()
    assert run.url == ready["url"]
    assert (up.data / "run.json").stat().st_mode & 0o777 == 0o600
    assert set(children) == {"postgres", "serve", "work"}
    code, said = up.end(signal.SIGINT)
    assert (code, said) == (0, "")
    assert all(is_gone(child) for child in children.values())
    assert not (up.data / "run.json").exists()
    assert not (up.data / "postgres.socket").exists()
    assert "database system is shut down" in (up.data / "postgres.log").read_text()


def test_killed_children_are_started_again(start: Callable[..., Up]) -> None:
    up = start()
    url = up.ready()["url"]
    for name in ("serve", "work", "postgres"):
        before = up.children()[name]
        os.kill(before, signal.SIGKILL)
        until(lambda name=name, before=before: up.children().get(name, before) != before)
    until(lambda: answers(url))
    until(lambda: _is_migrated(up.running().database_url))
    code, said = up.end()
    assert code == 0
    assert [line.split(" (")[0] for line in said.splitlines()] == [
        f"kizuna: {name} ended" for name in ("serve", "work", "postgres")
    ]


def test_nothing_outlives_a_killed_parent_and_the_next_start_is_clean(start: Callable[..., Up]) -> None:
    up = start()
    ready, children = up.ready(), up.children()
    port = int(ready["url"].rpartition(":")[2])
    secret = _secret(up.running().database_url)
    up.process.kill()
    again = start(port=port)  # at once, while the others may still be ending
    assert again.ready()["url"] == ready["url"]
    until(lambda: all(is_gone(child) for child in children.values()))
    assert _secret(again.running().database_url) == secret
    log = (up.data / "postgres.log").read_text()
    assert "database system was not properly shut down" not in log
    assert again.end()[0] == 0


def test_a_second_one_on_the_folder_says_so(start: Callable[..., Up]) -> None:
    first = start()
    url = first.ready()["url"]
    second = start()
    _, said = second.process.communicate(timeout=PATIENCE)
    assert second.process.returncode == 1
    assert said.splitlines() == [
        f"kizuna: Kizuna already runs on {first.data} at {url}: stop it first or choose another --data folder"
    ]
    assert answers(url)


def test_a_taken_port_is_one_line(start: Callable[..., Up]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        up = start(port=port)
        _, said = up.process.communicate(timeout=PATIENCE)
    assert up.process.returncode == 1
    assert said == f"kizuna: port {port} of 127.0.0.1 is taken: choose another with --port (0 takes any free one)\n"


def test_the_set_up_link_is_offered_until_somebody_owns_it(start: Callable[..., Up]) -> None:
    up = start()
    first = up.ready()["setup"]
    with psycopg.connect(up.running().database_url) as connection:
        connection.execute(
            "INSERT INTO member (email, name, password, role, created_at)"
            " VALUES ('ada@example.org', 'Ada', '', 'owner', 1)"
        )
    up.end()
    again = start()
    ready = again.ready()
    assert "setup" not in ready
    assert "token=" in first


def test_commands_find_it_by_its_folder(start: Callable[..., Up]) -> None:
    up = start()
    up.ready()
    command = [sys.executable, "-P", "-m", "kizuna", "doctor", "--json", "--data", str(up.data)]
    asked = subprocess.run(command, capture_output=True, text=True, check=True)
    assert msgspec.json.decode(asked.stdout)["ok"] is True


def test_idle_it_costs_next_to_nothing(start: Callable[..., Up]) -> None:
    up = start()
    up.ready()
    ticks = os.sysconf("SC_CLK_TCK")

    def used() -> float:
        fields = Path(f"/proc/{up.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / ticks

    before = used()
    time.sleep(3)  # an idle second cannot be made shorter
    assert used() - before <= 0.02


def test_the_product_itself_starts_and_stops(start: Callable[..., Up]) -> None:
    up = start("--workers", "2", program=PRODUCT)
    url = up.ready()["url"]
    assert answers(f"{url}/health/live")
    children = up.children()
    assert up.end()[0] == 0
    assert all(is_gone(child) for child in children.values())


def test_a_database_by_url_is_used_and_left_running(start: Callable[..., Up], empty_database_url: str) -> None:
    up = start(KIZUNA_DATABASE_URL=empty_database_url)
    up.ready()
    assert "postgres" not in up.children()
    assert up.end() == (0, "")
    assert _is_migrated(empty_database_url)
    assert not (up.data / "postgres").exists()


def test_a_restored_copy_says_that_it_does_not_send(start: Callable[..., Up], database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE installation SET sending_locked_at = 1")
    up = start(KIZUNA_DATABASE_URL=database_url)
    up.ready()
    code, said = up.end()
    assert code == 0
    assert len(said.splitlines()) == 1
    assert "kizuna unlock-sending" in said


def test_a_database_that_is_not_there_is_one_line(start: Callable[..., Up]) -> None:
    up = start(KIZUNA_DATABASE_URL="postgresql://kizuna@/kizuna?host=/nowhere")
    _, said = up.process.communicate(timeout=PATIENCE)
    assert up.process.returncode == 1
    assert len(said.splitlines()) == 1
    assert "the database does not answer" in said


def test_a_data_folder_that_cannot_be_is_one_line(start: Callable[..., Up], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    up = start(data=tmp_path / "file" / "data")
    _, said = up.process.communicate(timeout=PATIENCE)
    assert (up.process.returncode, len(said.splitlines())) == (1, 1)


def test_started_gives_a_running_one_and_ends_only_its_own(tmp_path: Path) -> None:
    config = load({}, tmp_path, data=tmp_path / "data", port=0)
    with started(config) as own:
        assert answers(f"{own.url}/health/ready")
        assert own.setup.startswith(own.url)
        with started(config) as found:
            assert (found.url, found.pid) == (own.url, own.pid)
        assert answers(f"{own.url}/health/ready")
    assert not answers(f"{own.url}/health/ready")


def _is_migrated(url: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        return bool(_secret(url))
    return False


def _secret(url: str) -> bytes:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT secret FROM installation").fetchone()
    assert row is not None
    return row[0]
