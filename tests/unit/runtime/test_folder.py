"""The data folder: one holder, found by others, also after a crash."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kizuna.core.errors import Conflict
from kizuna.runtime import folder
from kizuna.runtime.folder import Running

RUN = Running(url="http://127.0.0.1:8700", database_url="postgresql://x", pid=1)


def test_a_second_holder_is_refused(tmp_path: Path) -> None:
    with folder.held(tmp_path):
        folder.write(tmp_path, RUN)
        with pytest.raises(Conflict, match=r"already runs on .* at http://127.0.0.1:8700"), folder.held(tmp_path):
            pass
    with folder.held(tmp_path):
        pass


def test_what_runs_is_found_only_while_it_runs(tmp_path: Path) -> None:
    assert folder.running(tmp_path) is None
    with folder.held(tmp_path):
        folder.write(tmp_path, RUN)
        assert folder.running(tmp_path) == RUN
    assert folder.running(tmp_path) is None  # as after a crash: run.json is still there
    assert folder.read(tmp_path) == RUN


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, signal, sys; from kizuna.runtime.folder import held\n"
        "with held(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert ended.returncode == -9
    with folder.held(tmp_path):
        pass


def test_only_we_may_read_where_it_is(tmp_path: Path) -> None:
    folder.write(tmp_path, RUN)
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600
