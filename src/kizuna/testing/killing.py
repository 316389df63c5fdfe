"""A real `kizuna up` whose processes are killed without warning."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from kizuna.runtime import folder
from kizuna.runtime.child import stop

MARKS = {  # how each process is known by its command line
    "work": "-m kizuna work",
    "send": "-m kizuna send",
    "serve": "-m kizuna serve",
    "archive": "-m kizuna archive",
    "postgres": "bin/postgres -D",
}


class Killable:
    """`kizuna up` on a folder; started again after it was killed, at the same address."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data, self.options = data, options
        self.url, self.database_url = "", ""
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Killable:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            stop([self.process], grace=90.0)
            self._close()

    def start(self) -> None:
        """Returns when it is ready; raises when it ended instead."""
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-P", "-m", "kizuna", "up", "--data", str(self.data), "--port", port, *self.options]
        with (self.data.parent / f"{self.data.name}.stderr").open("ab") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)  # noqa: S603  # our own
        assert self.process.stdout is not None  # noqa: S101
        said = self.process.stdout.readline()
        found = folder.read(self.data)
        if not said.startswith(b"ready ") or found is None:
            raise RuntimeError(f"kizuna up did not start: {self.errors()[-2000:]}")
        self.url, self.database_url = found.url, found.database_url

    def errors(self) -> str:
        """What its processes wrote to standard error."""
        return (self.data.parent / f"{self.data.name}.stderr").read_text()

    def kill(self, name: str) -> int:
        """SIGKILL one kind of process, or with `up` everything at once, and start again; how many it hit."""
        assert self.process is not None  # noqa: S101
        if name != "up":
            victims = [pid for pid, _, command in listing(self.process.pid) if MARKS[name] in command]
            return sum(_kill(pid) for pid in victims)
        victims = [self.process.pid, *(pid for pid, _, _ in listing(self.process.pid))]
        hit = sum(_kill(pid) for pid in victims)
        self.process.wait()
        self._close()
        self.start()
        return hit

    def _close(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()


def listing(root: int) -> list[tuple[int, int, str]]:
    """(process id, parent, command line) of all that descends from a process; children before grandchildren."""
    answer = subprocess.run(["ps", "-ww", "-e", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True)  # noqa: S607
    every = [(int(pid), int(parent), command) for pid, parent, command in _fields(answer.stdout)]
    found: list[tuple[int, int, str]] = []
    known = {root}
    while fresh := [each for each in every if each[1] in known and each[0] not in known]:
        found += fresh
        known.update(pid for pid, _, _ in fresh)
    return found


def _fields(text: str) -> Iterator[list[str]]:
    return (line.split(None, 2) for line in text.splitlines() if len(line.split(None, 2)) == 3)


def _kill(pid: int) -> int:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return 1
    return 0
