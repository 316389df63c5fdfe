"""Where the mails of `send` go: postfix's `smtp-sink` on loopback, else the sink of our own, which costs more."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from rich.console import Console

from kizuna.bench.sink import sink
from kizuna.core.errors import Unavailable

VARIABLE = "KIZUNA_SMTP_SINK"  # the program, where it is not on the path
ABSENT = f"smtp-sink is not installed (Debian: apt-get install postfix; or name the program in {VARIABLE})"
_BACKLOG = 200
_START_SECONDS = 5.0
_LINE = 200  # bytes, in which it says how much it took
_TAKEN = re.compile(rb"mesg=(\d+)")


class MailSink(Struct):
    """A server that takes everything at once."""

    port: int
    name: str
    taken: int | None = None  # mails since it began, where it counts them


@contextmanager
def mail_sink(screen: Console) -> Iterator[MailSink]:
    program = os.environ.get(VARIABLE) or shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin")
    if program is None:
        screen.print(f"{ABSENT}: using a slower one of our own, which shares the processor with what is measured")
        with sink() as server:
            yield MailSink(server.port, "our own sink, NOT smtp-sink")
        return
    port = _free_port()
    command = [program, "-c", *_as_nobody(), f"127.0.0.1:{port}", str(_BACKLOG)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=_environment(program)) as process:  # noqa: S603
        found = MailSink(port, "smtp-sink")
        counting = threading.Thread(target=_count, args=(process, found))
        counting.start()
        try:
            _wait_for(process, port)
            yield found
        finally:
            process.terminate()
            counting.join()  # it reads to the end of what was said


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _as_nobody() -> list[str]:
    """It refuses to run as root."""
    return ["-u", "nobody"] if os.geteuid() == 0 else []


def _environment(program: str) -> Mapping[str, str]:
    """A package that was unpacked into a folder has its libraries there."""
    libraries = Path(program).resolve().parents[1] / "lib" / "postfix"
    return {**os.environ, "LD_LIBRARY_PATH": str(libraries)} if libraries.is_dir() else os.environ


def _count(process: subprocess.Popen[bytes], found: MailSink) -> None:
    assert process.stdout  # noqa: S101
    unread = b""
    while said := os.read(process.stdout.fileno(), 65_536):
        unread = (unread + said)[-_LINE:]  # the newest count, also where it came in two parts
        if numbers := _TAKEN.findall(unread):
            found.taken = int(numbers[-1])


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise Unavailable(f"{process.args!r} does not listen")
