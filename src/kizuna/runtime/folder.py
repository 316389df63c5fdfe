"""The data folder: who holds it, and how a command finds the Kizuna that runs on it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from kizuna.core.errors import Conflict, NotAllowed

LOCK = "lock"
RUN = "run.json"


class Running(Struct, frozen=True, kw_only=True):
    """A Kizuna that is up, as it wrote itself down."""

    url: str  # of its HTTP server
    database_url: str
    pid: int
    setup: str = ""  # the set-up link, told to whoever started it and never written down


@contextmanager
def held(data: Path) -> Iterator[None]:
    """Hold the folder against a second server; the lock goes with the process, however it ends."""
    with _opened(data / LOCK, os.O_RDWR | os.O_CREAT) as lock:
        for _ in range(20):  # `running` looks by taking it for a moment
            if _try(lock, fcntl.LOCK_EX):
                break
            time.sleep(0.02)
        else:
            found = read(data)
            where = f" at {found.url}" if found and found.url else ""
            raise Conflict(f"Kizuna already runs on {data}{where}: stop it first or choose another --data folder")
        yield


def running(data: Path) -> Running | None:
    """The Kizuna that runs on the folder now; waits up to 10 s for one that is starting."""
    for _ in range(200):
        if not is_held(data):
            return None
        found = read(data)
        if found is not None:
            return found
        time.sleep(0.05)
    return None


def is_held(data: Path) -> bool:
    """Whether a living process holds the folder."""
    if not (data / LOCK).exists():
        return False
    with _opened(data / LOCK, os.O_RDONLY) as lock:
        return not _try(lock, fcntl.LOCK_SH)


def write(data: Path, found: Running) -> None:
    """Say how to reach us; whoever can read this can read the database."""
    unfinished = data / f"{RUN}.new"
    unfinished.unlink(missing_ok=True)
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(msgspec.json.encode(found))
    unfinished.replace(data / RUN)


def read(data: Path) -> Running | None:
    """What was last written; it may be gone by now."""
    try:
        return msgspec.json.decode((data / RUN).read_bytes(), type=Running)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    except PermissionError:
        raise NotAllowed(f"{data} belongs to another user: run this as the one who started Kizuna") from None


def forget(data: Path) -> None:
    (data / RUN).unlink(missing_ok=True)


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    try:
        lock = os.open(path, flags, 0o600)
    except PermissionError:
        raise NotAllowed(f"{path} belongs to another user: run this as the one who started Kizuna") from None
    try:
        yield lock
    finally:
        os.close(lock)


def _try(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
