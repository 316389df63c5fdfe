"""As whom PostgreSQL runs: it refuses root, so root lends its data folder to another user."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from pathlib import Path

from msgspec import Struct

from kizuna.core.errors import KizunaError

USERS = ("kizuna", "postgres", "nobody")
SEARCH_CAPABILITIES = (("dac_read_search", 2), ("dac_override", 1))  # the second where a container took the first


class Identity(Struct, frozen=True):
    """A user to become (None: stay who we are) and the command that starts programs as that user."""

    user: int | None = None
    group: int | None = None
    prefix: tuple[str, ...] = ()  # when set, the command changes the user itself


def identity_for(folder: Path) -> Identity:
    """Who runs PostgreSQL on `folder`, which need not exist yet."""
    if os.geteuid() != 0:
        return Identity()
    user = _owner(folder) or _first_user()
    group = pwd.getpwuid(user).pw_gid
    if all(may_enter(parent, user, group) for parent in folder.parents):
        return Identity(user, group)
    return Identity(user, group, _searching(user, group, folder))


def may_enter(folder: Path, user: int, group: int) -> bool:
    """Whether `user` may pass through `folder` by its mode."""
    state = folder.stat()
    if state.st_uid == user:
        return bool(state.st_mode & stat.S_IXUSR)
    return bool(state.st_mode & (stat.S_IXGRP if state.st_gid == group else stat.S_IXOTH))


def _owner(folder: Path) -> int | None:
    """The user an existing data folder already belongs to."""
    try:
        return folder.stat().st_uid or None
    except FileNotFoundError:
        return None


def _first_user() -> int:
    for name in USERS:
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise KizunaError("PostgreSQL does not run as root and there is no user 'nobody': create a user named kizuna")


def _searching(user: int, group: int, folder: Path) -> tuple[str, ...]:
    """A command that keeps, for that user, root's right to pass through closed folders; nobody's mode changes."""
    setpriv = shutil.which("setpriv", path=f"{os.environ.get('PATH', '')}:/usr/bin:/bin")
    effective = _effective_capabilities()
    for name, bit in SEARCH_CAPABILITIES:
        if setpriv and effective >> bit & 1:
            return (
                setpriv, f"--reuid={user}", f"--regid={group}", "--clear-groups",
                f"--inh-caps=+{name}", f"--ambient-caps=+{name}", "--pdeathsig=INT",
            )  # fmt: skip
    raise KizunaError(
        f"PostgreSQL runs as user {pwd.getpwuid(user).pw_name}, who may not enter the folders above {folder}: "
        "choose another --data folder, install setpriv, or start Kizuna as another user than root"
    )


def _effective_capabilities() -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
