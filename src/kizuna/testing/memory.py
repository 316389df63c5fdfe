"""What a process of the product uses, looked at from outside."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kizuna.runtime.folder import Running


class ServerProcess:
    """The HTTP server of a running Kizuna."""

    def __init__(self, running: Running) -> None:
        command = ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(running.pid)]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()  # noqa: S603
        self.number = next(int(line.split()[0]) for line in listed if " serve" in line)

    def memory(self) -> int:
        """Megabytes in use, as `VmRSS` says."""
        lines = Path(f"/proc/{self.number}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024


@contextmanager
def in_bounded_memory(running: Running, megabytes: int) -> Iterator[None]:
    """Asserts that the server never uses that much more than before; looked at all the time."""
    server, most, done = ServerProcess(running), 0, threading.Event()
    before = server.memory()

    def look() -> None:
        nonlocal most
        while not done.wait(0.005):
            most = max(most, server.memory())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    assert most - before < megabytes, f"{most - before} MB more than before"  # noqa: S101
