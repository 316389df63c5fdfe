"""PostgreSQL from the wheel as our own child: private socket, own settings, ends with its parent."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from kizuna.core.errors import KizunaError
from kizuna.runtime import socket_folder
from kizuna.runtime.binaries import MAJOR, programs
from kizuna.runtime.child import spawn
from kizuna.runtime.identity import identity_for

DATABASE = "kizuna"
SETTINGS = {
    "listen_addresses": "",  # no TCP: whoever can enter the socket's folder is us
    "port": "5432",  # only part of the socket's name
    "cluster_name": "kizuna",
    "max_connections": "60",
    "shared_buffers": "96MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "io_method": "sync",  # no extra processes
    "synchronous_commit": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "wal_buffers": "8MB",
    "checkpoint_timeout": "15min",
    "max_logical_replication_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "autovacuum": "on",
    "autovacuum_naptime": "15s",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_checkpoints": "off",
}
BUSY = ("lock file", "shared memory block")  # the server of a killed parent is still writing its last checkpoint
STOP_LIMIT = 60.0
LOG_LIMIT = 16 << 20


class Embedded:
    """One PostgreSQL on one data folder."""

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self.settings = {**SETTINGS, **(settings or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self, data: Path) -> str:
        """Make the cluster when there is none, start it, and return the URL of its database when it answers."""
        self.reserve(data)
        self.make_cluster()
        self.launch()
        while not is_there(self.url):
            if reason := self.failure():
                raise KizunaError(reason)
            if self.process is not None and self.process.poll() is not None:
                time.sleep(0.2)
                self.launch()
            time.sleep(0.02)
        return self.url

    def reserve(self, data: Path) -> None:
        """Decide where and as whom it will run; from here on `url` is known."""
        self.data = data.absolute()
        self.cluster = self.data / "postgres"
        self.log = self.data / "postgres.log"
        self.note = self.data / "postgres.socket"
        make_folder(self.data)
        self.identity = identity_for(self.cluster)
        self.programs = programs(self.identity)
        if self.cluster.exists():
            _check_major(self.cluster)
        self.sockets = socket_folder.take(self.note, self.identity.user, self.identity.group)
        self.url = f"postgresql://kizuna@/{DATABASE}?host={quote(str(self.sockets), safe='')}&port=5432"

    def make_cluster(self) -> None:
        """initdb into a folder beside, renamed when whole: a killed first start leaves nothing half made."""
        if self.cluster.exists():
            return
        unfinished = self.cluster.with_name("postgres.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if self.identity.user is not None and self.identity.group is not None:
            os.chown(unfinished, self.identity.user, self.identity.group)
        command = [
            str(self.programs / "initdb"), "-D", str(unfinished), "-U", "kizuna", "--auth=trust", "--encoding=UTF8",
            "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums",
            "--no-instructions",
        ]  # fmt: skip
        if self._spawn(command).wait() != 0:
            raise KizunaError(f"PostgreSQL could not make its data folder: {self._reason()}")
        unfinished.rename(self.cluster)

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the server without waiting for it; from the main thread (see `spawn`)."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        settings = {**self.settings, "unix_socket_directories": str(self.sockets), "unix_socket_permissions": "0700"}
        arguments = [f"--{name}={value}" for name, value in settings.items()]
        self.process = self._spawn([str(self.programs / "postgres"), "-D", str(self.cluster), *arguments])
        return self.process

    def failure(self) -> str | None:
        """Why the server is not running, if it is not and starting it again will not help."""
        if self.process is None or self.process.poll() is None or any(sign in self._said() for sign in BUSY):
            return None
        return f"PostgreSQL did not start: {self._reason()}"

    def stop(self) -> None:
        """A fast clean shutdown; open transactions are rolled back."""
        if self.process is None:
            return
        for wish, limit in ((signal.SIGINT, STOP_LIMIT), (signal.SIGQUIT, 5.0), (signal.SIGKILL, STOP_LIMIT)):
            if self.process.poll() is None:
                self.process.send_signal(wish)
            try:
                self.process.wait(timeout=limit)
                break
            except subprocess.TimeoutExpired:
                continue
        self.process = None
        socket_folder.give_back(self.note)

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            self._from = log.tell()
            return spawn(
                [*self.identity.prefix, *command],
                environment={"LC_ALL": "C", "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "TZ": "UTC"},
                on_parent_death=signal.SIGINT,
                user=None if self.identity.prefix else self.identity.user,
                group=None if self.identity.prefix else self.identity.group,
                folder=Path("/"),
                output=log,
                errors=subprocess.STDOUT,
            )

    def _said(self) -> str:
        """What the last program we started wrote."""
        with self.log.open("rb") as log:
            log.seek(self._from)
            return log.read().decode(errors="replace")

    def _reason(self) -> str:
        """The line that matters of that."""
        lines = [line for line in self._said().splitlines() if line.strip()]
        fatal = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "error:", "setpriv:"))]
        return f"{(fatal or lines[-1:] or ['it wrote nothing'])[0]} (see {self.log})"


def is_there(url: str) -> bool:
    """Whether an embedded server answers; its database is made when it is the first time."""
    import psycopg  # only here: who merely starts the server needs none of it

    server = url.replace(f"/{DATABASE}?", "/postgres?", 1)
    try:
        with psycopg.connect(server, autocommit=True, connect_timeout=10) as connection:
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).rowcount:
                connection.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg.OperationalError:
        return False
    return True


def make_folder(data: Path) -> None:
    """The data folder; its secrets are in files and folders that are closed themselves."""
    # as root PostgreSQL's user must pass through it to reach its own folder, which is 0700
    try:
        data.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KizunaError(
            f"the data folder {data} cannot be made ({error.strerror}): choose another with --data"
        ) from None
    if not os.access(data, os.W_OK | os.X_OK):
        raise KizunaError(f"the data folder {data} belongs to another user: start Kizuna as its owner or as root")


def _check_major(cluster: Path) -> None:
    try:
        found = (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise KizunaError(f"{cluster} is no PostgreSQL data folder: move it away") from None
    except PermissionError:
        raise KizunaError(f"{cluster} belongs to another user: start Kizuna as its owner or as root") from None
    if found != MAJOR:
        raise KizunaError(
            f"{cluster} was written by PostgreSQL {found}, this Kizuna runs {MAJOR}: start PostgreSQL {found} on it, "
            f"`pg_dump -Fc -U kizuna {DATABASE} > kizuna.dump`, move the folder away, run `kizuna up`, and "
            "`pg_restore --clean --if-exists -d DATABASE_URL kizuna.dump` (the URL is in run.json of the data folder)"
        )
