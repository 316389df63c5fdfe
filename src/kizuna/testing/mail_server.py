"""A real SMTP server on loopback that keeps what it was told and misbehaves as its script says."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable
from typing import Any, Self

from msgspec import Struct

# When a script may act: once the recipient was named, in the middle of the mail, when all of it was read (and is not
# taken over yet), and when it is taken over.
RCPT, DATA, DOT, TAKEN = "rcpt", "data", "dot", "taken"
DROPS, HANGS = "drops", "hangs"
HANGS_SECONDS = 60.0
_MESSAGE_ID = re.compile(rb"^message-id:\s*<([^>]+)>", re.IGNORECASE | re.MULTILINE)


class Act(Struct, frozen=True):
    """What it does at one of the moments above: a reply, or `DROPS` or `HANGS`; after `seconds`."""

    at: str
    does: str
    seconds: float = 0.0


Script = Callable[[str, int], Act | None]  # the recipient, and the how manieth time they are named, from 1


class Taken(Struct, frozen=True):
    """A mail that the server took over, whatever the sender heard of it. `told_at` is when it read the recipient."""

    message_id: str
    recipient: str
    told_at: float
    taken_at: float


class MailServer:
    """Use it as a context; `taken` and `told` (how often each recipient was named) grow meanwhile."""

    def __init__(self, script: Script = lambda recipient, time: None) -> None:
        self.script = script
        self.taken: list[Taken] = []
        self.told: dict[str, int] = {}
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @property
    def settings(self) -> dict[str, Any]:
        """Of a provider of kind `smtp` that hands over here."""
        return {"host": "127.0.0.1", "port": self.port, "tls": "none", "from": "Shop <news@shop.example>"}

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 22))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        server.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Conversation(self, reader, writer).hold()
        except (OSError, EOFError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # they hung up, or we do
        finally:
            writer.close()


class _Conversation:
    """With one client."""

    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.recipient, self.told_at = "", 0.0
        self.act: Act | None = None

    async def hold(self) -> None:
        self._say("220 mail.example ESMTP")
        while line := await self.reader.readline():
            verb = line[:4].upper().strip()
            match verb:
                case b"EHLO":
                    self.writer.write(b"250-mail.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")
                case b"RCPT":
                    await self._rcpt(line.decode(errors="replace"))
                case b"DATA":
                    await self._data()
                case b"QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 OK")

    async def _rcpt(self, line: str) -> None:
        self.recipient, self.told_at = line[line.index("<") + 1 : line.index(">")], time.time()
        times = self.server.told[self.recipient] = self.server.told.get(self.recipient, 0) + 1
        self.act = self.server.script(self.recipient, times)
        if await self._plays(RCPT):
            self.recipient = ""
        else:
            self._say("250 OK")

    async def _data(self) -> None:
        if not self.recipient:
            self._say("503 nobody to send it to")
            return
        self._say("354 go ahead")
        if self.act is not None and self.act.at == DATA:
            await self.reader.readline()
            await self._plays(DATA)
        mail = await self.reader.readuntil(b"\r\n.\r\n")
        if await self._plays(DOT):
            return
        named = _MESSAGE_ID.search(mail)
        message_id = named[1].decode() if named else ""
        self.server.taken.append(Taken(message_id, self.recipient, self.told_at, time.time()))
        if not await self._plays(TAKEN):
            self._say("250 2.0.0 taken")

    async def _plays(self, moment: str) -> bool:
        """Whether the script had something else to say at this moment."""
        act = self.act
        if act is None or act.at != moment:
            return False
        await asyncio.sleep(act.seconds)
        if act.does == HANGS:
            await asyncio.sleep(HANGS_SECONDS)
        if act.does in (HANGS, DROPS):
            raise ConnectionAbortedError
        if act.does:
            self._say(act.does)
            if act.does.startswith("421"):
                await self.writer.drain()
                raise ConnectionAbortedError
        return bool(act.does)

    def _say(self, reply: str) -> None:
        self.writer.write(f"{reply}\r\n".encode())
