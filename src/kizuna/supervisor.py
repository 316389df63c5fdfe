"""`kizuna up`: PostgreSQL, server, workers and sender as our children, started in order and kept running."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise

import msgspec
from msgspec import Struct

from kizuna.config import Config
from kizuna.core.errors import KizunaError
from kizuna.runtime import folder
from kizuna.runtime.child import PARENT, spawn, stop
from kizuna.runtime.folder import Running
from kizuna.runtime.gate import Gate
from kizuna.runtime.keeper import Child, Keeper, describe
from kizuna.runtime.listen import answers_ready, listen, local_address, url_of
from kizuna.runtime.postgres import Embedded, make_folder
from kizuna.runtime.signals import Signals

KIZUNA = (sys.executable, "-P", "-m", "kizuna")  # -P: a file beside the user must not shadow a module
POSTGRES = "postgres"
STANDARD_ERROR = 2  # where children write: standard output has the ready line alone
HOPELESS = 5  # ends of one child before anything is ready
AFTER_CRASH = 8.0  # seconds in which the server of a killed `up` must have let go of its port


class Process(Struct, frozen=True):
    """A child of the product. One that listens gets `--fd N` added, and loads while the database is made ready."""

    name: str
    command: tuple[str, ...]
    listens: bool = False


class Prepared(Struct, frozen=True):
    """What `kizuna prepare` found once the database was there and current."""

    partitions: int
    setup: str | None  # token of the set-up link, None when somebody owns the installation
    is_locked: bool = False  # a restored copy


Plan = Callable[[Config, int], Sequence[Process]]


def processes(config: Config, partitions: int) -> list[Process]:
    """What runs beside PostgreSQL."""
    found = [Process("serve", (*KIZUNA, "serve"), listens=True)]
    for number, (first, last) in enumerate(shares(partitions, config.workers), start=1):
        found.append(Process(f"work {number}", (*KIZUNA, "work", "--partitions", f"{first}-{last}")))
    return [*found, Process("send", (*KIZUNA, "send")), Process("archive", (*KIZUNA, "archive"))]


def shares(partitions: int, workers: int) -> list[tuple[int, int]]:
    """An even share for each worker, first and last partition included."""
    workers = min(workers, partitions)
    edges = [partitions * number // workers for number in range(workers + 1)]
    return [(first, after - 1) for first, after in pairwise(edges)]


def up(config: Config, plan: Plan = processes, prepare: Sequence[str] = (*KIZUNA, "prepare")) -> None:
    """Run until told to stop; raises `KizunaError` when it cannot start."""
    make_folder(config.data)
    with folder.held(config.data), Signals() as signals:
        has_crashed = folder.read(config.data) is not None
        folder.forget(config.data)
        with listen(config.host, config.port, AFTER_CRASH if has_crashed else 0.0) as listener:
            _Up(config, listener, signals).run(plan, prepare)


class _Up:
    """One run of `up`, read downward."""

    def __init__(self, config: Config, listener: socket.socket, signals: Signals) -> None:
        self.config = config
        self.listener = listener
        self.signals = signals
        self.url = url_of(listener)
        memory = {"shared_buffers": f"{config.postgres_memory}MB"}
        self.postgres = None if config.database_url else Embedded(memory)
        self.keeper = Keeper(_say)
        self.gate = Gate()
        self.preparing: subprocess.Popen[bytes] | None = None

    def run(self, plan: Plan, prepare: Sequence[str]) -> None:
        try:
            if self.postgres is not None:
                self.postgres.reserve(self.config.data)  # now the URL is known
            self.preparing = self._start_preparing(prepare)
            self._keep(process for process in plan(self.config, self.config.partitions) if process.listens)
            prepared = self._prepared()
            if prepared is None:
                return
            self._write_run()
            self.gate.open()
            self._keep(process for process in plan(self.config, prepared.partitions) if not process.listens)
            if not self._until_ready():
                return
            setup = f" setup={self.url}/setup?token={prepared.setup}" if prepared.setup else ""
            print(f"ready url={self.url}{setup}", flush=True)
            if prepared.is_locked:
                _say("sending is locked, this is a restored copy: `kizuna unlock-sending` if it is the original")
            while not self.signals.stopping:
                self.signals.wait(self.keeper.turn())
        finally:
            self._stop()

    def _start_preparing(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        command = (*command, "--embedded") if self.postgres is not None else command
        return spawn(command, environment=self._environment(), output=subprocess.PIPE)

    def _prepared(self) -> Prepared | None:
        """Start PostgreSQL and wait until the schema is current. None: told to stop."""
        assert self.preparing is not None  # noqa: S101
        if self.postgres is not None:
            self.postgres.make_cluster()  # while the other programs load
            self.keeper.add(Child(POSTGRES, self.postgres.launch))
        while not self.signals.stopping and self.preparing.poll() is None:
            self.signals.wait(self.keeper.turn())
            if self.postgres is not None and (reason := self.postgres.failure()):
                raise KizunaError(reason)
        if self.signals.stopping:
            return None
        if self.preparing.returncode == 1:  # it said why
            raise SystemExit(1)
        if self.preparing.returncode != 0:
            raise KizunaError(f"not started: the database is not ready ({describe(self.preparing.returncode)})")
        assert self.preparing.stdout is not None  # noqa: S101
        with self.preparing.stdout as said:
            return msgspec.json.decode(said.read(), type=Prepared)

    def _keep(self, found: Iterable[Process]) -> None:
        for process in found:
            self.keeper.add(Child(process.name, partial(self._start, process)))

    def _start(self, process: Process) -> subprocess.Popen[bytes]:
        command, inherited = process.command, [] if self.gate.is_open else [self.gate.reader]
        if process.listens:
            inherited.append(self.listener.fileno())
            command = (*command, "--fd", str(self.listener.fileno()))
        environment = {**self._environment(), **self.gate.environment()}
        return spawn(command, environment=environment, inherited=inherited, output=STANDARD_ERROR)

    def _until_ready(self) -> bool:
        """False when told to stop before."""
        while not answers_ready(local_address(self.listener)):
            due = self.keeper.turn()
            for child in self._ours():
                if child.ended_at_once >= HOPELESS:
                    raise KizunaError(f"not started: {child.name} ended {HOPELESS} times, see its words above")
            self.signals.wait(min(due or 0.05, 0.05))
            if self.signals.stopping:
                return False
        return True

    def _ours(self) -> list[Child]:
        return [child for child in self.keeper.children if child.name != POSTGRES]

    def _environment(self) -> Mapping[str, str]:
        """How children learn the settings, the command line's included, and what only we know."""
        known = {"KIZUNA_DATABASE_URL": self.database_url, "KIZUNA_URL": self.url, PARENT: str(os.getpid())}
        public = {"KIZUNA_PUBLIC_URL": self.config.public_url or self.url}
        return {**os.environ, **self.config.environment(), **known, **public}

    @property
    def database_url(self) -> str:
        return self.config.database_url if self.postgres is None else self.postgres.url

    def _write_run(self) -> None:
        folder.write(self.config.data, Running(url=self.url, database_url=self.database_url, pid=os.getpid()))

    def _stop(self) -> None:
        """Children first, PostgreSQL last, so that they can finish what they hold."""
        ours = [child.process for child in self._ours()]
        stop([process for process in (*ours, self.preparing) if process is not None])
        if self.postgres is not None:
            self.postgres.stop()
        folder.forget(self.config.data)


@contextmanager
def started(config: Config) -> Iterator[Running]:
    """A Kizuna that is ready: the one on the data folder, else one of our own that ends with the block."""
    found = folder.running(config.data) if config.data.is_dir() else None
    if found is not None:
        yield found
        return
    process = spawn((*KIZUNA, "up"), environment={**os.environ, **config.environment()}, output=subprocess.PIPE)
    try:
        assert process.stdout is not None  # noqa: S101
        said = process.stdout.readline().decode().split()
        words = dict(word.partition("=")[::2] for word in said[1:])
        found = folder.read(config.data)
        if said[:1] != ["ready"] or found is None:
            raise KizunaError("Kizuna did not start, see its words above")
        yield msgspec.structs.replace(found, setup=words.get("setup", ""))
    finally:
        stop([process], grace=90.0)
        if process.stdout is not None:
            process.stdout.close()


def _say(line: str) -> None:
    print(f"kizuna: {line}", file=sys.stderr, flush=True)
