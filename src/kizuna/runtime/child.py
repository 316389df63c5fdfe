"""Child processes in their own session that end with their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
PARENT = "KIZUNA_PARENT"  # the parent's process id, for systems that do not tell of its death

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    on_parent_death: signal.Signals = signal.SIGTERM,
    inherited: Sequence[int] = (),
    user: int | None = None,
    group: int | None = None,
    folder: Path | None = None,
    output: int | IO[bytes] | None = None,
    errors: int | IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child; call it from the main thread: Linux counts the death of the starting *thread* as the parent's."""
    return subprocess.Popen(  # noqa: S603  # the commands are ours
        command,
        env=None if environment is None else dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        pass_fds=inherited,
        start_new_session=True,
        user=user,
        group=group,
        extra_groups=[] if user is not None else None,
        preexec_fn=end_with_parent(on_parent_death),  # runs after the user is dropped, which would clear the signal
    )


def end_with_parent(death: signal.Signals) -> Callable[[], None]:
    """What the child does between fork and exec."""
    parent = os.getpid()

    def bind() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(death), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked to be told
            os._exit(1)

    return bind


def follow_parent() -> None:
    """In a child of ours: end when the parent did, where the system has no signal for that."""
    parent = int(os.environ.get(PARENT, "0"))
    if not parent or _libc is not None:
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="parent").start()


def stop(children: Sequence[subprocess.Popen[bytes]], grace: float = 5.0) -> None:
    """SIGTERM to all, and after `grace` seconds SIGKILL to what is left and to its session."""
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(timeout=grace)
        except subprocess.TimeoutExpired:
            grace = 0.0  # the others had as long
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
