"""A child waits before a closed gate and passes an open one."""

from __future__ import annotations

import os
import subprocess
import sys

from kizuna.runtime.gate import Gate

PROGRAM = "from kizuna.runtime import gate; print('loaded', flush=True); gate.wait(); print('through', flush=True)"


def test_a_child_waits_until_it_opens() -> None:
    gate = Gate()
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        env={**os.environ, **gate.environment()},
        pass_fds=[gate.reader],
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "loaded\n"
    assert child.poll() is None
    gate.open()
    assert child.communicate(timeout=30)[0] == "through\n"


def test_an_open_gate_asks_nothing_of_later_children() -> None:
    gate = Gate()
    gate.open()
    gate.open()
    assert gate.environment() == {}
