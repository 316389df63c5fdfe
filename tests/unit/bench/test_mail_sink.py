from __future__ import annotations

import io
import socket
import sys
from pathlib import Path

import pytest
from rich.console import Console

from kizuna.bench.mail_sink import VARIABLE, mail_sink
from kizuna.core.errors import Unavailable

COUNTING = """#!{python}
import socket, sys
place, backlog = sys.argv[-2:]
with socket.create_server((place.partition(":")[0], int(place.partition(":")[2])), backlog=int(backlog)) as server:
    for number in range(1, 4):
        line, _ = server.accept()
        print("sess=0 quit=0 mesg=", number, sep="", end="\\r", flush=True)
        line.close()
    server.accept()
"""


def test_a_sink_that_is_named_is_started_and_believed_about_what_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "smtp-sink"
    program.write_text(COUNTING.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(program))
    with mail_sink(Console(file=io.StringIO())) as sink:
        for _ in range(2):  # the first was the one that looked whether it listens
            with socket.create_connection(("127.0.0.1", sink.port)) as line:
                assert line.recv(1) == b""  # it was counted
    assert (sink.name, sink.taken) == ("smtp-sink", 3)


def test_a_sink_that_does_not_listen_is_said_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "smtp-sink"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(program))
    with pytest.raises(Unavailable, match="does not listen"), mail_sink(Console(file=io.StringIO())):
        pass
