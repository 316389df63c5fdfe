"""The private folder of PostgreSQL's socket: short, ours alone, found again after a crash."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

PREFIX = "kizuna-"
LONGEST = 107 - len("/.s.PGSQL.5432")  # what fits a socket address


def take(note: Path, user: int | None, group: int | None) -> Path:
    """The folder named in `note` when it still is ours, so that the URL outlives a crash, else a new one."""
    owner = os.geteuid() if user is None else user
    try:
        earlier = Path(note.read_text())
        state = earlier.lstat()
    except (OSError, ValueError):
        return _make(note, user, group)
    if stat.S_ISDIR(state.st_mode) and state.st_uid == owner and stat.S_IMODE(state.st_mode) == 0o700:
        return earlier
    return _make(note, user, group)


def give_back(note: Path) -> None:
    """Remove the folder after a clean stop."""
    try:
        folder = Path(note.read_text())
    except OSError:
        return
    note.unlink(missing_ok=True)
    if folder.name.startswith(PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


def _make(note: Path, user: int | None, group: int | None) -> Path:
    base = tempfile.gettempdir()
    if len(os.fsencode(base)) > LONGEST - 20 or any(sign in base for sign in ',"'):
        base = "/tmp"  # noqa: S108  # the folder in it is private
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))  # 0700
    if user is not None and group is not None:
        os.chown(folder, user, group)
    note.write_text(str(folder))
    return folder
