"""Take a tracking request: whose is it, what does it say, commit, answer."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from kizuna.accounts import store as accounts
from kizuna.accounts.caller import Caller
from kizuna.accounts.keys import KeyRing
from kizuna.core.errors import NotAllowed, NotSignedIn
from kizuna.engine.slice import Workspace
from kizuna.events.log import Appends
from kizuna.events.pressure import Pressure
from kizuna.events.wires import Decoded, Refused
from kizuna.events.wires.segment import PATHS, Reader
from kizuna.runtime.database import Database

LARGE = 1 << 20  # bytes; reading more would keep everybody else waiting
NOBODY = Workspace(0, "", "live", "UTC", "", "")  # whose a request is until its body names a key


class Ingested(Struct, frozen=True):
    """What became of a request."""

    position: int
    refused: Sequence[Refused]


class Ingest:
    """The ingest of one server process."""

    def __init__(
        self,
        database: Database,
        log: Appends,
        keys: KeyRing,
        *,
        max_body: int = 32 << 20,
        max_event: int = 512 << 10,
        most_behind: int = 200_000,
    ) -> None:
        self.database = database
        self.log = log
        self.keys = keys
        self.max_body = max_body
        self.max_event = max_event
        self.pressure = Pressure(database, most_behind)

    async def take(self, path: str, body: bytes, authorization: str, idempotency_key: str = "") -> Ingested:
        """Raises `Invalid` for an unreadable body, `NotSignedIn` without a good key, `TooMany` under pressure."""
        seed = blake2b(idempotency_key.encode() + b"\0" + body).digest() if idempotency_key else b""
        caller = await self._caller(authorization)
        decoded = await self._read(caller.workspace if caller else NOBODY, path, body, seed)
        named = [await self._by_key(key) for key in sorted(decoded.write_keys)]
        callers = [caller, *named] if caller else named
        if not callers:
            raise NotSignedIn("send the write key by Basic auth or as writeKey", code="unknown_write_key")
        workspace = callers[0].workspace
        if any(other.workspace.id != workspace.id for other in callers):
            raise NotAllowed("the keys of this request are of different workspaces", code="keys_disagree")
        await self.pressure.check(workspace.id)
        if caller is None:  # clients that send no header name their key inside: read again, now knowing the workspace
            decoded = await self._read(workspace, path, body, seed)
        position = await self.log.append(workspace.id, decoded.items, refused=decoded.refused, source=source_of(path))
        return Ingested(position, decoded.refused)

    async def _read(self, workspace: Workspace, path: str, body: bytes, seed: bytes) -> Decoded:
        reader = Reader(workspace.id, await self._now(workspace), workspace.zone, self.max_event, seed)
        if len(body) < LARGE:
            return reader.read(path, body)
        return await asyncio.to_thread(reader.read, path, body)

    async def _now(self, workspace: Workspace) -> int:
        if workspace.clock == "live":
            return time.time_ns() // 1000
        async with self.database.connection() as conn:
            return await accounts.now(conn, workspace.id)

    async def _caller(self, authorization: str) -> Caller | None:
        scheme, _, value = authorization.partition(" ")
        match scheme.lower():
            case "basic":
                return await self._by_key(_basic_user(value))
            case "bearer":
                return await self._by_key(value.strip())
        return None

    async def _by_key(self, key: str) -> Caller:
        try:
            caller = await self.keys.caller(key)
        except NotSignedIn:
            raise NotSignedIn("this write key is unknown or was taken back", code="unknown_write_key") from None
        caller.require("ingest")
        return caller


def source_of(path: str) -> str:
    """Where a refused event came from; a path for one kind of event says the kind, which the event itself may not."""
    kind = PATHS[path]
    return "segment" if kind == "batch" else f"segment:{kind}"


def _basic_user(value: str) -> str:
    try:
        return base64.b64decode(value.strip(), validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        raise NotSignedIn("the Basic authorization cannot be read", code="unknown_write_key") from None


def settings_of(write_key: str, host: str) -> dict[str, Any]:
    """What browser and mobile clients ask for before they start."""
    return {
        "integrations": {
            "Segment.io": {
                "apiKey": write_key,
                "apiHost": f"{host}/v1",
                "unbundledIntegrations": [],
                "addBundledMetadata": True,
            }
        },
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "edgeFunction": {},
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "consentSettings": {},
    }
