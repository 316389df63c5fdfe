"""An SMTP server that takes everything at once and notes when: `python -m kizuna.bench.sink`, a process of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

REPLIES = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    b"DATA": b"354 go ahead\r\n",
    b"QUIT": b"221 2.0.0 bye\r\n",
}
END = b"\r\n.\r\n"


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, arrived: dict[str, int]) -> None:
        self.arrived = arrived
        self.to = ""
        self.unread = b""
        self.is_mail = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self.transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.unread += data
        answers: list[bytes] = []
        while True:
            part, end, rest = self.unread.partition(END if self.is_mail else b"\r\n")
            if not end:
                break
            self.unread = rest
            answers.append(self._take_mail() if self.is_mail else self._take_command(part))
        self.transport.write(b"".join(answers))

    def _take_mail(self) -> bytes:
        self.arrived[self.to] = time.time_ns() // 1000
        self.is_mail = False
        return b"250 2.0.0 taken\r\n"

    def _take_command(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"RCPT":
            self.to = line[line.index(b"<") + 1 : line.rindex(b">")].decode()
        self.is_mail = verb == b"DATA"
        return REPLIES.get(verb, b"250 2.0.0 ok\r\n")


async def serve() -> None:
    """Until the standard input ends; then says when each mail came, by address, in microseconds."""
    arrived: dict[str, int] = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Session(arrived), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(json.dumps(arrived), flush=True)
    server.close()


class Sink:
    """The process, as the one who started it holds it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout  # noqa: S101
        self.port = int(process.stdout.readline())
        self.arrived: dict[str, int] = {}

    def close(self) -> None:
        self.arrived = json.loads(self._process.communicate()[0])


@contextmanager
def sink() -> Iterator[Sink]:
    command = [sys.executable, "-m", "kizuna.bench.sink"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        found = Sink(process)
        try:
            yield found
        finally:
            if not found.arrived and process.poll() is None:
                found.close()


if __name__ == "__main__":
    asyncio.run(serve())
