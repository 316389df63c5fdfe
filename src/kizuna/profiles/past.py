"""Time travel: a record as it was at an instant, folded from its own history by the engine that folds it live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from psycopg import Connection

from kizuna.core import clock
from kizuna.core.errors import Invalid, NotFound
from kizuna.engine import store as engine_store
from kizuna.engine.batch import Engine
from kizuna.engine.record import StoredRecord
from kizuna.engine.replay import Replay
from kizuna.engine.slice import Definition, Workspace
from kizuna.engine.state import LogRow
from kizuna.profiles.section import Profile
from kizuna.profiles.show import ProfileViews
from kizuna.runtime.database import connect
from kizuna.runtime.lake.place import Place
from kizuna.runtime.lake.query import Lake
from kizuna.runtime.lake.recorded import recorded

AT_ONCE = 2
MOST_MERGES = 100
_ALL_PROGRAMS = (1 << 31) - 1


class Settings(Place, Protocol):
    @property
    def database_url(self) -> str: ...


class PastProfiles:
    """`new_engine` makes an engine over a state in memory, of a number of partitions."""

    def __init__(self, config: Settings, new_engine: Callable[[int], Engine], views: ProfileViews) -> None:
        self.config = config
        self.new_engine = new_engine
        self.views = views
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def as_of(self, workspace: Workspace, profile: bytes, asked: str, now: int) -> dict[str, Any]:
        """The profile as the API shows it, all said up to and at that instant included; whom it was part of then."""
        at = clock.read_time(asked, workspace.zone)
        if at is None:
            raise Invalid(f"as_of must be a date or an RFC 3339 time, not {asked!r}", code="invalid_time")
        if at > now:
            raise Invalid(f"as_of lies ahead: it is {clock.show(now)} in this workspace", code="in_the_future")
        async with self._gate:
            record = await asyncio.to_thread(self._record, workspace, profile, at)
        return self.views.whole(self._row(record))

    def _record(self, workspace: Workspace, profile: bytes, at: int) -> StoredRecord:
        with connect(self.config.database_url, name="kizuna past") as connection:
            with connection.cursor(binary=True) as cursor:
                definitions = engine_store.definitions(cursor, workspace.id, _ALL_PROGRAMS)
            for _ in range(MOST_MERGES):
                record = self._fold(connection, workspace, definitions, profile, at)
                if record is None:
                    break
                survivor = self._profile(record).merged_into
                if not survivor:
                    return record
                profile = survivor
        raise NotFound(f"there was no such profile at {clock.show(at)}")

    def _fold(
        self, connection: Connection[Any], workspace: Workspace, definitions: list[Definition], profile: bytes, at: int
    ) -> StoredRecord | None:
        rows = recorded(connection, Lake(self.config), workspace.id, at + 1, clock=workspace.clock, profile=profile)
        replay = Replay(
            self.new_engine(workspace.partitions), workspace, definitions,
            (LogRow(*msgspec.structs.astuple(row)) for row in rows),
        )  # fmt: skip
        replay.run(at + 1)
        connection.rollback()
        return replay.made.records.get(profile)

    def _row(self, record: StoredRecord) -> tuple[Any, ...]:
        """As the table has it."""
        profile = self._profile(record)
        traits = msgspec.json.decode(msgspec.json.encode(profile.traits))
        sections = dict(zip(self.views.sections, record.sections, strict=True))
        shown = [sections[name] for name in self.views.columns]
        return (record.id, record.created_at, record.seen_at, None, traits, *shown)

    def _profile(self, record: StoredRecord) -> Profile:
        body = dict(zip(self.views.sections, record.sections, strict=True))["profiles"]
        return msgspec.msgpack.decode(body, type=Profile) if body else Profile()
